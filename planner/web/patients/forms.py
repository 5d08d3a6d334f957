"""Forms about patients."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length

from planner.actions.patients import Avoided, PatientValues, Signed
from planner.scheduling import reading
from planner.web.forms import IdempotencyField, PlannerForm, VersionField, choices
from planner.web.patients.fields import Day, Text, TimeOfDay

LANGUAGES = choices(
    (
        ("en", _l("English")),
        ("es", _l("Spanish")),
        ("pt", _l("Portuguese")),
        ("ht", _l("Haitian Creole")),
    )
)
CONTACTS = choices((("phone", _l("Call")), ("text", _l("Text")), ("email", _l("Mail"))))
DATE_KINDS = choices(
    (
        ("flight", _l("Flight")),
        ("trip", _l("Trip")),
        ("event", _l("Event (race, beach, sauna …)")),
        ("absence", _l("Cannot come")),
    )
)
CONSENT_KINDS = choices((("treatment", _l("Treatment")), ("photo", _l("Photos"))))
NOT_IN_LIST = _l("Please choose from the list.")
CHOICE = InputRequired(NOT_IN_LIST)


class PatientForm(PlannerForm):
    """Who somebody is and how to reach them: all that a caller is asked."""

    idempotency_key = IdempotencyField()
    given_name = Text(_l("Given name"), 80)
    family_name = Text(_l("Family name"), 80)
    phone = Text(_l("Phone"), 40)
    birth_date = Day(_l("Birth date"))
    language = RadioField(
        _l("Language"), choices=LANGUAGES, default="en", validators=[CHOICE], validate_choice=False
    )
    contact_by = RadioField(
        _l("Reach by"),
        choices=CONTACTS,
        default="phone",
        validators=[CHOICE],
        validate_choice=False,
    )
    email = Text(_l("Mail"), 254)

    def values(self) -> PatientValues:
        """Return what was typed, to be checked by the use case."""
        return PatientValues(
            given_name=self.given_name.data or "",
            family_name=self.family_name.data or "",
            birth_date=self.birth_date.day,
            phone=self.phone.data or "",
            email=self.email.data or "",
            language=self.language.data or "",
            contact_by=self.contact_by.data or "",
        )

    def begin_with(self, typed: str) -> None:
        """Fill in what was searched for in vain: a phone number or a name."""
        if reading.digits(typed):
            self.phone.data = typed.strip()[:40]
            return
        given, _space, family = typed.strip().partition(" ")
        self.given_name.data, self.family_name.data = given[:80].title(), family[:80].title()


class EditForm(PatientForm):
    """The same, and what is learnt later."""

    version = VersionField()
    stay_from = Day(_l("In Florida from"))
    stay_until = Day(_l("In Florida until"))
    note = TextAreaField(
        _l("Note for the desk"),
        validators=[
            Length(max=1000, message=_l("At most %(limit)d characters fit here.", limit=1000))
        ],
        render_kw={"rows": 3},
    )

    def values(self) -> PatientValues:
        """Return what was typed, to be checked by the use case."""
        values = super().values()
        return PatientValues(
            **{name: getattr(values, name) for name in _BASIC},
            stay_from=self.stay_from.day,
            stay_until=self.stay_until.day,
            note=(self.note.data or "").replace("\r\n", "\n"),
        )


class InlineForm(PlannerForm):
    """One of several forms on a page: its elements' ids begin with a word of its own."""

    slug = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self:
            field.id = f"{self.slug}-{field.short_name}"
            field.label.field_id = field.id


class DateForm(InlineForm):
    """A flight or another date to avoid."""

    slug = "date"
    kind = SelectField(_l("What"), choices=DATE_KINDS, validate_choice=False)
    from_date = Day(_l("Day"), required=True)
    until_date = Day(_l("until"))
    at = TimeOfDay(_l("Departure"), render_kw={"placeholder": "2:30 PM", "maxlength": 12})
    note = Text(_l("Note"), 200)

    def avoided(self) -> Avoided:
        """Return what was typed; without a last day it is one day."""
        first = self.from_date.day
        if first is None:
            raise ValueError("the form has not been validated")
        return Avoided(
            kind=self.kind.data or "",
            from_date=first,
            until_date=self.until_date.day or first,
            at=self.at.time,
            note=self.note.data or "",
        )


class ConsentForm(InlineForm):
    """A consent that was signed on paper or a tablet."""

    slug = "consent"
    kind = SelectField(_l("For"), choices=CONSENT_KINDS, validate_choice=False)
    text_version = Text(_l("Version of the text"), 40, required=True)
    language = SelectField(_l("Language"), choices=LANGUAGES, validate_choice=False)
    signed_on = Day(_l("Signed on"), required=True)

    def signed(self) -> Signed:
        """Return what was typed."""
        day = self.signed_on.day
        if day is None:
            raise ValueError("the form has not been validated")
        return Signed(
            kind=self.kind.data or "",
            text_version=self.text_version.data or "",
            language=self.language.data or "",
            signed_on=day,
        )


class StayForm(InlineForm):
    """From when to when a seasonal patient is in Florida."""

    slug = "stay"
    version = VersionField()
    stay_from = Day(_l("In Florida from"))
    stay_until = Day(_l("In Florida until"))


_BASIC: Any = (
    "given_name", "family_name", "birth_date", "phone", "email", "language", "contact_by",
)  # fmt: skip
