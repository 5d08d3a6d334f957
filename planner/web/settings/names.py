"""What codes of the settings are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

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
