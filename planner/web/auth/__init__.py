"""Signing in and out, one's own password and language."""

from planner.web.auth.views import blueprint as blueprint
