"""What patients have told the clinic, and whom to call."""

from planner.web.inbox.views import blueprint

__all__ = ["blueprint"]
