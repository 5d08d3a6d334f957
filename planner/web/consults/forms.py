"""The form of a consult: answers, findings, outcome, order."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from planner import wording
from planner.scheduling import zones as body
from planner.web import context
from planner.web.forms import IdempotencyField, PlannerForm, VersionField, choices
from planner.web.patients.fields import Day

YES_NO = choices((("no", _l("No")), ("yes", _l("Yes"))))
ANSWERED = InputRequired(_l("Please ask this."))
CHOSEN = InputRequired(_l("Please choose."))
WIDEST = 30.0  # millimetres: wider is a slip of the finger
MOST = 12

QUESTIONS = ("had_clots", "is_pregnant", "is_nursing", "is_healthy")
PACKS = ("allergy", "acute_clot", "infection", "limb_ischaemia")


def yes_no(label: Any) -> RadioField:
    """Return a question that has to be asked: neither answer is there before."""
    return RadioField(label, choices=YES_NO, validators=[ANSWERED], validate_choice=True)


class Diameter(StringField):
    """A diameter in millimetres, typed with a point or a comma; ``mm`` is what was read."""

    def __init__(self, label: Any, **rest: Any) -> None:
        attributes = {"inputmode": "decimal", "maxlength": 6, "placeholder": "0.8"}
        super().__init__(label, render_kw=attributes, **rest)

    @property
    def mm(self) -> float | None:
        """Return the millimetres that were typed, or None."""
        text = (self.data or "").replace(",", ".").removesuffix("mm").strip()
        try:
            value = round(float(text), 1)
        except ValueError:
            return None
        return value if 0 < value <= WIDEST else None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was typed; refuse what is no diameter."""
        self.data = (valuelist[0] if valuelist else "").strip()
        if self.data and self.mm is None:
            raise ValueError(_l("Please give millimetres between 0.1 and 30, like 0.8."))


class WholeNumber(IntegerField):
    """A whole number, and a plain sentence for what is none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was typed; refuse what is no whole number."""
        text = (valuelist[0] if valuelist else "").strip()
        self.data = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
        if text and self.data is None:
            raise ValueError(_l("Please give a whole number."))


class SessionRow(Form):
    """One session of the order. The gap is counted from the session before."""

    minutes = WholeNumber(
        _l("Minutes"),
        validators=[
            # Not InputRequired: a row may have been made by the page rather than typed.
            DataRequired(_l("Please give the minutes.")),
            NumberRange(5, 240, _l("Please give 5 to 240 minutes.")),
        ],
    )
    floor = WholeNumber(_l("Not before"), validators=[Optional()])
    target = WholeNumber(_l("Target"), validators=[Optional()])
    soft_max = WholeNumber(_l("Late after"), validators=[Optional()])
    zones = SelectMultipleField(_l("Zones"), validate_choice=False)

    def validate_minutes(self, field: WholeNumber) -> None:
        """Lengths are multiples of five minutes."""
        if field.data and field.data % 5:
            raise ValidationError(_l("Please give a multiple of five."))

    def validate_soft_max(self, field: WholeNumber) -> None:
        """All three days, rising, within a year."""
        days = (self.floor.data, self.target.data, field.data)
        if days == (None, None, None) and not self._has_wrong_days():
            return
        known = [day for day in days if day is not None]
        if len(known) < 3 or sorted(known) != known or not 1 <= known[0] <= known[2] <= 365:
            raise ValidationError(_l("Three whole numbers from 1 to 365, rising."))

    def _has_wrong_days(self) -> bool:
        return any(field.process_errors for field in (self.floor, self.target, self.soft_max))


class ConsultForm(PlannerForm):
    """Everything a provider records at a consult."""

    idempotency_key = IdempotencyField()
    version = VersionField()
    drawn_for = HiddenField()  # what the rows of sessions below were made for

    had_clots = yes_no(_l("Blood clots in the past"))
    is_pregnant = yes_no(_l("Pregnant"))
    pregnancy_ended_on = Day(_l("A pregnancy ended on"))
    is_nursing = yes_no(_l("Nursing"))
    is_healthy = yes_no(_l("Otherwise healthy, says the patient"))
    has_allergy = yes_no(_l("Allergy to the sclerosant"))
    has_acute_clot = yes_no(_l("Acute clot"))
    has_infection = yes_no(_l("Infection"))
    has_limb_ischaemia = yes_no(_l("Poor circulation of the limb"))

    is_spider = BooleanField(_l("Spider veins (under 1 mm)"))
    spider_mm = Diameter(_l("Widest, mm"))
    colours = SelectMultipleField(
        _l("Colour"),
        choices=choices((("red", _l("Red")), ("blue", _l("Blue")))),
        validate_choice=True,
    )
    patterns = SelectMultipleField(
        _l("Pattern"),
        choices=choices(
            (
                ("lines", _l("Lines")),
                ("branches", _l("Branches")),
                ("spider", _l("Spider")),
            )
        ),
    )
    is_reticular = BooleanField(_l("Reticular veins (feeder, small varicose; 1–3 mm)"))
    reticular_mm = Diameter(_l("Widest, mm"))
    zones = SelectMultipleField(_l("Zones to treat"))
    area_size = RadioField(
        _l("Size of the area"),
        choices=choices((("S", _l("Small")), ("M", _l("Medium")), ("L", _l("Large")))),
        validators=[Optional()],
    )
    duplex_advised = BooleanField(_l("Duplex ultrasound advised"))

    outcome = RadioField(
        _l("Outcome"),
        choices=choices(
            (
                ("candidate", _l("Candidate")),
                ("not_now", _l("Not now")),
                ("no", _l("Not a candidate")),
                ("refer", _l("Refer")),
            )
        ),
        validators=[CHOSEN],
    )
    not_until = Day(_l("Not before"))
    note = TextAreaField(
        _l("Note"), validators=[Length(max=2000)], render_kw={"rows": 3, "maxlength": 2000}
    )

    repeats = RadioField(
        _l("The sessions treat"),
        choices=choices(
            (
                ("new", _l("new zones each time")),
                ("same", _l("the same zones again")),
            )
        ),
        validators=[Optional()],
    )
    protocol = RadioField(_l("Interval"), choices=[], validators=[Optional()])
    reason = StringField(_l("Reason for this interval"), validators=[Length(max=500)])
    count = WholeNumber(
        _l("Sessions"),
        validators=[Optional(), NumberRange(1, MOST, _l("A course has 1 to 12 sessions."))],
        render_kw={"min": 1, "max": MOST, "inputmode": "numeric"},
    )
    minutes = WholeNumber(
        _l("Minutes each"),
        validators=[Optional(), NumberRange(5, 240, _l("Please give 5 to 240 minutes."))],
        render_kw={"min": 5, "max": 240, "step": 5, "inputmode": "numeric"},
    )
    sessions = FieldList(FormField(SessionRow), max_entries=MOST)

    def __init__(self, *args: Any, packs: frozenset[str], protocols: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        locale = context.locale()
        half = len(body.AREAS)
        self.zones.choices = [
            *choices(_named(body.LEG_ZONES[:half], locale), _l("Left leg")),
            *choices(_named(body.LEG_ZONES[half:], locale), _l("Right leg")),
            *choices(_named((body.FACE,), locale), _l("Face")),
        ]
        self.protocol.choices = choices((str(row.id), row.name) for row in protocols)
        self.zones.flags.required = True  # of a candidate: not to be called optional
        for pack in PACKS:
            if pack not in packs:
                del self[f"has_{pack}"]

    def validate(self, extra_validators: Any = None) -> bool:
        """Judge what belongs to the outcome: without a candidate there is no order to judge."""
        if self.outcome.data != "candidate":
            self._forget_order()
        is_valid = bool(super().validate(extra_validators))
        if self.outcome.data == "candidate":
            is_valid = self._has_order() and is_valid
        return is_valid

    def validate_spider_mm(self, field: Diameter) -> None:
        """A type of vein comes with its diameter."""
        if self.is_spider.data and field.mm is None:
            raise ValidationError(_l("Please give the widest diameter."))

    def validate_reticular_mm(self, field: Diameter) -> None:
        """A type of vein comes with its diameter."""
        if self.is_reticular.data and field.mm is None:
            raise ValidationError(_l("Please give the widest diameter."))

    def _forget_order(self) -> None:
        self.sessions.entries.clear()
        for field in (self.protocol, self.count, self.minutes, self.repeats):
            field.process_errors = []
            field.raw_data = []

    def _has_order(self) -> bool:
        missing = {
            self.protocol: _l("Please choose the interval: the page has both sentences."),
            self.reason: _l("Please say why: the reason is kept with the order."),
            self.zones: _l("Please choose the zones: the interval depends on them."),
        }
        for field, sentence in missing.items():
            if not field.data and not field.errors:
                field.errors = [sentence]
        if not (self.is_spider.data or self.is_reticular.data):
            self.is_spider.errors = [_l("Please say which veins are to be treated.")]
        return not any(field.errors for field in (*missing, self.is_spider))


def _named(codes: tuple[str, ...], locale: str) -> list[tuple[str, str]]:
    return [(code, _capital(wording.zone(body.area(code), locale))) for code in codes]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
