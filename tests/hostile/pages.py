"""Reading a page like a browser: its links, its forms, and what a form sends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

Pair = tuple[str, str]
UNTYPED = ("hidden", "radio", "checkbox", "select", "password")
BUTTONS = ("submit", "image")
LEADING = ("href", "src", "action", "formaction", "xlink:href")


@dataclass(slots=True)
class Field:
    """What a form sends under one name, and among what a browser lets one choose."""

    name: str
    kind: str
    value: str = ""
    is_set: bool = True
    options: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Form:
    """One form: where it goes, its fields, and its buttons with what each adds."""

    page: str
    action: str
    method: str
    fields: list[Field] = field(default_factory=list)
    buttons: list[Pair] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Return where it goes, without a query."""
        return urlsplit(self.action).path

    @property
    def shape(self) -> tuple[str, ...]:
        """Return its field names with numbers left out: forms of one shape are tried once."""
        return tuple(sorted({shape(one.name) for one in self.fields}))

    def typed(self, name: str) -> list[str]:
        """Return what stands in the fields of a name that one types into."""
        return [one.value for one in self.fields if one.name == name and one.kind not in UNTYPED]


@dataclass(frozen=True, slots=True)
class Page:
    """What a browser finds in an answer."""

    links: tuple[str, ...]
    addresses: frozenset[str]  # of links, pictures and forms, as they are written
    forms: tuple[Form, ...]
    tags: frozenset[str]
    attributes: frozenset[str]


def shape(name: str) -> str:
    """Return a field's name without its numbers: all rows of a list are alike."""
    return re.sub(r"\d+", "#", name)


def read(html: str, url: str) -> Page:
    """Return what a page at an address holds; the address is a path."""
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    return Page(
        tuple(dict.fromkeys(reader.links)),
        frozenset(reader.addresses),
        tuple(reader.all_forms()),
        frozenset(reader.tags),
        frozenset(reader.attributes),
    )


def form_of(link: str) -> Form:
    """Return the form that would lead to a link with a query."""
    parts = urlsplit(link)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    fields = [Field(name, "text", value) for name, value in pairs]
    return Form(page=link, action=parts.path, method="GET", fields=fields)


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.url = url
        self.links: list[str] = []
        self.addresses: set[str] = set()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.forms: list[Form] = []
        self.named: dict[str, Form] = {}
        self.strays: list[tuple[str, Field | Pair]] = []  # of a form named by its id
        self.open: Form | None = None
        self.text: Field | None = None
        self.choice: Field | None = None

    def all_forms(self) -> Iterator[Form]:
        for owner, stray in self.strays:
            if owner in self.named:
                _put(self.named[owner], stray)
        yield from self.forms

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.attributes.update(given)
        self.addresses.update(given[name] for name in LEADING if name in given)
        self._follow(tag, given)
        if tag == "form":
            self._begin(given)
        elif tag == "input":
            self._input(given)
        elif tag == "button" and given.get("type", "submit") == "submit":
            self._own(given, (given.get("name", ""), given.get("value", "")))
        elif tag == "textarea":
            self.text = Field(given.get("name", ""), "textarea")
            self._own(given, self.text)
        elif tag == "select":
            self.choice = Field(given.get("name", ""), "select", is_set=False)
            self._own(given, self.choice)
        elif tag == "option" and self.choice:
            _add_option(self.choice, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "textarea" and self.text:
            self.text.value = re.sub(r"^\r?\n", "", self.text.value)
            self.text = None
        elif tag == "select":
            self.choice = None

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text.value += data

    def _follow(self, tag: str, given: dict[str, str]) -> None:
        if tag in ("link", "script", "use"):
            return
        for name in ("href", "hx-get", "src"):
            if name in given:
                target = urldefrag(urljoin(self.url, given[name]))[0]
                if target.startswith("/"):
                    self.links.append(target)

    def _begin(self, given: dict[str, str]) -> None:
        action = urldefrag(urljoin(self.url, given.get("action") or self.url))[0]
        self.open = Form(self.url, action, given.get("method", "get").upper())
        self.forms.append(self.open)
        if "id" in given:
            self.named[given["id"]] = self.open

    def _input(self, given: dict[str, str]) -> None:
        kind, name = given.get("type", "text").lower(), given.get("name", "")
        if kind in BUTTONS:
            self._own(given, (name, given.get("value", "")))
            return
        is_box = kind in ("radio", "checkbox")
        value = given.get("value", "on" if is_box else "")
        self._own(given, Field(name, kind, value, is_set=not is_box or "checked" in given))

    def _own(self, given: dict[str, str], thing: Field | Pair) -> None:
        if "disabled" in given:
            return
        if "form" in given:
            self.strays.append((given["form"], thing))
        elif self.open is not None:
            _put(self.open, thing)


def _put(form: Form, thing: Field | Pair) -> None:
    if isinstance(thing, tuple):
        form.buttons.append(thing)
    elif thing.name:
        form.fields.append(thing)


def _add_option(choice: Field, given: dict[str, str]) -> None:
    value = given.get("value", "")
    choice.options.append(value)
    if "selected" in given or (not choice.is_set and len(choice.options) == 1):
        choice.value, choice.is_set = value, True
    if "selected" in given:
        choice.options.insert(0, choice.options.pop())
