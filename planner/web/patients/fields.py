"""Fields that read what people type, and say how to write it when they cannot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import DataRequired, Length, Optional

from planner.scheduling import reading
from planner.web import context

SHOWN = 20  # characters of what was typed that a sentence repeats


class Text(StringField):
    """A line of text with a longest length."""

    def __init__(self, label: Any, limit: int, *, required: bool = False, **rest: Any) -> None:
        too_long = _l("At most %(limit)d characters fit here.", limit=limit)
        missing = [DataRequired(_l("Please fill this in."))] if required else [Optional()]
        rest.setdefault("render_kw", {"maxlength": limit})
        super().__init__(label, validators=[*missing, Length(max=limit, message=too_long)], **rest)


class Day(StringField):
    """A day, typed as 3/31/1985, 1985-03-31 or 31 Mar 1985; ``day`` is what was read."""

    def __init__(self, label: Any, *, required: bool = False, **rest: Any) -> None:
        missing = DataRequired(_l("Please give a date.")) if required else Optional()
        rest.setdefault("render_kw", {"placeholder": "MM/DD/YYYY", "maxlength": 40})
        super().__init__(label, validators=[missing], **rest)

    data: Any  # what was typed, or the day the form was made with

    @property
    def day(self) -> date | None:
        """Return the day that was typed, or None."""
        if isinstance(self.data, date):
            return self.data
        return reading.find_day(self.data or "", today=context.now().date())

    def _value(self) -> str:
        if isinstance(self.data, date):
            return f"{self.data:%m/%d/%Y}"
        return self.data or ""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Keep what was typed; refuse what is no day."""
        self.data = (valuelist[0] if valuelist else "").strip()
        if self.data and self.day is None:
            raise ValueError(
                _l("“%(typed)s” is not a date. Write it like 3/31/1985.", typed=_short(self.data))
            )


class TimeOfDay(StringField):
    """A wall-clock time, typed as 14:30, 2:30 PM or 2pm; ``time`` is what was read."""

    @property
    def time(self) -> time | None:
        """Return the time that was typed, or None."""
        return reading.find_time(self.data or "")

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Keep what was typed; refuse what is no time."""
        self.data = (valuelist[0] if valuelist else "").strip()
        if self.data and self.time is None:
            raise ValueError(
                _l("“%(typed)s” is not a time. Write it like 2:30 PM.", typed=_short(self.data))
            )


def _short(text: str) -> str:
    bare = text.replace("\0", "")
    return bare if len(bare) <= SHOWN else f"{bare[:SHOWN]}…"
