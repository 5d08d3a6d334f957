"""Every form and query of the application × every hostile value: what is to be sent."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, quote_plus, urlsplit

import planner.web
from tests import factories
from tests.hostile import crawl, pages
from tests.hostile.pages import Field, Form
from tests.hostile.values import RAW, UNKNOWN, VALUES
from tests.hostile.world import PAGE_TOKEN, PATIENT, World

Key = tuple[str, str, tuple[str, ...]]
Found = dict[Key, tuple[str, Form]]
"""Forms by endpoint, method and the names of their fields, each with who found it first."""

WALKED: Mapping[str, int] = {"manager": 3, "provider": 1, "receptionist": 1, "": 1, PATIENT: 3}
"""As whom pages are walked, and how many of a kind each looks at."""

UNTRIED = ("/styleguide",)
UNFUZZED = ("csrf_token",)
ALIKE = 2  # fields of one shape in one form that are tried
PLAUSIBLE_KINDS: Mapping[str, str] = {
    "date": "2027-06-01",
    "number": "30",
    "email": "someone@example.com",
    "password": "seven green umbrellas at noon",
    "search": crawl.SOUGHT,
}
PLAUSIBLE: Mapping[str, str] = {
    "old": factories.PASSWORD,
    "code": "NEW1",
    "colour": "#0f766e",
    "phone": "(305) 555-0199",
    "birth_date": "3/31/1985",
    "from_date": "6/1/2027",
    "stay_from": "6/1/2027",
    "stay_until": "9/1/2027",
    "starts": "09:00",
    "ends": "17:00",
    "at": "2:30 PM",
    "position": "0",
    "count": "3",
    "email": "someone@example.com",
    "retired_from": "2027-09-01",
}
LEFT = re.compile(
    r"^rows-|^until_date$|^minutes_choices$|^not_(before|after|until)$|^on$|_on$|^part$|_mm$"
)
"""Names of fields that say nothing sound when something is typed into them, or only with others."""

READ = re.compile(r"""(?:\.get(?:list)?\(|values, |_number\(|number\()["'](\w+)["']""")


@dataclass(frozen=True, slots=True)
class Case:
    """One request: a form as somebody would send it, with one field spoilt."""

    role: str
    endpoint: str
    form: Form
    pairs: tuple[tuple[str, str], ...]
    field: str
    what: str
    raw: bytes = b""

    @property
    def body(self) -> bytes:
        """Return it encoded; ``raw`` is put in as it is."""
        sound = b"&".join(_encoded(name) + b"=" + _encoded(value) for name, value in self.pairs)
        return sound + (b"&" + _encoded(self.field) + b"=" + self.raw if self.raw else b"")

    @property
    def value(self) -> str:
        """Return what was typed into the spoilt field."""
        return dict(self.pairs).get(self.field, "")

    def __str__(self) -> str:
        return f"{self.role or 'nobody'} {self.form.method} {self.form.action}: {self.field} = {self.what}"


def forms(world: World) -> Found:
    """Return every form that somebody finds, once a shape, with who found it first."""
    found: Found = {}
    for role, alike in WALKED.items():
        for visit in crawl.walk(world, role, alike=alike):
            if visit.path.startswith(UNTRIED) or visit.answer.status_code != 200:
                continue
            for form in visit.page.forms:
                endpoint = crawl.endpoint(world, form.path, form.method)
                found.setdefault((endpoint, form.method, form.shape), (role, form))
            if not visit.endpoint.startswith("calendar."):
                for key, form in _asked(visit.path, visit.endpoint):
                    found.setdefault(key, (role, form))
    return found


def cases(world: World, found: Found) -> Iterator[Case]:
    """Yield everything that can be sent, in an order that is always the same."""
    foreign = _foreign(world)
    for (endpoint, _method, _shape), (role, form) in sorted(found.items(), key=_order):
        yield from _of_form(Case(role, endpoint, form, (), "", "as meant"), foreign)


def sample(all_cases: list[Case], size: int, *, seed: int = 20270301) -> list[Case]:
    """Return what every form is sent as meant, and a seeded choice among the rest."""
    meant = [case for case in all_cases if not case.field]
    rest = [case for case in all_cases if case.field]
    chosen = random.Random(seed).sample(rest, max(0, min(len(rest), size - len(meant))))
    return [*meant, *chosen]


def read_names() -> frozenset[str]:
    """Return every name of a field or query that the pages' own code reads by itself."""
    folder = Path(planner.web.__file__).parent
    return frozenset(
        name for file in folder.rglob("*.py") for name in READ.findall(file.read_text())
    )


def meant(form: Form) -> list[tuple[str, str]]:
    """Return what a friendly browser sends: what stands there, and something sound where nothing does."""
    pairs: list[tuple[str, str]] = []
    radios = {one.name for one in form.fields if one.kind == "radio" and one.is_set}
    for one in form.fields:
        if one.kind == "radio" and one.name not in radios:
            radios.add(one.name)
            pairs.append((one.name, one.value))
        elif one.is_set:
            pairs.append((one.name, one.value or _plausible(one)))
    button = next((pair for pair in form.buttons if pair[0]), None)
    return [*pairs, button] if button else pairs


def _order(item: tuple[Key, tuple[str, Form]]) -> tuple[str, ...]:
    (endpoint, method, shape), _found = item
    return (endpoint, method, *shape)


def _asked(path: str, endpoint: str) -> Iterator[tuple[Key, Form]]:
    """Yield a form for the queries an address came with, or all that its area knows of."""
    bare = urlsplit(path).path
    given = parse_qsl(urlsplit(path).query, keep_blank_values=True)
    if given:
        form = pages.form_of(path)
        yield (endpoint, "GET", form.shape), form
    fields = [Field(name, "text", value) for name, value in given]
    names = sorted(_names_of(endpoint) - {name for name, _value in given})
    wide = Form(path, bare, "GET", [*fields, *(Field(name, "query") for name in names)])
    yield (endpoint, "GET", ("every query",)), wide


def _names_of(endpoint: str) -> frozenset[str]:
    area = Path(planner.web.__file__).parent / endpoint.partition(".")[0]
    if not area.is_dir():
        return frozenset()
    read = {name for file in area.rglob("*.py") for name in READ.findall(file.read_text())}
    return frozenset(read - {"csrf_token", "kept"})


def _plausible(one: Field) -> str:
    if one.kind in ("hidden", "select", "radio", "checkbox", "query") or LEFT.search(one.name):
        return ""
    ending = one.name.rpartition("-")[2]
    if ending in PLAUSIBLE and (one.kind != "date" or ending == "retired_from"):
        return PLAUSIBLE[ending]
    return PLAUSIBLE_KINDS.get(one.kind, "Something plain" if one.kind != "time" else "")


def _of_form(base: Case, foreign: Mapping[str, str]) -> Iterator[Case]:
    pairs = meant(base.form)
    yield replace(base, pairs=tuple(pairs))
    for button in dict.fromkeys(base.form.buttons[1:]):
        others = [pair for pair in pairs if pair not in base.form.buttons]
        yield replace(base, pairs=(*others, button), what=f"button {button[0]}={button[1]}"[:60])
    for name in _tried(base.form):
        yield from _of_field(replace(base, field=name), pairs, foreign)
    if base.form.method == "POST":
        yield from _of_whole(base, pairs)


def _tried(form: Form) -> list[str]:
    names = dict.fromkeys([one.name for one in form.fields] + [n for n, _v in form.buttons if n])
    count: dict[str, int] = {}
    tried = []
    for name in names:
        alike = pages.shape(name)
        count[alike] = count.get(alike, 0) + 1
        if count[alike] <= ALIKE and name not in UNFUZZED:
            tried.append(name)
    return tried


def _of_field(
    case: Case, pairs: list[tuple[str, str]], foreign: Mapping[str, str]
) -> Iterator[Case]:
    others = [pair for pair in pairs if pair[0] != case.field]
    own = [pair for pair in pairs if pair[0] == case.field] or [(case.field, "")]
    for what, value in itertools.chain(VALUES.items(), foreign.items()):
        yield replace(case, pairs=(*others, (case.field, value)), what=what)
    for what, raw in RAW.items():
        yield replace(case, pairs=tuple(others), raw=raw, what=what)
    yield replace(case, pairs=tuple(others), what="missing")
    yield replace(case, pairs=(*others, *own, *own), what="twice")
    yield replace(case, pairs=(*others, *own, (case.field, "other")), what="twice, not alike")
    yield replace(case, pairs=(*others, (f"{case.field}[]", own[0][1])), what="in brackets")


def _of_whole(base: Case, pairs: list[tuple[str, str]]) -> Iterator[Case]:
    names = {name for name, _value in pairs}
    for unknown in UNKNOWN:
        if unknown[0] not in names:
            yield replace(base, pairs=(*pairs, unknown), field=unknown[0], what="mass assignment")
    bare = [pair for pair in pairs if pair[0] != "csrf_token"]
    yield replace(base, pairs=tuple(bare), field="csrf_token", what="without a token")
    forged = (*bare, ("csrf_token", "ImFhYSI.aaaaaa.bbbbbb"))
    yield replace(base, pairs=forged, field="csrf_token", what="forged token")


def _foreign(world: World) -> Mapping[str, str]:
    cast = world.cast
    names = ("retired room", "retired provider", "retired service", "retired site", "date bob")
    ids = {name: str(cast.ids[name]) for name in names}
    return {
        **ids,
        "another site's room": f"{cast.clinic.miami}.{cast.clinic.md}.{cast.clinic.aventura_1}.20270308T1500Z",
        "another site's room alone": str(cast.clinic.aventura_1),
        "pick of retired": ".".join(
            (ids["retired site"], ids["retired provider"], ids["retired room"])
        )
        + ".20270308T1500Z",
        "another patient's key": cast.patients["bob"],
        "a merged patient's key": cast.patients["cara"],
        "another course's key": cast.courses["bob"],
        "another visit's key": cast.appointments["started"],
        "a patient's token": PAGE_TOKEN,
    }


def _encoded(text: str) -> bytes:
    return quote_plus(text.encode("utf-8", "surrogatepass")).encode()


def count(all_cases: Iterable[Case]) -> int:
    """Return how many there are."""
    return sum(1 for _case in all_cases)
