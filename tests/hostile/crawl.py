"""Going wherever the pages lead, as a search engine, a mail scanner or a prefetching browser does."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from tests.hostile import pages
from tests.hostile.pages import Page
from tests.hostile.world import OTHER_TOKEN, PAGE_TOKEN, PATIENT, World

STARTS = ("/", "/sign-in", "/styleguide", "/here-now", f"/p/{OTHER_TOKEN}")
"""Where a walk begins; the rest is found by links and by searching."""

OWN_STARTS = ("/visits", "/visits/sheet", "/visits/care", f"/p/{PAGE_TOKEN}")
"""Where the walk of whoever holds a patient's link begins."""

SOUGHT = "lopez"

ALIKE = 4  # pages of one endpoint, asked in one way, that are looked at
QUIET = ("/static/", "/clinic.css")


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that was opened on the way, and how it answered."""

    path: str
    endpoint: str
    answer: TestResponse
    page: Page


def walk(world: World, role: str, *, alike: int = ALIKE) -> Iterator[Visit]:
    """Open everything that leads on from the first pages, breadth first."""
    starts = list(OWN_STARTS) if role == PATIENT else [*STARTS, *_pages_of(world)]
    waiting, seen, count = deque(starts), set(starts), Counter[tuple[str, ...]]()
    while waiting:
        path = waiting.popleft()
        kind = _kind(world, path)
        is_enough = count[kind] >= alike and path not in starts
        if path.startswith(QUIET) or not kind or is_enough:
            continue
        count[kind] += 1
        visit = open_page(world, role, path)
        yield visit
        for link in (*visit.page.links, *_searches(visit.page), *_onward(visit.answer)):
            if link not in seen:
                seen.add(link)
                waiting.append(link)


def open_page(world: World, role: str, path: str) -> Visit:
    """Open one page."""
    answer = world.ask(role, path)
    is_html = (answer.content_type or "").startswith("text/html")
    return Visit(
        path, endpoint(world, path), answer, pages.read(answer.text if is_html else "", path)
    )


def endpoint(world: World, path: str, method: str = "GET") -> str:
    """Return the endpoint that a path leads to; empty for none."""
    adapter = world.app.url_map.bind("localhost")
    try:
        return str(adapter.match(urlsplit(path).path, method=method)[0])
    except HTTPException:
        return ""


def _pages_of(world: World) -> list[str]:
    cast = world.cast
    return [
        *(f"/appointments/{key}" for key in cast.appointments.values()),
        *(f"/patients/{key}" for key in cast.patients.values()),
        *(f"/courses/{key}" for key in cast.courses.values()),
        f"/settings/rooms/{cast.ids['retired room']}",
    ]


def _kind(world: World, path: str) -> tuple[str, ...]:
    found = endpoint(world, path)
    names = sorted({name for name, _value in parse_qsl(urlsplit(path).query)})
    return (found, *names) if found else ()


def _searches(page: Page) -> list[str]:
    boxes = [form for form in page.forms if form.method == "GET" and form.typed("q")]
    return [f"{form.path}?q={SOUGHT}" for form in boxes]


def _onward(answer: TestResponse) -> list[str]:
    return [answer.location] if answer.location and answer.location.startswith("/") else []
