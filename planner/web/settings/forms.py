"""Forms about the clinic, its sites, rooms, providers, services and protocols."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from typing import Any
from zoneinfo import available_timezones

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    RadioField,
    SelectField,
    SelectMultipleField,
)
from wtforms.validators import InputRequired

from planner.actions.catalogue import checks, clinic, services, sites
from planner.actions.catalogue.clinic import LANGUAGES
from planner.queries.settings.shared import Named
from planner.web.forms import PlannerForm, VersionField, choices
from planner.web.settings.fields import (
    Day,
    Lines,
    Minutes,
    Text,
    TimeOfDay,
    WholeNumber,
    whole,
)

LANGUAGE_NAMES = {
    "en": _l("English"),
    "es": _l("Spanish"),
    "pt": _l("Portuguese"),
    "ht": _l("Haitian Creole"),
}
HUE_NAMES = {
    "teal": _l("Teal"),
    "blue": _l("Blue"),
    "indigo": _l("Indigo"),
    "violet": _l("Violet"),
    "magenta": _l("Magenta"),
    "rose": _l("Rose"),
    "red": _l("Red"),
    "orange": _l("Orange"),
    "amber": _l("Amber"),
    "olive": _l("Olive"),
    "green": _l("Green"),
    "slate": _l("Slate"),
}
US_ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
)
NOT_IN_LIST = _l("Please choose from the list.")


REMINDER_NAMES: Mapping[int, Any] = {
    14: _l("14 days before"),
    7: _l("7 days before"),
    3: _l("3 days before"),
    2: _l("2 days before"),
    1: _l("the day before"),
    0: _l("on the morning"),
}


class HueField(RadioField):
    """One of the colours that stay readable in both themes; a stored #rrggbb may be kept."""

    def __init__(self, label: Any = None, **rest: Any) -> None:
        super().__init__(
            label or _l("Colour"),
            choices=choices(HUE_NAMES.items()),
            validate_choice=False,
            validators=[InputRequired(_l("Please choose a colour."))],
            default=checks.HUES[0],
            **rest,
        )


class ClinicForm(PlannerForm):
    """Who the clinic is."""

    version = VersionField()
    name = Text(_l("Name of the clinic"), limit=120, required=True)
    neutral_name = Text(_l("Neutral name"), limit=60)
    phone = Text(_l("Phone"), limit=40)
    email = Text(_l("Mail"), limit=254)
    colour = Text(_l("Colour"), limit=7, required=True)
    languages = SelectMultipleField(_l("Languages of patients"), validate_choice=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.languages.choices = choices((code, LANGUAGE_NAMES[code]) for code in LANGUAGES)


class TextForm(PlannerForm):
    """A text in one language."""

    version = VersionField()
    text = Lines(_l("Text"), limit=4000)
    is_placeholder = BooleanField(_l("This is still a placeholder: never show it to patients"))


class SiteForm(PlannerForm):
    """A site."""

    version = VersionField()
    name = Text(_l("Name"), limit=80, required=True)
    address = Lines(_l("Address"), limit=300)
    phone = Text(_l("Phone"), limit=40)
    colour = HueField()
    zone = SelectField(_l("Time zone"), validate_choice=False, default=US_ZONES[0])
    grid_minutes = SelectField(
        _l("Visits start every"), coerce=whole, validate_choice=False, default=15
    )
    arrival_note = Lines(_l("How to arrive"), limit=500)
    quiet_from = TimeOfDay(_l("No messages from"), required=True, default=time(20))
    quiet_until = TimeOfDay(_l("No messages until"), required=True, default=time(8))
    position = WholeNumber(_l("Position in lists"), low=0, high=999, default=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = sorted(available_timezones() - set(US_ZONES))
        self.zone.choices = [
            *choices(((zone, zone_label(zone)) for zone in US_ZONES), _l("United States")),
            *choices(((zone, zone_label(zone)) for zone in others), _l("Elsewhere")),
        ]
        self.grid_minutes.choices = choices(
            (minutes, _l("%(minutes)d minutes", minutes=minutes)) for minutes in sites.GRIDS
        )


class RoomForm(PlannerForm):
    """A room, and what it can host."""

    version = VersionField()
    name = Text(_l("Name"), limit=80, required=True)
    note = Lines(_l("Note"), limit=300)
    position = WholeNumber(_l("Position in lists"), low=0, high=999, default=0)
    services = SelectMultipleField(_l("Services it can host"), validate_choice=False)

    def __init__(self, *args: Any, services: Iterable[Named], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.services.choices = choices((str(service.id), service.name) for service in services)


class ProviderForm(PlannerForm):
    """A provider."""

    version = VersionField()
    name = Text(_l("Name"), limit=120, required=True)
    credentials = Text(_l("Credentials"), limit=40)
    colour = HueField()
    position = WholeNumber(_l("Position in lists"), low=0, high=999, default=0)


class ServiceForm(PlannerForm):
    """A service."""

    version = VersionField()
    code = Text(_l("Code"), limit=12, required=True)
    name = Text(_l("Name"), limit=80, required=True)
    kind = RadioField(
        _l("What it is for"),
        choices=choices(
            (
                ("consult", _l("Consult")),
                ("session", _l("Session of a course")),
                ("review", _l("Review")),
                ("other", _l("Other work")),
            )
        ),
        default="session",
        validators=[InputRequired(NOT_IN_LIST)],
    )
    minutes = WholeNumber(_l("Minutes"), low=5, high=services.LONGEST, step=5)
    minutes_choices = Minutes(_l("Other lengths to choose from"))
    preparation_minutes = WholeNumber(
        _l("Preparation of the room"), low=0, high=120, step=5, required=False
    )
    turnover_minutes = WholeNumber(
        _l("Turnover of the room"), low=0, high=120, step=5, required=False
    )
    walk_minutes = WholeNumber(_l("Walk of the patient"), low=0, high=120, step=5, default=0)
    colour = HueField()
    reminder_days = SelectMultipleField(
        _l("Reminders"), coerce=int, validate_choice=False, default=[7, 2, 0]
    )
    position = WholeNumber(_l("Position in lists"), low=0, high=999, default=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reminder_days.choices = choices(
            (days, REMINDER_NAMES[days]) for days in services.REMINDER_DAYS
        )


class MessageTextForm(PlannerForm):
    """The words of one kind of message."""

    version = VersionField()
    text = Lines(_l("First sentences"), limit=clinic.LONGEST_MESSAGE)


class TextMessageForm(PlannerForm):
    """The words of one kind of text message."""

    version = VersionField()
    text = Lines(_l("Text"), limit=clinic.LONGEST_TEXT_MESSAGE)


class TestNumberForm(PlannerForm):
    """Whom a text message is sent to for a test."""

    number = Text(_l("Phone number"), limit=40, required=True)


class ProtocolForm(PlannerForm):
    """A protocol of courses."""

    version = VersionField()
    name = Text(_l("Name"), limit=80, required=True)
    service_id = SelectField(_l("Service"), coerce=whole, validate_choice=False)
    sessions = WholeNumber(_l("Sessions"), low=1, high=services.MOST_SESSIONS, default=3)
    minutes = WholeNumber(_l("Minutes each"), low=5, high=services.LONGEST, step=5, default=45)
    zones = RadioField(
        _l("Each session treats"),
        choices=choices(
            (("new", _l("New zones: not treated before")), ("same", _l("The same zones again")))
        ),
        default="new",
        validators=[InputRequired(NOT_IN_LIST)],
    )
    gap_floor = WholeNumber(_l("Not before"), low=1, high=services.LONGEST_GAP, default=7)
    gap_target = WholeNumber(_l("Target"), low=1, high=services.LONGEST_GAP, default=14)
    gap_soft_max = WholeNumber(_l("Late after"), low=1, high=services.LONGEST_GAP, default=21)
    sentence = Text(_l("The sentence it stands for"), limit=300)
    is_active = BooleanField(_l("Can be chosen for new courses"), default=True)
    position = WholeNumber(_l("Position in lists"), low=0, high=999, default=0)

    def __init__(self, *args: Any, services: Sequence[Named], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service_id.choices = choices((service.id, service.name) for service in services)


class RetireForm(PlannerForm):
    """From when something is no longer booked; empty keeps it in use."""

    version = VersionField()
    retired_from = Day(_l("Retired from"))


class AbsenceForm(PlannerForm):
    """Days on which somebody or something is not there."""

    from_date = Day(_l("First day"), required=True)
    until_date = Day(_l("Last day"))
    starts = TimeOfDay(_l("From"))
    ends = TimeOfDay(_l("Until"))
    reason = Text(_l("Reason"), limit=200)


class HolidayForm(PlannerForm):
    """Which holidays close which sites."""

    days = SelectMultipleField(_l("Holidays"), validate_choice=False)
    sites = SelectMultipleField(_l("Sites"), validate_choice=False)


def zone_label(zone: str) -> str:
    """Return a time zone as it is read: "America/New York"."""
    return zone.replace("_", " ")
