"""Calendar files for the desk, and the links by which patients fetch theirs."""

from planner.web.calendar.views import blueprint

__all__ = ["blueprint"]
