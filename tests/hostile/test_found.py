"""What hostile requests have found, one by one."""

from __future__ import annotations

from flask_babel import lazy_gettext
from jinja2 import Environment

from tests.hostile.values import ELEMENT
from tests.hostile.world import World

MANY_DIGITS = "9" * 5_000


def test_a_sentence_that_repeats_what_was_typed_is_no_markup(sqlite_world: World) -> None:
    with sqlite_world.app.test_request_context():
        said = lazy_gettext("“%(typed)s” is not a date.", typed=f"<{ELEMENT}>")
        shown = Environment(autoescape=True).from_string("{{ said }}").render(said=said)
    assert shown == f"“&lt;{ELEMENT}&gt;” is not a date."
