"""What a patient may send from their own page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, SelectMultipleField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from planner.actions.own_page import Preferences, Seen, Told
from planner.web.forms import TOKEN_KEY, IdempotencyField, PlannerForm, choices
from planner.web.patients.fields import Day, TimeOfDay

LONGEST = 1000
WEEKDAYS = choices(
    (
        ("0", _l("Mon")),
        ("1", _l("Tue")),
        ("2", _l("Wed")),
        ("3", _l("Thu")),
        ("4", _l("Fri")),
        ("5", _l("Sat")),
    )
)
PARTS = choices(
    (
        ("", _l("Any time")),
        ("morning", _l("Morning")),
        ("afternoon", _l("Afternoon")),
        ("evening", _l("Evening")),
    )
)
REMINDERS = choices(
    (("mail", _l("By mail")), ("sms", _l("By text message")), ("none", _l("Not at all")))
)
WORDS = choices((("neutral", _l("Neutral words")), ("plain", _l("Plain words"))))
ANSWERS = choices((("no", _l("No, nothing")), ("yes", _l("Yes, something"))))
NOT_IN_LIST = _l("Please choose from the list.")
MISSING = _l("Please fill this in.")


class OwnForm(PlannerForm):
    """A form of a patient's page: its token belongs to the link, and is asked for before any view."""

    class Meta(PlannerForm.Meta):
        """Without the token of staff sessions."""

        csrf = False

    idempotency_key = IdempotencyField()
    seen = HiddenField()

    def seen_of(self, key: str) -> Seen:
        """Return which visit is meant, and when it was to begin on the page."""
        return Seen(visit_key=key, starts_at=_instant(self.seen.data or ""))


class _Words(TextAreaField):
    """Some lines of a patient's own words."""

    def __init__(self, label: Any, *, is_required: bool = False, **rest: Any) -> None:
        too_long = _l("At most %(limit)d characters fit here.", limit=LONGEST)
        first = DataRequired(MISSING) if is_required else Optional()
        super().__init__(
            label,
            validators=[first, Length(max=LONGEST, message=too_long)],
            filters=[_with_plain_line_ends],
            render_kw={"rows": 4, "maxlength": LONGEST},
            **rest,
        )


class ConfirmForm(OwnForm):
    """A patient will come."""


class AnotherTimeForm(OwnForm):
    """Asks for another time, with what would suit."""

    weekdays = SelectMultipleField(_l("Days that suit"), choices=WEEKDAYS)
    part = RadioField(
        _l("Time of day"), choices=PARTS, default="", validators=[Optional()], validate_choice=False
    )
    text = _Words(_l("Anything else we should know"))

    def told(self) -> Told:
        """Return what was sent."""
        days = sorted(int(day) for day in self.weekdays.data or ())
        wishes: dict[str, Any] = {"weekdays": days} if days else {}
        if self.part.data:
            wishes["part"] = self.part.data
        return Told(kind="another_time", text=self.text.data or "", wishes=wishes)


class CannotComeForm(OwnForm):
    """Cannot come, and perhaps why."""

    text = _Words(_l("Anything we should know"))

    def told(self) -> Told:
        """Return what was sent."""
        return Told(kind="cannot_come", text=self.text.data or "")


class FlightForm(OwnForm):
    """Has a flight."""

    flight_day = Day(_l("Day of the flight"), required=True, render_kw={"type": "date"})
    flight_time = TimeOfDay(_l("Departure"), render_kw={"type": "time"})
    text = _Words(_l("Anything we should know"))

    def told(self) -> Told:
        """Return what was sent."""
        return Told(
            kind="flight",
            text=self.text.data or "",
            flight_on=self.flight_day.day,
            flight_at=self.flight_time.time,
        )


class HealthForm(OwnForm):
    """Something about health, for a provider."""

    text = _Words(_l("What has changed?"), is_required=True)

    def told(self) -> Told:
        """Return what was sent."""
        return Told(kind="health", text=self.text.data or "")


class AnswerForm(OwnForm):
    """The question of check-in."""

    answer = RadioField(
        _l("Has anything in your health changed?"),
        choices=ANSWERS,
        validators=[InputRequired(_l("Please choose one of these."))],
        validate_choice=False,
    )
    text = _Words(_l("If so, what?"))


class SubscribeForm(OwnForm):
    """A new subscription: its token is made from the key, so that sent twice it makes one."""

    idempotency_key = IdempotencyField(validators=[TOKEN_KEY])


class PreferencesForm(OwnForm):
    """How to be reached, and in which words."""

    words = RadioField(
        _l("Words in your calendar"),
        choices=WORDS,
        validators=[InputRequired(NOT_IN_LIST)],
    )
    reminders_by = RadioField(
        _l("Reminders"), choices=REMINDERS, validators=[InputRequired(NOT_IN_LIST)]
    )
    invitations = BooleanField(_l("Send me an invitation for each visit by mail"))

    def preferences(self) -> Preferences:
        """Return what was chosen."""
        return Preferences(
            plain_words=self.words.data == "plain",
            reminders_by=self.reminders_by.data or "",
            invitations=bool(self.invitations.data),
        )


def _with_plain_line_ends(text: str | None) -> str | None:
    return text.replace("\r\n", "\n") if text else text


def _instant(text: str) -> datetime | None:
    try:
        return datetime.strptime(f"{text[:-1]}+0000", "%Y%m%dT%H%M%z")
    except ValueError:
        return None
