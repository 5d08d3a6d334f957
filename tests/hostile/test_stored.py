"""What was let in stays harmless: wherever a stored text appears, it is a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile import crawl, finds, judge, plan, values
from tests.hostile.pages import UNTYPED, Form
from tests.hostile.plan import Found
from tests.hostile.world import PATIENT, World
from tests.support import databases

FORBIDDEN_IN_LINES = re.compile(r"^(X-PROBE|Set-Cookie)", re.MULTILINE)


@databases.sqlite_only
@pytest.mark.parametrize(
    "text", [values.SHORT_MARKUP, pytest.param(values.SHORT_LINES, marks=pytest.mark.long)]
)
def test_a_stored_text_is_a_text_on_every_page_and_file(
    world: World, run_folder: Path, text: str
) -> None:
    stored = _poison(world, finds.forms(run_folder, world), text)
    answers = [
        visit for role in ("manager", "provider", PATIENT) for visit in crawl.walk(world, role)
    ]
    faults = {
        f"{visit.path}: {fault}"
        for visit in answers
        for fault in (*judge.wrong_anywhere(visit.answer), *_lines(visit.answer.text, visit.path))
    }
    shown = sum("PROBE" in visit.answer.text.upper() for visit in answers)
    assert (faults, stored > 10, shown > 10) == (set(), True, True)


def _poison(world: World, found: Found, text: str) -> int:
    """Type the text into every field that takes it, one after the other; count what was taken."""
    taken = 0
    for (endpoint, method, _shape), (role, form) in sorted(found.items(), key=lambda item: item[0]):
        if method != "POST" or endpoint in ("auth.sign_out", "auth.change_password", "auth.enter"):
            continue
        for name in _typed(form):
            taken += _typed_into(world, role, form, name, text)
    return taken


def _typed_into(world: World, role: str, form: Form, name: str, text: str) -> bool:
    fresh = _fresh(world, role, form)
    if fresh is None:
        return False
    pairs = [(field, text if field == name else value) for field, value in plan.meant(fresh)]
    answer = world.ask(role, fresh.action, method="POST", data=_grouped(pairs))
    return answer.status_code in (302, 303)


def _fresh(world: World, role: str, form: Form) -> Form | None:
    """Return the form as it stands now: its row may have another version since."""
    page = crawl.open_page(world, role, form.page).page
    return next(
        (one for one in page.forms if (one.action, one.shape) == (form.action, form.shape)), None
    )


def _typed(form: Form) -> Iterator[str]:
    for field in form.fields:
        if field.kind not in (*UNTYPED, "date", "time", "number", "query", "color"):
            yield field.name


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _lines(text: str, path: str) -> Iterator[str]:
    if path.partition("?")[0].endswith(".ics") and FORBIDDEN_IN_LINES.search(text):
        yield "a value has begun a line of its own"
