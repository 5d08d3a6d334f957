"""Whether this process can serve: for load balancers and watchdogs."""

from __future__ import annotations

from flask import Blueprint

from planner.queries import health

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def show() -> tuple[dict[str, str], int]:
    """Return 200 when the database answers, 503 when it does not; never any detail."""
    return ({"status": "ok"}, 200) if health.answers() else ({"status": "unavailable"}, 503)
