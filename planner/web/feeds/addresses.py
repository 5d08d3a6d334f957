"""The addresses by which a subscription is added to each kind of calendar, shown once."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from flask import url_for
from markupsafe import Markup

from planner.web import tokens

GOOGLE = "https://calendar.google.com/calendar/r?cid="
OUTLOOK = "https://outlook.live.com/calendar/0/addfromweb?url="


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A new subscription: opened by a tap, scanned, or pasted; it is not kept."""

    url: str
    webcal: str
    google: str
    outlook: str
    qr: Markup
    is_local: bool


def token(owner: str, form_key: str) -> str:
    """Return the token that this form gives the owner."""
    return tokens.made("calendar feed", owner, form_key)


def subscription(token: str) -> Subscription:
    """Return the addresses of a token's calendar, and the QR code."""
    url = tokens.public_url(url_for("feeds.show", token=token))
    # Plain webcal, over https too: iPhones refuse webcals.
    webcal = "webcal" + url.removeprefix("https").removeprefix("http")
    return Subscription(
        url=url,
        webcal=webcal,
        google=GOOGLE + quote(webcal, safe=""),
        outlook=OUTLOOK + quote(url, safe=""),
        qr=tokens.drawing(webcal),
        is_local=tokens.is_local(url),
    )
