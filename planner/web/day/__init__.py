"""The day of a site, and the day of a provider."""

from planner.web.day.views import blueprint

__all__ = ["blueprint"]
