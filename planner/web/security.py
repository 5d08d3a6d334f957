"""What every answer carries, and where a request may lead."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from planner.config import Settings

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Nobody else learns a patient's key; our own pages learn where to go back to, and browsers
    # send a true Origin with forms. Pages opened with a token set no-referrer themselves.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
YEAR = 31_536_000
LONGEST_PATH = 2_000


def register(app: Flask, settings: Settings) -> None:
    """Dress every answer."""

    def dress(response: Response) -> Response:
        if request.endpoint == "static":
            _cache_asset(response)
        # Looked through once for all of them: each setdefault would look through it again.
        worn = {name.lower() for name, _value in response.headers}
        response.headers.extend([pair for key, pair in wear.items() if key not in worn])
        return response

    headers = {**HEADERS, "Cache-Control": "no-store"}
    if settings.is_https:
        headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    wear = {name.lower(): (name, value) for name, value in headers.items()}
    app.after_request(dress)


def own_path(target: str | None, otherwise: str = "/") -> str:
    """Return the target when it is a path of our own, else the other one: no open redirect."""
    text = target or ""
    is_path = text.startswith("/") and not text.startswith("//") and "\\" not in text
    is_sound = is_path and text.isprintable() and len(text) <= LONGEST_PATH
    return text if is_sound and not _has_host(text) else otherwise


def way_back(otherwise: str) -> str:
    """Return the page of ours that sent somebody here and wants them back, else the one given."""
    return own_path(request.values.get("back"), otherwise)


def this_page(otherwise: str) -> str:
    """Return how this page is asked for again; the path given where a form has led to it."""
    if request.method != "GET":
        return otherwise
    return own_path(request.full_path.rstrip("?"), otherwise)


def page_before() -> str:
    """Return the path of our own page from which this request was sent, else the start page."""
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return "/"
    if parts.netloc != request.host:
        return "/"
    return own_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def _cache_asset(response: Response) -> None:
    # A name in dist/ carries a hash of its contents: under it nothing else will ever be.
    is_hashed = request.path.startswith("/static/dist/") and response.status_code == 200
    lasting = f"public, max-age={YEAR}, immutable"
    response.headers["Cache-Control"] = lasting if is_hashed else "no-cache"


def _has_host(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return True
    return bool(parts.scheme or parts.netloc)
