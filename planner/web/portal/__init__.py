"""What a patient's link opens without signing in: their own page."""

from planner.web.portal import pages, subscriptions, tellings
from planner.web.portal.blueprint import blueprint

__all__ = ["blueprint", "pages", "subscriptions", "tellings"]
