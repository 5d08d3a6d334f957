"""Pages that a patient's link opens, without signing in: a calendar to take along, and their own page."""

from planner.web.portal import pages, tellings, views
from planner.web.portal.blueprint import blueprint

__all__ = ["blueprint", "pages", "tellings", "views"]
