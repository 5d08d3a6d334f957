"""One JSON line a request, and one a fault. No name, note, token or password is ever in one.

Addresses are logged as routes (``/patients/<key>``), and a fault by its kind and place: its message,
like the values around it, may quote what somebody typed.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from typing import Any

import structlog
from flask import Flask, Response, g, request

from planner.config import Settings
from planner.web import context

QUIET = frozenset({"static", "health.show", "brand.stylesheet"})
log = structlog.get_logger("planner.web")


def configure(settings: Settings) -> None:
    """Write JSON lines from a level on to the error stream."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
    )


def register(app: Flask) -> None:
    """Log every request when it is answered."""

    def start() -> None:
        g.started = time.perf_counter()

    def answered(response: Response) -> Response:
        write = log.debug if request.endpoint in QUIET else log.info
        write("request", status=response.status_code, ms=_milliseconds(), **_request())
        response.headers["X-Request-Id"] = context.request_id()
        return response

    app.before_request(start)
    app.after_request(answered)


def fault(error: BaseException) -> None:
    """Log what went wrong, and where."""
    log.error("fault", error=_kinds(error), where=_where(error), **_request())


def _request() -> dict[str, Any]:
    account = context.account()
    return {
        "request_id": context.request_id(),
        "method": request.method if request.method.isalpha() else "?",
        "route": str(request.url_rule) if request.url_rule else "",
        "user_id": account.id if account else None,
    }


def _milliseconds() -> float | None:
    started: float | None = g.get("started")
    return None if started is None else round((time.perf_counter() - started) * 1000, 1)


def _kinds(error: BaseException | None) -> list[str]:
    kinds: list[str] = []
    while error is not None and len(kinds) < 5:
        kinds.append(type(error).__name__)
        error = error.__cause__
    return kinds


def _where(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
