"""Sending one hostile request, and everything its answer must not be."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape

from werkzeug.test import TestResponse

from planner.web import security
from tests.hostile import pages
from tests.hostile.pages import UNTYPED, Form
from tests.hostile.plan import Case
from tests.hostile.values import ATTRIBUTE, ELEMENT, SUM_DONE, VALUES
from tests.hostile.world import World

SLOW = 3.0  # seconds; generous, because other tests run beside it
LONGEST = len(VALUES["ten thousand letters"])
FORM = "application/x-www-form-urlencoded"
TRACES = re.compile(
    r"Traceback|sqlalchemy|sqlite3|psycopg|OperationalError|IntegrityError|DataError|ProgrammingError|"
    r"jinja2|werkzeug|wtforms\.|ValueError|KeyError|TypeError|AttributeError|site-packages|<object at 0x|"
    r"syntax error|near &#34;|lazy_gettext|LazyString|&lt;planner\."
)
SCHEME = "javascript:"
UNSEEN = re.compile(r"[\x00-\x20]")
"""What a browser overlooks within the scheme of an address."""

TELLING = (ELEMENT, ATTRIBUTE, SCHEME)
"""Without one of these in it a page is not worth taking apart, which takes as long as to make it."""

EXPECTED = {200, 302, 304, 400, 401, 403, 404, 405, 409, 413, 422, 429}


def send(world: World, case: Case) -> TestResponse:
    """Send a case as its browser would."""
    if case.form.method == "GET":
        return world.ask(case.role, f"{case.form.path}?{case.body.decode()}")
    return world.ask(
        case.role, case.form.action, method="POST", data=case.body, content_type=FORM
    )  # fmt: skip


def tried(world: World, case: Case) -> tuple[int, list[str]]:
    """Send a case and return how it was answered, and all that is wrong with the answer."""
    # Of the processor, not of the clock: what else the machine does is not the page's fault.
    start = time.thread_time()
    answer = send(world, case)
    seconds = time.thread_time() - start
    found = [f"{case}: {text}" for text in faults(case, answer)]
    if seconds > SLOW:
        found.append(f"{case}: took {seconds:.1f} s")
    if case.form.method != "GET" and (
        answer.status_code < 400 or case.endpoint.startswith("auth.")
    ):
        world.restore()
    return answer.status_code, found


def faults(case: Case, answer: TestResponse) -> Iterator[str]:
    """Yield what is wrong with an answer."""
    yield from wrong_anywhere(answer)
    is_taken = case.form.method == "POST" and answer.status_code < 400
    if is_taken and len(case.value) == LONGEST and case.field in _typed(case.form):
        yield f"took {LONGEST} letters"
    is_html = (answer.content_type or "").startswith("text/html")
    if is_html and answer.status_code in (409, 422):
        yield from _lost(case, answer)


def wrong_anywhere(answer: TestResponse) -> Iterator[str]:
    """Yield what no answer to anybody may be."""
    if answer.status_code not in EXPECTED:
        yield f"answered with {answer.status_code}"
    if answer.headers.get("Content-Security-Policy") != security.CSP:
        yield "has no content security policy"
    if any(name.lower() == "x-probe" for name, _value in answer.headers):
        yield "has a header that a value wrote"
    if any("probe" in cookie for cookie in answer.headers.getlist("Set-Cookie")):
        yield "sets a cookie that a value wrote"
    if answer.location and not re.match(r"/(?![/\\])", answer.location):
        yield f"leads elsewhere: {answer.location[:80]}"
    yield from wrong_text(answer)


def wrong_text(answer: TestResponse) -> Iterator[str]:
    """Yield what no text of an answer may hold."""
    kind = (answer.content_type or "").partition(";")[0]
    text = answer.text
    if trace := TRACES.search(text):
        yield f"shows a trace: {text[max(0, trace.start() - 60) : trace.end() + 60]!r}"
    if SUM_DONE in text:
        yield "has worked out a template"
    if kind == "text/calendar" and re.search(r"^X-PROBE", text, re.MULTILINE):
        yield "has a calendar line that a value wrote"
    if kind == "text/html":
        yield from wrong_markup(text)


def wrong_markup(html: str) -> Iterator[str]:
    """Yield what no page may be made to hold."""
    bare = _bare(unescape(html))
    if not any(telling in bare for telling in TELLING):
        return
    page = pages.read(html, "/")
    if ELEMENT in page.tags or ATTRIBUTE in page.attributes:
        yield "holds markup that a value wrote"
    if any(_bare(address).startswith(SCHEME) for address in page.addresses):
        yield "holds a link that runs a script"


def _lost(case: Case, answer: TestResponse) -> Iterator[str]:
    shown = _again(case.form, answer)
    typed = _typed(case.form)
    sent = [(name, value) for name, value in case.pairs if name in typed and value.strip()]
    if shown is None:
        # Where nobody can type, as in the start that was chosen, a spoilt value may end the form.
        if sent and case.field in typed:
            yield f"answered {answer.status_code} without the form, which lost {sent[0][0]}"
        return
    for name, value in sent:
        if _plain(value) not in {_plain(one.value) for one in shown.fields if one.name == name}:
            yield f"answered {answer.status_code} and lost what was typed into {name}"


def _again(form: Form, answer: TestResponse) -> Form | None:
    """Return the same form in the answer."""
    names = _typed(form)
    candidates = [
        one
        for one in pages.read(answer.text, form.action).forms
        if one.path == form.path and one.method == form.method
    ]
    return next((one for one in candidates if names <= {each.name for each in one.fields}), None)


def _typed(form: Form) -> set[str]:
    return {one.name for one in form.fields if one.kind not in UNTYPED}


def _bare(text: str) -> str:
    return UNSEEN.sub("", text).lower()


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\0", "")).strip()
