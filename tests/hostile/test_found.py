"""What hostile requests have found, one by one."""

from __future__ import annotations

import pytest
from flask_babel import lazy_gettext
from jinja2 import Environment

from tests.hostile import crawl, judge
from tests.hostile.values import ATTRIBUTE, ELEMENT, SHORT_MARKUP
from tests.hostile.world import World
from tests.support import databases

MANY_DIGITS = "9" * 5_000


@pytest.mark.parametrize(
    ("html", "faults"),
    [
        (f"<p>&lt;{ELEMENT}&gt; javascript:alert(1)</p>", []),
        ('<input name="a" value="javascript:alert(1)//">', []),
        (f"<p>{SHORT_MARKUP}</p>", ["holds markup that a value wrote"]),
        (f"<input value='' {ATTRIBUTE.upper()}='alert(1)'>", ["holds markup that a value wrote"]),
        ('<a href=" Java&#9;script:alert(1)">', ["holds a link that runs a script"]),
        ('<form action="javascript:alert(1)">', ["holds a link that runs a script"]),
    ],
)
def test_the_judge_knows_markup_from_a_text_that_looks_like_it(
    html: str, faults: list[str]
) -> None:
    assert list(judge.wrong_markup(html)) == faults


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


@databases.sqlite_only
@pytest.mark.parametrize(("field", "longest"), [("call_back_note", 300), ("decision_reason", 500)])
def test_a_note_is_kept_whole_or_refused_never_cut(world: World, field: str, longest: int) -> None:
    page = f"/patients/{world.cast.patients['eve']}/book"
    pick = f"1.{world.cast.clinic.md}.1.20270308T1500Z"
    typed = {
        "pick": pick,
        "service": "1",
        "minutes": "30",
        "do": "hold",
        field: "x" * (longest + 1),
    }
    answer = world.post("manager", f"{page}?service=1", page, typed)
    kept = "x" * (longest + 1) in answer.text or field == "decision_reason"
    assert (answer.status_code, kept) == (422, True)


@databases.sqlite_only
def test_a_page_that_gives_a_form_back_gives_no_password_back(world: World) -> None:
    typed = {"old": "old secret", "new": "new secret", "again": "new secret", "x": "a\0b"}
    answer = world.post("manager", "/account", "/account", typed)
    assert (answer.status_code, "secret" in answer.text) == (422, False)


@databases.sqlite_only
def test_the_other_file_of_a_person_can_be_chosen(world: World) -> None:
    """No link led to where two files are made one: what nobody reaches, nobody tries."""
    ana, eve = (world.cast.patients[name] for name in ("ana", "eve"))
    page = crawl.open_page(world, "receptionist", f"/patients/{ana}/merge?q=lopez").page
    assert f"/patients/{ana}/merge?other={eve}" in page.links
