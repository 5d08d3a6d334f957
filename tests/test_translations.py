"""Every sentence is there in Spanish, whole, and with the places to be filled in that the English has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
SPANISH = ROOT / "planner" / "translations" / "es" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {"_": None, "_l": None, "N_": None, "gettext": None, "lazy_gettext": None,
            "ngettext": (1, 2)}  # fmt: skip
PLACES = re.compile(r"%\(\w+\)[a-z]")


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    """The Spanish catalogue as it is in the repository."""
    with SPANISH.open("rb") as file:
        return read_po(file, locale="es")


def test_every_sentence_of_the_program_is_translated(catalogue: Catalog) -> None:
    translated = {one for message in sentences(catalogue) for one in forms(message.id)[:1]}
    assert sorted(in_the_program() - translated) == []


def test_no_sentence_is_translated_that_is_said_nowhere(catalogue: Catalog) -> None:
    known = {one for message in sentences(catalogue) for one in forms(message.id)[:1]}
    assert sorted(known - in_the_program()) == []


def test_every_form_has_words(catalogue: Catalog) -> None:
    empty = [message.id for message in sentences(catalogue) if not all(forms(message.string))]
    assert empty == []


def test_a_counted_sentence_has_both_forms(catalogue: Catalog) -> None:
    wrong = [
        message.id
        for message in sentences(catalogue)
        if len(forms(message.id)) != len(forms(message.string))
    ]
    assert wrong == []


def test_what_is_filled_in_is_the_same_in_both_languages(catalogue: Catalog) -> None:
    wrong = [
        message.id
        for message in sentences(catalogue)
        for english, spanish in zip(forms(message.id), forms(message.string), strict=True)
        if set(PLACES.findall(english)) != set(PLACES.findall(spanish))
    ]
    assert wrong == []


def test_nothing_is_guessed(catalogue: Catalog) -> None:
    assert [message.id for message in sentences(catalogue) if message.fuzzy] == []


def test_a_whole_sentence_ends_like_one(catalogue: Catalog) -> None:
    wrong = [
        message.id
        for message in sentences(catalogue)
        for english, spanish in zip(forms(message.id), forms(message.string), strict=True)
        if english.endswith(".") and not spanish.endswith(".")
    ]
    assert wrong == []


def test_apostrophes_and_quotes_are_those_of_print(catalogue: Catalog) -> None:
    wrong = [
        form
        for message in sentences(catalogue)
        for form in (*forms(message.id), *forms(message.string))
        if "'" in form or '"' in form
    ]
    assert wrong == []


def test_the_catalogue_compiles(catalogue: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "messages.mo"
    with path.open("wb") as file:
        write_mo(file, catalogue)
    with path.open("rb") as file:
        assert read_mo(file).get("Appointment").string == "Cita"  # type: ignore[union-attr]


def test_nothing_is_addressed_familiarly(catalogue: Catalog) -> None:
    """Patients and staff are addressed as *usted*."""
    familiar = re.compile(r"\b(tú|tu|tus|ti|contigo|puedes|tienes|haz)\b", re.IGNORECASE)
    wrong = [
        one
        for message in sentences(catalogue)
        for one in forms(message.string)
        if familiar.search(one)
    ]
    assert wrong == []


def sentences(catalogue: Catalog) -> Iterator[Message]:
    """All messages but the head of the file."""
    return (message for message in catalogue if message.id)


def forms(sentence: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    """One form, or the singular and the plural."""
    return (sentence,) if isinstance(sentence, str) else tuple(sentence or ())


def in_the_program() -> set[str]:
    """Every sentence that is marked in sources and templates, by its singular."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel has none
    found = extract_from_dir(ROOT / "planner", methods, options, keywords=KEYWORDS)
    return {forms(message)[0] for _file, _line, message, _comments, _context in found}
