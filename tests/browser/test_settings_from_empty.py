"""The manager sets up both sites by the pages alone, starting from an empty database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect

from planner import clock
from planner.actions import setup, users
from planner.actions.users import UserValues
from planner.app import create_app
from planner.config import Settings
from planner.db import engine, timetables
from planner.db.models import Service, Site
from planner.scheduling import availability
from planner.scheduling.interval import Interval
from planner.who import SYSTEM
from tests.browser import setting_up
from tests.browser.conftest import Serve
from tests.browser.setting_up import Range
from tests.support.databases import postgresql_only, sqlite_only

EMAIL, PASSWORD = "manager@example.com", "seven green umbrellas at noon"
SECRET = "a secret of the tests, long enough for every check"
CONSULT, SESSION, REVIEW = "Consult", "Sclerotherapy session", "Review"
EVERYTHING = (CONSULT, SESSION, REVIEW)
LATE = Range("Monday", "09:00", "18:00")
SATURDAY = Range("Saturday", "09:00", "15:00")


@pytest.fixture
def empty_app(database_url: str) -> Iterator[Flask]:
    """The application as it is after ``planner init`` and the first ``planner user add``."""
    app = create_app(Settings(database_url=database_url, secret_key=SECRET))
    with app.app_context():
        setup.seed_shipped(by=SYSTEM, now=clock.now())
        values = UserValues(email=EMAIL, name="Morgan", role="manager")
        users.add(values, PASSWORD, by=SYSTEM, now=clock.now())
        yield app
        engine.db.engine.dispose()


def set_up(page: Page, base: str) -> None:
    """Set up a clinic with two sites, a room and a provider at each, and a receptionist."""
    setting_up.sign_in(page, base, EMAIL, PASSWORD)
    setting_up.name_clinic(page, name="Glamour Medical Aesthetics", phone="(305) 555-0100")
    for site, address, colour, saturday in (
        ("Miami", "1 Example Avenue, Miami, FL", "Teal", SATURDAY),
        ("Aventura", "2 Example Way, Aventura, FL", "Violet", Range("Saturday", "10:00", "14:00")),
    ):
        setting_up.add_site(page, name=site, address=address, colour=colour, hours=[LATE, saturday])
        setting_up.add_room(page, site=site, name=f"{site} 1", services=EVERYTHING)
    for name, site in (("Ana Diaz", "Miami"), ("Ben Stein", "Aventura")):
        setting_up.add_provider(page, name=name, credentials="MD", colour="Blue")
        hours = [
            Range(day, starts, ends, kind)
            for day in ("Monday", "Wednesday", "Friday")
            for starts, ends, kind in (("09:00", "17:00", "Works"), ("12:30", "13:00", "Break"))
        ]
        setting_up.type_provider_hours(page, provider=name, site=site, hours=hours)
        setting_up.allow(page, provider=name, site=site, services=EVERYTHING)
    setting_up.add_user(
        page, name="Rosa", email="rosa@example.com", role="Receptionist", password=PASSWORD
    )
    setting_up.write_texts(page)


def offered(app: Flask) -> set[tuple[str, str]]:
    """Return which service can be booked at which site within two weeks."""
    now = clock.now()
    ahead = Interval(now, now + timedelta(days=14))
    with app.app_context(), engine.reading() as session:
        timetable = timetables.load(session, horizon=ahead, now=now)
        services = {row.id: row.name for row in session.scalars(sa.select(Service))}
        sites = {row.id: row.name for row in session.scalars(sa.select(Site))}
    return {
        (name, sites[slot.site_id])
        for service_id, name in services.items()
        for slot in availability.free_slots(timetable, service_id=service_id, interval=ahead)
    }


# On SQLite the journey that books a course begins in the same way.
@postgresql_only
def test_a_manager_sets_up_both_sites_by_the_pages_alone(
    page: Page, serve: Serve, empty_app: Flask
) -> None:
    set_up(page, serve(empty_app))
    setting_up.open_settings(page)
    expect(page.get_by_text("12 of 12 done")).to_be_visible()
    assert offered(empty_app) == {
        (service, site) for service in EVERYTHING for site in ("Miami", "Aventura")
    }


TOPICS = (
    "Set-up",
    "Clinic",
    "Sites and rooms",
    "Services",
    "Providers",
    "Protocols",
    "Rules",
    "Texts",
    "Users",
)


@sqlite_only
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_topic_of_the_settings_is_accessible(
    page: Page, serve: Serve, empty_app: Flask, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    setting_up.sign_in(page, serve(empty_app), EMAIL, PASSWORD)
    found = {}
    for topic in TOPICS:
        setting_up.open_settings(page, topic)
        results = Axe().run(page).response["violations"]
        found[topic] = [(v["id"], v["nodes"][0]["html"][:120]) for v in results]
    assert found == {topic: [] for topic in TOPICS}
