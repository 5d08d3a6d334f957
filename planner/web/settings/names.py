"""What codes of the settings are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

TEXTS: Mapping[str, tuple[Any, Any]] = {
    "arrival": (_l("Arrival"), _l("When to come, where to park.")),
    "bring": (_l("What to bring"), _l("Stockings, and what else.")),
    "aftercare": (_l("Aftercare"), _l("What to do and to avoid after a session.")),
    "warning_signs": (_l("Warning signs"), _l("When to call, printed beside the phone.")),
    "why_stockings": (_l("Why stockings"), _l("On the sheet, for treatments of the legs.")),
    "expectation": (
        _l("What to expect"),
        _l("On the sheet. Neutral: a text that promises a result does not belong here."),
    ),
    "policy": (_l("Cancellations"), _l("What the clinic asks of whoever cannot come.")),
}

HOLIDAYS: Mapping[str, Any] = {
    "new_year": _l("New Year’s Day"),
    "king": _l("Martin Luther King Jr. Day"),
    "presidents": _l("Presidents’ Day"),
    "good_friday": _l("Good Friday"),
    "memorial": _l("Memorial Day"),
    "juneteenth": _l("Juneteenth"),
    "independence": _l("Independence Day"),
    "labor": _l("Labor Day"),
    "columbus": _l("Columbus Day"),
    "veterans": _l("Veterans Day"),
    "thanksgiving": _l("Thanksgiving"),
    "day_after_thanksgiving": _l("Day after Thanksgiving"),
    "christmas_eve": _l("Christmas Eve"),
    "christmas": _l("Christmas Day"),
    "new_years_eve": _l("New Year’s Eve"),
}


def text_name(code: str) -> tuple[str, str]:
    """Return what a text is called, and what it is for."""
    name, hint = TEXTS.get(code, (code.replace("_", " ").capitalize(), ""))
    return str(name), str(hint)
