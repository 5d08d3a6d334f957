"""Taking a change back."""

from planner.web.changes.views import blueprint

__all__ = ["blueprint"]
