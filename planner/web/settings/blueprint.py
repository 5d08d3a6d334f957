"""The blueprint that the views of each topic join."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("settings", __name__, url_prefix="/settings")
