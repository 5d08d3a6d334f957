"""Who may open which page: one row an endpoint, and no page without a row.

``ANYONE`` needs no sign-in. What may be done on ``appointments.act`` is a table of its own, a row a verb:
``planner/rights.py``. What somebody may do to a particular row (decide for a site, say) is judged by the action.
"""

from __future__ import annotations

from collections.abc import Mapping

ANYONE = frozenset({"anyone"})
STAFF = frozenset({"receptionist", "provider", "manager"})
CARE = frozenset({"provider", "manager"})
PROVIDERS = frozenset({"provider"})
MANAGERS = frozenset({"manager"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    # the frame
    "static": ANYONE,
    "health.show": ANYONE,
    "brand.stylesheet": ANYONE,
    "auth.sign_in": ANYONE,
    "auth.enter": ANYONE,
    "auth.sign_out": ANYONE,
    "auth.language": ANYONE,
    "auth.account": STAFF,
    "auth.change_password": STAFF,
    "styleguide.show": MANAGERS,
    "changes.undo": STAFF,
    # the day and its visits
    "day.home": STAFF,
    "day.show": STAFF,
    "day.mine": STAFF,
    "appointments.new": STAFF,
    "appointments.here_now": STAFF,
    "appointments.show": STAFF,
    "appointments.move": STAFF,
    "appointments.swap": STAFF,
    "appointments.act": STAFF,
    # courses
    "courses.index": STAFF,
    "courses.new": STAFF,
    "courses.show": STAFF,
    "courses.book": STAFF,
    "courses.settle": STAFF,
    "courses.release": STAFF,
    "courses.gap": STAFF,
    "courses.package": STAFF,
    "courses.ask": STAFF,
    "courses.status": STAFF,
    # calendar files
    "calendar.patient": STAFF,
    "calendar.course": STAFF,
    "calendar.appointment": STAFF,
    "feeds.show": ANYONE,
    "feeds.patient": STAFF,
    "feeds.mine": STAFF,
    # a patient's own page: the link decides
    "portal.enter": ANYONE,
    "portal.former": ANYONE,
    "portal.visits": ANYONE,
    "portal.care": ANYONE,
    "portal.sheet": ANYONE,
    "portal.all_file": ANYONE,
    "portal.visit_file": ANYONE,
    "portal.confirm": ANYONE,
    "portal.answer": ANYONE,
    "portal.another_time": ANYONE,
    "portal.cannot_come": ANYONE,
    "portal.flight": ANYONE,
    "portal.health": ANYONE,
    "portal.preferences": ANYONE,
    "portal.subscription": ANYONE,
    "portal.close": ANYONE,
    # what passes between the clinic and a patient
    "sharing.share": STAFF,
    "sharing.sheet": STAFF,
    "inbox.index": STAFF,
    "inbox.handle": STAFF,
    "inbox.calls": STAFF,
    "inbox.called": STAFF,
    # patients and what providers record
    "patients.index": STAFF,
    "patients.search": STAFF,
    "patients.new": STAFF,
    "patients.show": STAFF,
    "patients.edit": STAFF,
    "patients.stay": STAFF,
    "patients.dates": STAFF,
    "patients.remove_date": STAFF,
    "patients.consents": STAFF,
    "patients.remove_consent": STAFF,
    "patients.calendar_words": STAFF,
    "patients.merge": STAFF,
    "consults.record": CARE,
    "decisions.index": STAFF,
    "decisions.sign": PROVIDERS,
    # messages to patients
    "messages.of_patient": STAFF,
    "messages.wishes": STAFF,
    "messages.again": STAFF,
    # settings
    "settings.index": MANAGERS,
    "settings.clinic": MANAGERS,
    "settings.texts": MANAGERS,
    "settings.text": MANAGERS,
    "settings.messages": MANAGERS,
    "settings.message_act": MANAGERS,
    "settings.message_texts": MANAGERS,
    "settings.message_text": MANAGERS,
    "settings.message_test": MANAGERS,
    "settings.message_sms": MANAGERS,
    "settings.message_sms_test": MANAGERS,
    "settings.sites": MANAGERS,
    "settings.site_new": MANAGERS,
    "settings.site": MANAGERS,
    "settings.site_hours": MANAGERS,
    "settings.closures": MANAGERS,
    "settings.holidays_close": MANAGERS,
    "settings.rooms": MANAGERS,
    "settings.room_new": MANAGERS,
    "settings.room": MANAGERS,
    "settings.outages": MANAGERS,
    "settings.providers": MANAGERS,
    "settings.provider_new": MANAGERS,
    "settings.provider": MANAGERS,
    "settings.provider_hours": MANAGERS,
    "settings.provider_services": MANAGERS,
    "settings.absences": MANAGERS,
    "settings.services": MANAGERS,
    "settings.service_new": MANAGERS,
    "settings.service": MANAGERS,
    "settings.protocols": MANAGERS,
    "settings.protocol_new": MANAGERS,
    "settings.protocol": MANAGERS,
    "settings.rules": MANAGERS,
    "settings.rule": MANAGERS,
    "settings.users": MANAGERS,
    "settings.user_new": MANAGERS,
    "settings.user": MANAGERS,
    "settings.user_password": MANAGERS,
    "settings.feeds": MANAGERS,
    "settings.retire": MANAGERS,
    "settings.remove": MANAGERS,
    "settings.take_back": MANAGERS,
}


class Unguarded(Exception):
    """Endpoints and the table differ; the application does not start."""


def check(endpoints: set[str]) -> None:
    """Raise ``Unguarded`` when an endpoint has no row, or a row no endpoint."""
    missing = sorted(endpoints - set(PERMISSIONS))
    stale = sorted(set(PERMISSIONS) - endpoints)
    if missing or stale:
        raise Unguarded(
            f"planner/web/permissions.py: endpoints without a row {missing}, rows without an endpoint {stale}"
        )


def may(role: str, endpoint: str) -> bool:
    """Whether a role may open an endpoint."""
    roles = PERMISSIONS.get(endpoint, frozenset())
    return roles is ANYONE or role in roles
