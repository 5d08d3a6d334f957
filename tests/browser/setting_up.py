"""The steps by which a manager sets up a clinic in the browser, for every test that begins there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect


@dataclass(frozen=True, slots=True)
class Range:
    """Hours of a day as a person types them; ``kind`` only where breaks are asked for."""

    weekday: str
    starts: str
    ends: str
    kind: str = ""


def sign_in(page: Page, base: str, email: str, password: str) -> None:
    """Sign in, and wait for the page that follows."""
    page.goto(f"{base}/sign-in")
    page.get_by_label("Mail").or_(page.locator("input[name=email]")).first.fill(email)
    page.locator("input[name=password]").fill(password)
    page.locator("form button.btn-primary").click()
    page.wait_for_url(re.compile(r"^(?!.*sign-in)"))


def open_settings(page: Page, topic: str = "") -> None:
    """Go to Settings by the navigation, and to one of its topics."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
    if topic:
        topics = page.get_by_role("navigation", name="Settings")
        topics.get_by_role("link", name=topic).click()


def name_clinic(page: Page, *, name: str, phone: str) -> None:
    """Say who the clinic is."""
    open_settings(page, "Clinic")
    page.get_by_label("Name of the clinic").fill(name)
    page.get_by_label("Neutral name").fill("Your visits")
    page.get_by_label("Phone").fill(phone)
    save(page, "Save")


def add_site(page: Page, *, name: str, address: str, colour: str, hours: Sequence[Range]) -> None:
    """Add a site with its weekly hours: the first range from Monday to Friday, the others as said."""
    open_settings(page, "Sites and rooms")
    page.get_by_role("link", name="Add a site").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Address").fill(address)
    page.get_by_label(colour, exact=True).check(force=True)
    save(page, "Add site")
    type_week(page, hours)


def add_room(page: Page, *, site: str, name: str, services: Sequence[str]) -> None:
    """Add a room to a site, with what it can host."""
    open_settings(page, "Sites and rooms")
    page.get_by_role("link", name=site, exact=True).click()
    page.get_by_role("link", name="Rooms", exact=True).click()
    page.get_by_role("link", name="Add a room").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    for service in services:
        page.get_by_role("checkbox", name=service).check()
    save(page, "Add room")


def add_provider(page: Page, *, name: str, credentials: str, colour: str) -> None:
    """Add a provider; the editor of hours is what follows."""
    open_settings(page, "Providers")
    page.get_by_role("link", name="Add a provider").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Credentials").fill(credentials)
    page.get_by_label(colour, exact=True).check(force=True)
    save(page, "Add provider")


def type_provider_hours(page: Page, *, provider: str, site: str, hours: Sequence[Range]) -> None:
    """Say when a provider works at a site."""
    open_provider(page, provider, "Hours")
    page.get_by_role("navigation", name="Sites").get_by_role("link", name=site).click()
    type_rows(page, hours)
    save(page, "Save hours")


def allow(page: Page, *, provider: str, site: str, services: Sequence[str]) -> None:
    """Let a provider treat and examine these services at a site."""
    open_provider(page, provider, "May do")
    for service in services:
        for right in ("Treats", "Examines"):
            page.get_by_label(f"{right}: {service} at {site}").check()
    save(page, "Save")


def add_user(
    page: Page, *, name: str, email: str, role: str, password: str, provider: str = ""
) -> None:
    """Add somebody who may sign in, and who may be one of the providers."""
    open_settings(page, "Users")
    page.get_by_role("link", name="Add a user").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Mail address").fill(email)
    page.get_by_role("radio", name=role).check()
    page.get_by_label("First password").fill(password)
    if provider:
        page.get_by_label("Provider", exact=False).last.select_option(label=provider)
    save(page, "Add user")


def write_texts(page: Page) -> None:
    """Put the clinic's own words where placeholders are."""
    open_settings(page, "Texts")
    while (waiting := page.locator("td .btn", has_text=re.compile("placeholder|missing"))).count():
        waiting.first.click()
        page.get_by_label("Text", exact=True).fill("Call us whenever you are unsure.")
        page.get_by_label("This is still a placeholder").uncheck()
        save(page, "Save")


def open_provider(page: Page, provider: str, tab: str) -> None:
    """Open a provider's page at one of its tabs."""
    open_settings(page, "Providers")
    page.get_by_role("link", name=provider, exact=True).click()
    page.get_by_role("link", name=tab, exact=True).click()


def type_week(page: Page, hours: Sequence[Range]) -> None:
    """Type Monday, copy it to Friday, add the other days, save."""
    type_rows(page, hours[:1])
    page.get_by_role("button", name="Copy Monday to Tue–Fri").click()
    type_rows(page, hours[1:])
    save(page, "Save hours")


def type_rows(page: Page, hours: Sequence[Range]) -> None:
    """Fill ranges into rows that are still blank."""
    for span in hours:
        row = _first_blank_row(page)
        row.locator("select").first.select_option(label=span.weekday)
        if span.kind:
            row.locator("select").nth(1).select_option(label=span.kind)
        row.locator("input[type=time]").first.fill(span.starts)
        row.locator("input[type=time]").nth(1).fill(span.ends)


def save(page: Page, button: str) -> None:
    """Press a form's button and wait for the page to say that it was done."""
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator(".flashes .callout-done, .flashes .toast-undo").first).to_be_visible()


def _first_blank_row(page: Page) -> Locator:
    if not page.locator("tr.is-blank").count():
        page.get_by_role("button", name="More rows").click()
    for row in page.locator(".hours-table tbody tr").all():
        if not row.locator("input[type=time]").first.input_value():
            return row
    raise AssertionError("the editor has no blank row")
