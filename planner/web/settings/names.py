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


def text_name(code: str) -> tuple[str, str]:
    """Return what a text is called, and what it is for."""
    name, hint = TEXTS.get(code, (code.replace("_", " ").capitalize(), ""))
    return str(name), str(hint)
