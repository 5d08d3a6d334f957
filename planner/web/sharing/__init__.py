"""What the desk gives to one patient: a link to their page, texts to send, the plan on paper."""

from planner.web.sharing.views import blueprint

__all__ = ["blueprint"]
