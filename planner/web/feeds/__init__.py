"""Calendars to subscribe to: what a token serves, and the pages on which one is made or ended."""

from planner.web.feeds.views import blueprint

__all__ = ["blueprint"]
