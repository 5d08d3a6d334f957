"""Patients: finding, registering, and everything about one of them."""

from planner.web.patients.views import blueprint

__all__ = ["blueprint"]
