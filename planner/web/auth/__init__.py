"""Signing in and out, one's own password and language."""

from planner.web.auth.views import blueprint, outdated_page, signed_out_page

__all__ = ["blueprint", "outdated_page", "signed_out_page"]
