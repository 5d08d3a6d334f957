"""What all forms have in common, and what is kept of one that could not be taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import SelectField, StringField

from planner.web import context, kept
from planner.web.forms import IdempotencyField, PlannerForm, VersionField

Typed = Callable[..., "Sample"]


class Sample(PlannerForm):
    """A form with one field of each common kind."""

    version = VersionField()
    idempotency_key = IdempotencyField()
    name = StringField("Name")
    kind = SelectField("Kind", choices=[("a", "A"), ("b", "B")])


@pytest.fixture
def typed(app: Flask) -> Iterator[Typed]:
    """Send fields to a form: ``typed(name="Ana")``."""
    with app.test_request_context(method="POST"):
        yield lambda **fields: Sample(MultiDict(fields), meta={"csrf": False})


def test_spaces_around_a_text_are_not_part_of_it(typed: Typed) -> None:
    assert typed(name="  Ana María \n").name.data == "Ana María"


@pytest.mark.parametrize(
    "name", ["Zoë", "José Ñandú", "محمد", "李小龍", "👩🏽‍⚕️ Ana", "O’Hara-Smith", "a\u200fb", ""]
)
def test_any_name_can_be_typed(typed: Typed, name: str) -> None:
    form = typed(name=name, kind="a")
    assert (form.validate(), form.name.data) == (True, name)


@pytest.mark.parametrize("letter", ["\x00", "\x07", "\x1b", "\x7f", "\ud800", "\ue000", "\ufffe"])
def test_what_cannot_be_printed_is_refused_beside_its_field(typed: Typed, letter: str) -> None:
    form = typed(name=f"A{letter}na", kind="a")
    assert (form.validate(), [str(message) for message in form.name.errors]) == (
        False, ["This contains a character that cannot be printed."],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "version"),
    [("7", 7), ("", 0), ("x", 0), ("-1", 0), ("1.5", 0), ("9" * 30, 0), ("٣", 0), ("7 ", 0)],
)
def test_a_version_that_is_none_is_one_that_no_row_has(
    typed: Typed, text: str, version: int
) -> None:
    assert typed(version=text).version.data == version


def test_a_key_is_made_for_a_new_form_and_kept_when_it_comes_back(typed: Typed) -> None:
    fresh = [Sample(None, meta={"csrf": False}).idempotency_key.data for _ in range(2)]
    assert (len(set(fresh)), min(len(str(key)) for key in fresh)) == (2, 24)
    assert typed(idempotency_key=fresh[0]).idempotency_key.data == fresh[0]


def test_the_body_behind_a_key_is_the_form_without_key_and_token(app: Flask) -> None:
    fields = MultiDict(
        [("idempotency_key", "k"), ("csrf_token", "t"), ("b", "2"), ("a", "1"), ("a", "3")]
    )
    with app.test_request_context("/appointments/x/move", method="POST"):
        found = context.idempotency(fields)
    assert found is not None
    assert (found.key, found.body) == (
        "k", {"path": "/appointments/x/move", "a": ["1", "3"], "b": ["2"]},
    )  # fmt: skip


def test_a_form_without_a_key_has_none(app: Flask) -> None:
    with app.test_request_context(method="POST"):
        assert context.idempotency(MultiDict()) is None


def test_a_kept_form_comes_back_as_it_was_without_token_and_passwords(app: Flask) -> None:
    fields = {
        "csrf_token": "t",
        "password": "p",
        "new_password": "p",
        "name": "“Zoë” <b>",
        "zone": ["l", "r"],
    }
    with app.test_request_context("/patients/new?from=day", method="POST", data=fields):
        found = kept.typed()
    assert found == kept.Kept(
        path="/patients/new?from=day",
        fields=(("name", "“Zoë” <b>"), ("zone", "l"), ("zone", "r")),
    )
    assert kept.unpacked(found.packed()) == found


def test_a_form_with_nothing_in_it_is_not_kept(app: Flask) -> None:
    with app.test_request_context(method="POST", data={"csrf_token": "t"}):
        assert kept.typed() is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "7",
        "{}",
        '{"path": "/", "fields": []}',
        '{"path": "/", "fields": [["a"]]}',
        "[" * 5_000,
        "x" * 300_000,
    ],
)
def test_what_was_never_kept_is_nothing(text: str) -> None:
    assert kept.unpacked(text) is None


def test_one_instant_and_one_id_hold_for_a_whole_request(app: Flask) -> None:
    with app.test_request_context():
        assert (context.now(), context.request_id()) == (context.now(), context.request_id())
