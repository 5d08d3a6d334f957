"""The main journey, clicked: consult, candidacy and interval, the whole course, the day, the calendar file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser import setting_up
from tests.browser.conftest import Serve
from tests.browser.test_settings_from_empty import PASSWORD as OWN_PASSWORD
from tests.browser.test_settings_from_empty import empty_app, set_up
from tests.factories import PASSWORD
from tests.support import calendars
from tests.support.databases import sqlite_only
from tests.web.conftest import app_on, stocked, today

__all__ = ["app_on", "empty_app", "stocked", "today"]

PICTURES = Path("build/pictures")
MONDAY = datetime(2027, 3, 1, 14, tzinfo=UTC)  # 9:00 at both sites


@pytest.fixture(autouse=True)
def moment() -> Iterator[time_machine.Traveller]:
    """A Monday morning, from which a test can move on."""
    with time_machine.travel(MONDAY, tick=True) as coordinates:
        yield coordinates


@pytest.fixture
def base(app_on: Flask, serve: Serve) -> str:
    """The address of the clinic's application, on each engine in turn."""
    return serve(app_on)


@pytest.fixture
def enter(page: Page, base: str) -> Callable[[str], Page]:
    """Sign in as somebody else: ``enter("reception")``."""

    def as_user(name: str) -> Page:
        page.context.clear_cookies()
        page.goto(f"{base}/sign-in")
        page.locator("input[name=email]").fill(f"{name}@example.com")
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main .btn-primary").click()
        page.wait_for_url(re.compile(r"^(?!.*sign-in)"))
        return page

    return as_user


def look(page: Page, name: str) -> None:
    """Keep a picture of the page, to be looked at by a person."""
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def register_and_book_consult(page: Page, provider: str = "Alma Rivera") -> None:
    """New patient → consult, with the doctor, at the first start offered."""
    page.get_by_role("link", name="New patient → consult").first.click()
    page.get_by_label("Given name").fill("Lucía")
    page.get_by_label("Family name").fill("Quintero")
    page.get_by_label("Phone").fill("305 555 0177")
    page.get_by_label("Birth date").fill("4/9/1988")
    page.get_by_label("Spanish").check(force=True)
    page.get_by_role("button", name="Save and book consult").click()
    page.get_by_label("Provider").select_option(label=provider)
    page.get_by_role("button", name="Show free starts").click()
    page.locator(".slot").first.click()
    expect(page.get_by_text("Read back in Spanish")).to_be_visible()
    page.get_by_role("button", name="Book", exact=True).click()


def record_consult(page: Page, *, weeks: int) -> None:
    """Find the patient a candidate and order the course, with a reason."""
    for question in ("had_clots", "is_pregnant", "is_nursing", "has_allergy", "has_acute_clot"):
        page.locator(f"input[name={question}][value=no]").check(force=True)
    page.locator("input[name=is_healthy][value=yes]").check(force=True)
    page.locator("input[name=is_spider]").check(force=True)
    page.locator("input[name=spider_mm]").fill("0.8")
    page.locator("input[name=zones][value=left_calf]").check(force=True)
    page.locator("input[name=zones][value=right_calf]").check(force=True)
    page.locator("input[name=outcome][value=candidate]").check(force=True)
    # The order is drawn anew with every answer: what is ticked meanwhile would be gone.
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    page.get_by_role("radio", name=f"3 × {weeks} weeks").check(force=True)
    page.locator("input[name=reason]").fill("New zones each time.")
    page.wait_for_load_state("networkidle")
    look(page, "consult-filled")
    page.get_by_role("button", name="Save consult").click()
    look(page, "consult-saved")


def test_from_the_first_call_to_the_calendar_file(
    enter: Callable[[str], Page], base: str, moment: time_machine.Traveller
) -> None:
    page = enter("reception")
    register_and_book_consult(page)
    expect(page.get_by_role("heading", name="Lucía Quintero")).to_be_visible()
    consult = page.url
    look(page, "consult-booked")

    moment.shift(timedelta(minutes=30))
    page = enter("provider")
    page.goto(f"{consult}/consult")
    look(page, "consult-empty")
    record_consult(page, weeks=2)
    expect(page.locator(".order")).to_contain_text("3 × 45 min")
    course = page.url

    page = enter("reception")
    page.goto(course)
    look(page, "course")
    page.get_by_role("button", name="Book all 3").click()
    expect(page.get_by_text("3 sessions booked.")).to_be_visible()
    look(page, "course-booked")
    expect(page.get_by_text("14 days after session 1")).to_be_visible()

    with page.expect_download() as downloading:
        page.get_by_role("link", name="Calendar file").click()
    file = downloading.value.path().read_bytes()
    assert calendars.icaljs(file) == calendars.vobject_reads(file)


@sqlite_only
def test_a_clinic_set_up_by_the_pages_alone_books_a_course(
    page: Page, serve: Serve, empty_app: Flask, moment: time_machine.Traveller
) -> None:
    base = serve(empty_app)
    set_up(page, base)
    setting_up.add_user(
        page,
        name="Ana Diaz",
        email="ana@example.com",
        role="Provider",
        password=OWN_PASSWORD,
        provider="Ana Diaz",
    )

    sign_in_as(page, base, "rosa@example.com")
    register_and_book_consult(page, "Ana Diaz")
    consult = page.url

    moment.shift(timedelta(minutes=30))
    sign_in_as(page, base, "ana@example.com")
    page.goto(f"{consult}/consult")
    record_consult(page, weeks=6)
    expect(page.locator(".order")).to_contain_text("6 weeks apart")
    course = page.url

    sign_in_as(page, base, "rosa@example.com")
    page.goto(course)
    page.get_by_role("button", name="Other times session 2").click()
    page.get_by_label("Look at a day").fill("2027-04-19")
    page.get_by_label("Look at a day").press("Enter")
    expect(page.get_by_role("heading", name="Mon 19 Apr 2027")).to_be_visible()
    page.get_by_role("button", name="Book all 3").click()
    expect(page.get_by_text("3 sessions booked.")).to_be_visible()


def sign_in_as(page: Page, base: str, email: str) -> None:
    page.context.clear_cookies()
    setting_up.sign_in(page, base, email, OWN_PASSWORD)
