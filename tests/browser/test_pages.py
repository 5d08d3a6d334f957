"""Every page as people meet it: it answers, anybody can use it, it fits a phone, it needs no script."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy.orm import Session

from planner.db import seed
from planner.db.engine import db
from planner.db.models import ClinicText, Patient, Protocol, Provider, Room, Service, Site, User
from planner.web import permissions
from tests.browser.conftest import Serve
from tests.hostile import world as worlds
from tests.hostile.world import Cast, World
from tests.support.console import Console

DESK = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)
LONG_NAME = {
    "given_name": "Maximiliana Alexandrina",
    "family_name": "Featherstonehaugh-Cholmondeley-Montague",
}
LONG_WORDS = "of Sunny Isles Beach Boulevard by the Featherstonehaugh-Cholmondeley Tower"
NOT_PAGES = {  # files, parts of pages, and what only sends elsewhere
    "auth.sign_out", "brand.stylesheet", "calendar.appointment", "calendar.course",
    "calendar.patient", "day.home", "feeds.show", "health.show", "portal.all_file",
    "portal.enter", "portal.former", "portal.visit_file", "static",
}  # fmt: skip
WIDEST = """() => [...document.querySelectorAll("body *")]
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
  .map((e) => e.outerHTML.slice(0, 90)).pop()"""


def pages(cast: Cast) -> Mapping[str, Sequence[str]]:
    """Return the addresses to look at by who opens them; "" is nobody."""
    patients, courses, visits = cast.patients, cast.courses, cast.appointments
    ana, eve = f"/patients/{patients['ana']}", f"/patients/{patients['eve']}"
    clinic = cast.clinic
    site, provider = f"/settings/sites/{clinic.miami}", f"/settings/providers/{clinic.md}"
    user = f"/settings/users/{clinic.receptionist}"
    return {
        "": ("/sign-in",),
        worlds.PATIENT: (
            "/visits", "/visits/care", "/visits/sheet", "/visits/flight", "/visits/my-health",
            "/visits/preferences", "/visits/calendar", f"/visits/{visits['later']}/another-time",
            f"/visits/{visits['later']}/cannot-come",
        ),
        "receptionist": (
            "/day", "/day?by=room", "/day?site=all", "/day?date=2027-03-07", "/my-day",
            "/patients", "/patients?q=lopez", "/patients?q=nobody", "/patients/new",
            "/patients/search?q=lopez", ana, eve, f"{ana}/edit", f"{ana}/merge?q=lopez",
            f"{ana}/share", f"{ana}/sheet", "/inbox", "/call-list?who=all",
            f"{ana}/subscriptions", f"{ana}/messages", f"{eve}/messages", f"{eve}/book",
            f"{eve}/book?days=1",
            f"{ana}/courses/new",
            "/here-now", "/here-now?q=lopez", f"/here-now?patient={patients['eve']}",
            *(f"/appointments/{visits[name]}" for name in ("booked", "held", "arrived", "started")),
            f"/appointments/{visits['later']}/move", f"/appointments/{visits['later']}/swap",
            "/courses", f"/courses/{courses['ana']}", f"/courses/{courses['dora']}?open=2&more=1",
            f"/courses/{courses['ana']}/gaps/2",
            "/decisions", "/account",
        ),
        "provider": (
            "/my-day", "/my-day?date=2027-03-07", "/account/calendar", "/decisions", "/inbox",
            f"/courses/{courses['bob']}",
            f"/appointments/{visits['consult']}", f"/appointments/{visits['consult']}/consult",
        ),
        "manager": (
            "/settings/", "/settings/clinic", "/settings/sites", "/settings/sites/new", site,
            f"{site}/hours", f"{site}/closures", f"{site}/rooms", f"{site}/rooms/new",
            f"/settings/rooms/{clinic.miami_1}", f"/settings/rooms/{clinic.miami_1}/outages",
            "/settings/providers", "/settings/providers/new", provider, f"{provider}/hours",
            f"{provider}/hours/{clinic.miami}", f"{provider}/services", f"{provider}/absences",
            "/settings/services", "/settings/services/new", f"/settings/services/{clinic.consult}",
            "/settings/protocols", "/settings/protocols/new",
            f"/settings/protocols/{clinic.two_weeks}",
            "/settings/rules", "/settings/rules/consult.valid_days",
            "/settings/texts", "/settings/texts/portal.questions/en",
            "/settings/messages", "/settings/messages?status=failed",
            "/settings/messages/texts", "/settings/messages/texts/change/es",
            "/settings/messages/text-messages/reminder/es",
            "/settings/users", "/settings/users/new", user, f"{user}/password",
            "/settings/subscriptions", f"/settings/room/{clinic.miami_1}/retire", "/styleguide",
        ),
    }  # fmt: skip


def main_pages(cast: Cast) -> Sequence[tuple[str, str]]:
    """Return who opens what most: these are looked at by night and on a phone too."""
    visits = cast.appointments
    return (
        ("receptionist", "/day"),
        ("receptionist", f"/patients/{cast.patients['ana']}"),
        ("receptionist", f"/patients/{cast.patients['eve']}/book"),
        ("receptionist", f"/appointments/{visits['booked']}"),
        ("receptionist", f"/courses/{cast.courses['ana']}"),
        ("receptionist", f"/courses/{cast.courses['dora']}?open=2"),
        ("provider", "/my-day"),
        ("provider", f"/appointments/{visits['consult']}/consult"),
        ("receptionist", "/inbox"),
        (worlds.PATIENT, "/visits"),
        ("manager", "/settings/"),
        ("manager", "/settings/messages?status=failed"),
    )


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    """A clinic in the middle of its work, with a patient whose name is very long."""
    with time_machine.travel(worlds.NOW, tick=True):
        cast = worlds.fill(sqlite_url, LONG_NAME)
        yield worlds.open_on(sqlite_url, cast, lambda _version: None)


@pytest.fixture
def base(world: World, serve: Serve) -> str:
    """The address of that clinic's application."""
    return serve(world.app)


def be(page: Page, world: World, base: str, role: str) -> None:
    """Continue as somebody who has signed in, or as nobody."""
    page.context.clear_cookies()
    name = worlds.COOKIES.get(role, "planner")
    page.context.add_cookies([{"name": name, "value": world.cookies[role], "url": base}])


def barriers(page: Page) -> list[str]:
    """Return what axe finds on the page that is open, each with the first element it found it on."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found]


def complaints(page: Page, address: str) -> list[str]:
    """Open a page and return what is wrong with it, at its present size and at a phone's."""
    size = page.viewport_size or DESK
    answer = page.goto(address)
    found = [] if answer and answer.ok else [f"answers {answer.status if answer else 'nothing'}"]
    found += barriers(page)
    page.set_viewport_size(PHONE)
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append(f"wider than a phone: {page.evaluate(WIDEST)}")
    page.set_viewport_size(size)
    return found


def wrong(page: Page, base: str, paths: Sequence[str]) -> dict[str, list[str]]:
    """Return the complaints about each page that there are any about."""
    looked_at = {path: complaints(page, base + path) for path in paths}
    return {path: found for path, found in looked_at.items() if found}


def test_no_page_is_missing_from_the_table(world: World) -> None:
    match = world.app.url_map.bind("localhost").match
    opened = {
        match(path.partition("?")[0])[0]
        for paths in pages(world.cast).values()
        for path in paths
    }  # fmt: skip
    shown = {
        rule.endpoint for rule in world.app.url_map.iter_rules() if "GET" in (rule.methods or ())
    }
    assert opened == (shown & set(permissions.PERMISSIONS)) - NOT_PAGES


@pytest.mark.parametrize("role", ["", worlds.PATIENT, "receptionist", "provider", "manager"])
def test_every_page_answers_is_accessible_and_fits_a_phone(
    page: Page, world: World, base: str, role: str
) -> None:
    be(page, world, base, role)
    assert wrong(page, base, pages(world.cast)[role]) == {}


def lengthened(session: Session) -> None:
    """Give every place, person, service and protocol a name of sixty characters."""
    kinds: tuple[Any, ...] = (Site, Room, Provider, Service, Protocol)
    for kind in kinds:
        for row in session.scalars(sa.select(kind)):
            row.name = f"{row.name} {LONG_WORDS}"[:60]


def test_names_of_sixty_characters_fit_wherever_they_are_read(
    page: Page, world: World, base: str
) -> None:
    with world.app.app_context(), Session(db.engine) as session:
        lengthened(session)
        session.commit()
    found, patients = {}, world.cast.patients
    others = [
        ("receptionist", f"/here-now?patient={patients['eve']}"),
        ("manager", f"/settings/providers/{world.cast.clinic.md}/hours"),
    ]
    for role, path in (*main_pages(world.cast), *others):
        be(page, world, base, role)
        found.update(wrong(page, base, [path]))
    assert found == {}
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses/{world.cast.courses['dora']}")
    lines = page.locator(".proposal-dates b").evaluate_all("them => them.map(e => e.offsetHeight)")
    assert lines
    assert max(lines) < 30


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_main_pages_are_accessible_by_night_and_on_a_phone(
    page: Page, world: World, base: str, size: ViewportSize
) -> None:
    page.emulate_media(color_scheme="dark" if size is DESK else "light")
    page.set_viewport_size(size)
    found = {}
    for role, path in main_pages(world.cast):
        be(page, world, base, role)
        found.update(wrong(page, base, [path]))
    assert found == {}


CUT = """() => [...document.querySelectorAll("main *")]
  .filter((e) => getComputedStyle(e).overflow !== "visible" && e.textContent.trim() && !e.matches(".visually-hidden"))
  .filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)
  .filter((e) => e.clientWidth && !e.closest("[title], .tabs") && !e.matches(".board-wrap"))
  .map((e) => e.outerHTML.slice(0, 90))"""
"""What is cut and has no title to say the rest; tabs scroll sideways, the board both ways."""


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_long_names_are_whole_on_a_visit_and_can_be_read_in_full_on_the_board(
    page: Page, world: World, base: str, size: ViewportSize
) -> None:
    with world.app.app_context(), Session(db.engine) as session:
        lengthened(session)
        session.execute(sa.update(Patient).values(**LONG_NAME))
        session.commit()
    page.set_viewport_size(size)
    be(page, world, base, "receptionist")
    visits = world.cast.appointments
    paths = ["/day", "/day?by=room", "/day?site=all", f"/appointments/{visits['booked']}"]
    found = {}
    for path in paths:
        page.goto(base + path)
        found[path] = page.evaluate(CUT)
    assert found == {path: [] for path in paths}


def test_a_card_of_the_board_that_has_the_focus_says_all(
    page: Page, world: World, base: str
) -> None:
    with world.app.app_context(), Session(db.engine) as session:
        lengthened(session)
        session.execute(sa.update(Patient).values(**LONG_NAME))
        session.commit()
    be(page, world, base, "receptionist")
    page.goto(f"{base}/day")
    card = page.locator(".appt").first
    said = (card.get_attribute("title") or "").splitlines()
    assert " ".join(LONG_NAME.values()) in said
    page.locator("[data-board]").focus()
    while not card.locator("a").evaluate("it => it === document.activeElement"):
        page.keyboard.press("Tab")
    lines = [".appt-name bdi", ".appt-what > span", ".appt-where bdi"]
    for line, one in zip(lines, said, strict=True):
        expect(card.locator(line).first).to_have_text(one)
        expect(card.locator(line).first).to_be_visible()
        assert card.locator(line).first.evaluate("it => it.scrollWidth <= it.clientWidth + 1")


@pytest.mark.parametrize("language", ["en", "es"])
def test_on_a_phone_the_bar_of_a_course_reads_all_and_keeps_its_buttons_in_a_row(
    page: Page, world: World, base: str, language: str
) -> None:
    with world.app.app_context(), Session(db.engine) as session:
        session.execute(sa.update(User).values(language=language))
        lengthened(session)
        session.commit()
    page.set_viewport_size(PHONE)
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses/{world.cast.courses['dora']}")
    fold = page.locator("#read-back")
    expect(fold.locator("li").last).to_be_visible()
    assert page.evaluate(CUT) == []
    buttons = page.locator(".actionbar-buttons .btn:visible")
    tops = buttons.evaluate_all("them => them.map(e => Math.round(e.getBoundingClientRect().top))")
    assert (len(tops) > 2, len(set(tops))) == (True, 1)
    fold.locator("summary").click()
    expect(fold.locator("li").last).to_be_hidden()
    page.locator("#later-1").click()
    expect(page.locator("#session-1 .was")).to_be_visible()
    expect(fold.locator("li").last).to_be_hidden()


def test_at_a_desk_the_read_back_is_never_folded(page: Page, world: World, base: str) -> None:
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses/{world.cast.courses['dora']}")
    page.locator("#read-back").evaluate("it => it.open = false")
    expect(page.locator("#read-back li").last).to_be_visible()
    expect(page.locator("#read-back summary")).to_be_hidden()


SMALL = """() => [...document.querySelectorAll("main :is(a, button, select, summary, label, input)")]
  .filter((e) => !e.closest(".visually-hidden, .menu-body, p, li > .num"))
  .filter((e) => !e.matches("input[type=checkbox], input[type=hidden], .label"))
  .filter((e) => { const r = e.getBoundingClientRect(); return r.width && (r.height < 43.5 || r.width < 24); })
  .map((e) => e.outerHTML.slice(0, 90))"""


def test_whatever_is_hit_on_the_course_screen_is_large_enough_for_a_finger(
    browser: Browser, world: World, base: str
) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses/{world.cast.courses['dora']}?open=2")
    assert page.evaluate(SMALL) == []
    context.close()


def test_the_page_of_a_link_prints_what_there_is(page: Page, world: World, base: str) -> None:
    be(page, world, base, "receptionist")
    page.goto(f"{base}/patients/{world.cast.patients['eve']}/share")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="Link, messages and texts")).to_be_visible()
    expect(page.get_by_text("No links yet")).to_be_visible()
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Make a link").click()
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="Link, messages and texts")).to_be_hidden()
    expect(page.get_by_role("heading", name="Your visits on your phone")).to_be_visible()


def test_on_paper_words_have_the_room_of_the_buttons(page: Page, world: World, base: str) -> None:
    page.set_viewport_size({"width": 700, "height": 1000})
    page.emulate_media(media="print")
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses")
    expect(page.locator("td.actions").first).to_be_hidden()
    note = page.get_by_text("asks her sister").bounding_box()
    be(page, world, base, "manager")
    page.goto(f"{base}/settings/providers/{world.cast.clinic.md}/hours")
    day = page.locator(".hours-table select").first.bounding_box()
    assert note is not None and day is not None
    assert (note["width"] > 60, note["height"] < 45, day["width"] > 70) == (True, True, True)


MARKS = """() => [...document.querySelectorAll("details:not(.menu):not(.greyed) > summary")].map((summary) => {
  const mark = getComputedStyle(summary, "::before");
  const native = getComputedStyle(summary).display === "list-item";
  return [mark.content, mark.borderRightWidth, native, /[▾▴▸+]/.test(summary.textContent)].join(" ");
})"""


def test_whatever_unfolds_bears_one_mark(page: Page, world: World, base: str) -> None:
    marks: dict[str, list[str]] = {}
    for role, path in (*main_pages(world.cast), ("manager", "/styleguide")):
        be(page, world, base, role)
        page.goto(base + path)
        marks[path] = page.evaluate(MARKS)
    assert len([mark for found in marks.values() for mark in found]) > 9
    assert {mark for found in marks.values() for mark in found} == {'"" 2px false false'}


def test_refusals_are_accessible_and_lead_on(
    page: Page, world: World, base: str, console_errors: Console
) -> None:
    console_errors.expect("status of 4(03|04|22)")
    be(page, world, base, "receptionist")
    found = wrong(page, base, ["/nothing", "/settings/", "/p/nothing", "/visits"])
    page.goto(f"{base}/patients/new")
    page.get_by_role("button", name="Save and book consult").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    found["typed"] = barriers(page)
    assert found == {
        "/nothing": ["answers 404"],
        "/settings/": ["answers 403"],
        "/p/nothing": ["answers 404"],
        "/visits": ["answers 404"],
        "typed": [],
    }


def test_a_refused_plan_leads_to_the_session_that_is_in_the_way(
    page: Page, world: World, base: str, console_errors: Console
) -> None:
    console_errors.expect("status of 409")
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses/{world.cast.courses['dora']}")
    page.locator("article", has_text="Soonest").get_by_role("button").click()
    expect(page.locator("#session-2 .callout-warn")).to_be_visible()
    page.locator("button[name=do][value=book]").click()
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    assert barriers(page) == []
    summary.get_by_role("link", name="Session 2").click()
    expect(page.locator("#session-2 .callout-warn")).to_be_in_viewport()


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_the_main_journey_needs_no_script(page: Page, world: World, base: str) -> None:
    be(page, world, base, "receptionist")
    page.goto(f"{base}/patients/new")
    page.get_by_label("Given name").fill("Lucía")
    page.get_by_label("Family name").fill("Quintero")
    page.get_by_label("Phone").fill("305 555 0177")
    page.get_by_label("Birth date").fill("4/9/1988")
    page.get_by_role("button", name="Save and book consult").click()
    page.locator(".slot").first.click()
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_text("Booked.")).to_be_visible()

    page.get_by_role("link", name="Patient", exact=True).click()
    page.get_by_role("link", name="New course").click()
    page.get_by_label("3 × 2 weeks").check()
    page.get_by_role("button", name="Start the course").click()
    page.get_by_role("button", name="Other times session 2").click()
    page.locator("#session-2 .slot").first.click()
    page.get_by_label("Mon", exact=True).check()
    page.get_by_role("button", name="Propose again").click()
    page.get_by_label("Book all the same").check()
    page.get_by_role("button", name="Reserve").click()
    expect(page.get_by_text("3 sessions reserved.")).to_be_visible()


@pytest.mark.parametrize(
    "has_script",
    [
        pytest.param(True, id="with scripts"),
        pytest.param(
            False,
            id="without",
            marks=pytest.mark.browser_context_args(java_script_enabled=False),
        ),
    ],
)
def test_a_patient_finds_the_way_on_a_phone(
    page: Page, world: World, base: str, console_errors: Console, has_script: bool
) -> None:
    console_errors.expect("status of 4(04|22)")
    page.set_viewport_size(PHONE)
    page.goto(f"{base}/p/{worlds.PAGE_TOKEN}")
    assert page.url == f"{base}/visits"
    page.get_by_label("No, nothing").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Your answer is with us.")).to_be_visible()
    page.locator("summary", has_text="16 March").click()
    page.get_by_role("button", name="I will come Tuesday 16 March").click()
    expect(page.get_by_text("Thank you: you are expected.")).to_be_visible()
    page.get_by_role("link", name="I have a flight").click()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Please give a date.").first).to_be_visible()
    if has_script:
        assert barriers(page) == []
    page.get_by_label("Day of the flight").fill("2027-03-12")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("We have noted the flight")).to_be_visible()
    expect(page.get_by_text("Fri 12 Mar 2027")).to_be_visible()
    page.get_by_role("link", name="My health has changed").click()
    page.get_by_label("What has changed?").fill("A new medicine")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Your provider will read this.").first).to_be_visible()
    if has_script:
        assert barriers(page) == []
    page.get_by_role("button", name="Close this page").click()
    page.goto(f"{base}/visits")
    expect(page.get_by_role("heading", name="Please open your link again")).to_be_visible()


def test_the_patients_sheet_fits_on_one_page(page: Page, world: World, base: str) -> None:
    with world.app.app_context(), Session(db.engine) as session:
        for code, (text, _spanish) in seed.TEXTS.items():
            session.add(ClinicText(code=code, language="en", text=text, is_placeholder=False))
        session.commit()
    be(page, world, base, worlds.PATIENT)
    page.goto(f"{base}/visits/sheet")
    printed = page.pdf(format="Letter", prefer_css_page_size=True)
    assert printed.count(b"/Type /Page\n") == 1
    assert "Replaces every earlier sheet." in page.content()
    assert "Why the stockings" in page.content()
    be(page, world, base, "receptionist")
    page.goto(f"{base}/patients/{world.cast.patients['ana']}/sheet")
    assert page.pdf(format="Letter", prefer_css_page_size=True).count(b"/Type /Page\n") == 1


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_enter_in_a_field_of_the_course_screen_books_nothing_and_keeps_the_plan(
    page: Page, world: World, base: str, console_errors: Console
) -> None:
    console_errors.expect("status of 422")
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses/{world.cast.courses['dora']}?open=2")
    chosen = page.locator("#session-2 .slots .slot:not([aria-pressed=true])").first
    chosen.click()
    dates = page.locator(".step-when > :first-child")
    expect(page.locator("#session-2 .was")).to_be_visible()
    planned = dates.all_inner_texts()
    page.get_by_role("button", name="Other times session 2").click()
    page.get_by_label("Look at a day").press("Enter")
    expect(page.locator("#session-2 .look")).to_be_visible()
    assert dates.all_inner_texts() == planned
    page.get_by_label("Earliest start").fill("2027-03-03")
    page.get_by_label("Earliest start").press("Enter")
    expect(dates.first).to_have_text("Wed 3 Mar 2027")
    page.locator("summary", has_text="Hold").click()
    page.get_by_label("Call-back note").fill("after six")
    page.get_by_label("Call-back note").press("Enter")
    expect(page.get_by_text("Choose what to do.")).to_be_visible()
    assert page.get_by_label("Call-back note").input_value() == "after six"


def test_wishes_are_answered_in_place_for_whoever_uses_the_keyboard(
    page: Page, world: World, base: str
) -> None:
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses/{world.cast.courses['dora']}")
    page.evaluate("window.isSamePage = true")
    page.get_by_label("Tue").press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("weekday=1&weekday=3"))
    expect(page.get_by_label("Thu")).to_be_focused()
    expect(page.locator("#said")).to_have_text(re.compile(r"proposals?\. Course ends \w{3} \d"))
    second = page.locator("#session-2 .step-when > :first-child")
    planned = second.inner_text()
    page.locator("#open-2").press("Enter")
    expect(page.locator("#times-2")).to_be_focused()
    page.locator("#session-2 .slots .slot").first.press("Enter")
    expect(page.locator("#open-2")).to_be_focused()
    expect(second).not_to_have_text(planned)
    assert page.evaluate("window.isSamePage && scrollY > 0")
    page.evaluate("history.go(-2)")
    expect(second).to_have_text(planned)
    expect(page.locator("input[name=weekday]:checked")).to_have_count(2)


def test_a_tick_for_one_plan_is_none_for_the_next(page: Page, world: World, base: str) -> None:
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses/{world.cast.courses['dora']}")
    page.get_by_role("button", name="Choose").first.click()
    tick = page.get_by_label("Book all the same")
    tick.check(force=True)
    planned = page.locator("#session-3 .step-when > :first-child").inner_text()
    page.locator("#later-3").click()
    expect(page.locator("#session-3 .step-when")).to_contain_text(f"was {planned}")
    expect(tick).not_to_be_checked()


def test_a_date_is_typed_before_it_is_asked_about(page: Page, world: World, base: str) -> None:
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses/{world.cast.courses['dora']}")
    first, last = page.get_by_label("Earliest start"), page.get_by_label("Finished by")
    first.focus()
    page.keyboard.type("03102027")
    while "not_before" in page.evaluate("document.activeElement.id"):
        page.keyboard.press("Tab")
    page.keyboard.type("06302027")
    assert (first.input_value(), last.input_value()) == ("2027-03-10", "2027-06-30")
    page.get_by_label("Time of day").focus()
    expect(page).to_have_url(re.compile("not_before=2027-03-10&not_after=2027-06-30"))
    expect(page.locator(".has-error")).to_have_count(0)
    expect(page.locator(".step-when > :first-child").first).to_have_text("Wed 10 Mar 2027")


def test_an_answer_waits_for_a_date_that_is_being_typed(
    page: Page, world: World, base: str
) -> None:
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses/{world.cast.courses['dora']}")
    page.get_by_label("Tue").press("Space")
    last = page.get_by_label("Finished by")
    last.focus()
    page.keyboard.type("06302027", delay=60)
    assert last.input_value() == "2027-06-30"
    page.get_by_label("Time of day").focus()
    expect(page).to_have_url(re.compile("weekday=1.*not_after=2027-06-30"))


def test_a_course_that_cannot_be_reached_is_asked_for_as_a_page(
    page: Page, world: World, base: str, console_errors: Console
) -> None:
    console_errors.expect("status of 503")
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses/{world.cast.courses['dora']}")
    page.route("**/courses/*?*", lambda route: route.fulfill(status=503, body="Back in a minute."))
    page.get_by_label("Tue").press("Space")
    expect(page.get_by_text("Back in a minute.")).to_be_visible()


def test_enter_in_the_note_for_calling_back_holds(page: Page, world: World, base: str) -> None:
    be(page, world, base, "receptionist")
    page.goto(f"{base}/courses/{world.cast.courses['dora']}")
    page.locator("summary", has_text="Hold").click()
    page.get_by_label("Call-back note").press("Enter")
    expect(page.get_by_text("held", exact=False).first).to_be_visible()
