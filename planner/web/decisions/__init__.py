"""Decisions that wait for a provider."""

from planner.web.decisions.views import blueprint

__all__ = ["blueprint"]
