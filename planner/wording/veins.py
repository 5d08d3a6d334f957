"""What people call the veins that are treated, in English and Spanish: for whoever types it into a search."""

from __future__ import annotations

from collections.abc import Mapping

from planner.scheduling import reading
from planner.scheduling.candidacy import Vein
from planner.wording import speech
from planner.wording.speech import N_

LEAST_LETTERS = 4

TERMS: Mapping[Vein, tuple[str, ...]] = {
    Vein.SPIDER: (
        "spider veins", "thread veins", "telangiectasia", "broken capillaries",
        "arañas vasculares", "arañitas", "venitas", "telangiectasias",
    ),
    Vein.RETICULAR: (
        "reticular veins", "feeder veins", "small varicose veins", "varicose veins", "blue veins",
        "venas reticulares", "venas nutricias", "várices pequeñas", "varices", "venas azules",
    ),
}  # fmt: skip
"""Folded when they are compared: case and accents do not matter."""


def explained(text: str, locale: str) -> tuple[str, ...]:
    """Return a sentence for each kind of vein that the text names; () when it names none (S09).

    Any word of a term does, from its fourth letter on, but for those that only say "vein".
    """
    typed = reading.fold(text).split()
    found = [vein for vein, terms in TERMS.items() if any(_names(term, typed) for term in terms)]
    return tuple(speech.of(locale).say(_SENTENCES[vein]) for vein in found)


_COMMON = frozenset({"vein", "veins", "vena", "venas", "small", "blue", "azules", "pequenas"})
_SENTENCES: Mapping[Vein, str] = {
    Vein.SPIDER: N_("Spider veins: red or blue, under 1 mm. A consult comes first."),
    Vein.RETICULAR: N_(
        "Reticular veins, also called feeder or small varicose veins: 1 to 3 mm. A consult comes first."
    ),
}


def _names(term: str, typed: list[str]) -> bool:
    words = reading.fold(term).split()
    if len(words) > 1 and " ".join(words) in " ".join(typed):
        return True
    telling = [word for word in words if word not in _COMMON]
    return any(
        len(word) >= LEAST_LETTERS and whole.startswith(word) for word in typed for whole in telling
    )
