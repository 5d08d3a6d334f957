"""The consult: what a provider records, and the order that comes of it."""

from planner.web.consults.views import blueprint

__all__ = ["blueprint"]
