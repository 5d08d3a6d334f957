"""What every answer carries, and what no request may carry."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from planner.actions import access
from planner.config import Settings
from planner.web import context, permissions

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # A referrer would carry patients' keys to wherever a link leads.
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
YEAR = 31_536_000
LONGEST_QUERY = 8_000


def protect(app: Flask, settings: Settings) -> None:
    """Check each request before its view, and dress each answer."""

    def dress(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.is_https:
            response.headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
        if "Cache-Control" not in response.headers and request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    app.before_request(_refuse_odd_bytes)
    app.before_request(_refuse_foreign_posts)
    app.before_request(_guard)
    app.after_request(dress)


def own_path(target: str) -> str:
    """Return the target when it is a path of our own, else the start page: no open redirect."""
    parts = urlsplit(target)
    is_own = (
        target.startswith("/")
        and not target.startswith("//")
        and not parts.scheme
        and not parts.netloc
        and "\\" not in target
        and target.isprintable()
    )
    return target if is_own else "/"


def _refuse_odd_bytes() -> None:
    texts = [request.path, *request.args.keys(), *request.args.values()]
    if len(request.query_string) > LONGEST_QUERY or any("\x00" in text for text in texts):
        abort(400)


def _refuse_foreign_posts() -> None:
    """Refuse a POST that another site's page sent. Referrers are off, so the origin has to tell."""
    origin = request.headers.get("Origin")
    if request.method != "POST" or not origin or origin == "null":
        return
    if urlsplit(origin).netloc != request.host:
        abort(400)


def _guard() -> AnyResponse | None:
    endpoint = request.endpoint
    if endpoint is None:
        return None
    if permissions.PERMISSIONS[endpoint] is permissions.ANYONE:
        return None
    account = context.account()
    if account is None:
        if request.headers.get("HX-Request"):
            answer = current_app.response_class(status=401)
            answer.headers["HX-Redirect"] = url_for("auth.sign_in")
            return answer
        wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return redirect(url_for("auth.sign_in", next=wanted))
    if not permissions.may(account.role, endpoint):
        access.denied(endpoint, by=context.who(), now=context.now())
        abort(403)
    return None
