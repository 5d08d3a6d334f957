"""What hostile requests have found, one by one."""

from __future__ import annotations

import pytest
from flask_babel import lazy_gettext
from jinja2 import Environment

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
