"""What hostile requests have found, one by one."""

from __future__ import annotations

import pytest
from flask_babel import lazy_gettext
from jinja2 import Environment

from tests.hostile import judge
from tests.hostile.values import ELEMENT
from tests.hostile.world import World
from tests.support import databases

MANY_DIGITS = "9" * 5_000


def test_a_sentence_that_repeats_what_was_typed_is_no_markup(sqlite_world: World) -> None:
    with sqlite_world.app.test_request_context():
        said = lazy_gettext("“%(typed)s” is not a date.", typed=f"<{ELEMENT}>")
        shown = Environment(autoescape=True).from_string("{{ said }}").render(said=said)
    assert shown == f"“&lt;{ELEMENT}&gt;” is not a date."


@databases.sqlite_only
@pytest.mark.parametrize("form", ["dates", "consents"])
def test_a_day_of_spaces_is_a_day_that_is_missing(world: World, form: str) -> None:
    page = f"/patients/{world.cast.patients['ana']}"
    blank = {"from_date": " ", "signed_on": " ", "kind": "flight", "text_version": "2"}
    answer = world.post("receptionist", page, f"{page}/{form}", blank)
    assert (answer.status_code, "Please give a date." in answer.text) == (422, True)


@databases.sqlite_only
@pytest.mark.parametrize(
    "query",
    [
        f"site={MANY_DIGITS}",
        f"provider={MANY_DIGITS}",
        f"weekday={MANY_DIGITS}",
        f"pin=001{MANY_DIGITS}",
        f"choose=order|001{MANY_DIGITS}=1.2.4.20270324T1300Z",
        "s1=1.1.1.00010101T0000Z",
        "session-1=1.1.1.99991231T2359Z",
        "choose=order|1=1.1.1.99991231T2359Z",
    ],
)
def test_a_plan_that_nobody_can_have_made_is_no_plan(world: World, query: str) -> None:
    answer = world.ask("provider", f"/courses/{world.cast.courses['dora']}?{query}")
    assert (answer.status_code, list(judge.wrong_anywhere(answer))) == (200, [])


@databases.sqlite_only
@pytest.mark.parametrize("decided_by", [MANY_DIGITS, "9" * 25, "²", "-1"])
def test_a_decision_of_nobody_books_nothing(world: World, decided_by: str) -> None:
    page = f"/courses/{world.cast.courses['dora']}"
    typed = {
        "do": "book", "version": "1", "decide": "gap.below_floor", "decision_reason": "because",
        "s1": "1.1.2.20270301T1500Z", "s2": "1.1.2.20270303T1500Z", "decided_by": decided_by,
    }  # fmt: skip
    answer = world.post("receptionist", page, f"{page}/book", typed)
    assert (answer.status_code, list(judge.wrong_anywhere(answer))) == (409, [])


@databases.sqlite_only
@pytest.mark.parametrize(
    ("form", "field"), [("status", "reason"), ("package", "package"), ("book", "call_back_note")]
)
def test_what_was_typed_for_a_course_that_has_changed_meanwhile_is_kept(
    world: World, form: str, field: str
) -> None:
    page = f"/courses/{world.cast.courses['ana' if form != 'book' else 'dora']}"
    typed = {
        "do": "pause" if form == "status" else "hold", "version": "77",
        "s1": "1.1.2.20270301T1500Z", field: "a line typed slowly",
    }  # fmt: skip
    answer = world.post("manager", page, f"{page}/{form}", typed)
    assert (answer.status_code, 'value="a line typed slowly"' in answer.text) == (409, True)
