"""Pages that a patient's link opens, without signing in."""

from planner.web.portal.views import blueprint

__all__ = ["blueprint"]
