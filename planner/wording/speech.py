"""A language in which sentences are said: its catalogue, and how it counts days and writes dates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel import Locale
from babel.support import NullTranslations, Translations

CATALOGUES = Path(__file__).resolve().parent.parent / "translations"
SPOKEN = ("en", "es")


@dataclass(frozen=True)
class Speech:
    """One language; ``code`` is the one really spoken, English for those that have no catalogue."""

    code: str
    translations: NullTranslations
    babel: Locale

    def say(self, sentence: str, /, **params: object) -> str:
        """Return a marked English sentence in this language, its ``%(names)s`` filled in."""
        return self.translations.gettext(sentence) % _Said(params)

    def count(self, one: str, many: str, number: int, /, **params: object) -> str:
        """Return the form for this number; ``%(number)s`` is filled in too."""
        return self.translations.ngettext(one, many, number) % _Said({"number": number, **params})

    def listed(self, parts: Iterable[str]) -> str:
        """Return "a, b and c"."""
        *first, last = tuple(parts) or ("",)
        if not first:
            return last
        return self.say(N_("%(first)s and %(last)s"), first=", ".join(first), last=last)


class _Said(dict[str, object]):
    """Parameters of a sentence: one that an old record does not have leaves a gap, not an error."""

    def __missing__(self, key: str) -> str:
        return "…"


def N_(sentence: str) -> str:  # noqa: N802  the name that extractors of catalogues know
    """Mark a sentence for translation, and return it as it is."""
    return sentence


def spoken(language: str) -> str:
    """Return the language we answer this one in: itself, or English."""
    return of(language).code


@lru_cache(maxsize=32)
def of(locale: str) -> Speech:
    """Return the speech of a locale such as ``es`` or ``es_US``; English when we do not speak it."""
    spoken = locale.replace("-", "_").split("_")[0].lower()
    code = spoken if spoken in SPOKEN else "en"
    catalogue: NullTranslations = NullTranslations()
    if code != "en":
        catalogue = Translations.load(str(CATALOGUES), [code])
    return Speech(code, catalogue, Locale.parse(code))


def ngettext(one: str, many: str) -> tuple[str, str]:
    """Mark both forms of a counted sentence for translation, and return them as they are."""
    return one, many
