"""Calendar files for the desk."""

from planner.web.calendar.views import blueprint

__all__ = ["blueprint"]
