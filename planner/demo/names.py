"""Generated people: given and family names put together by chance, as languages mix in Miami."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

GIVEN = {
    "es": ("María", "Ana", "Lucía", "Carmen", "Isabel", "Rosa", "Elena", "Sofía", "Gloria", "Marta",
           "Teresa", "Adriana", "Paola", "Yolanda", "Beatriz", "Inés", "Pilar", "Raquel", "José", "Luis"),
    "en": ("Emily", "Sarah", "Linda", "Karen", "Nancy", "Laura", "Julia", "Grace", "Helen", "Claire",
           "Diane", "Susan", "Rachel", "Megan", "Alice", "Janet", "Peter", "Daniel"),
    "pt": ("Fernanda", "Juliana", "Beatriz", "Camila", "Patrícia", "Larissa", "João", "Rafaela"),
    "ht": ("Marie", "Rose", "Nadège", "Fabiola", "Guerline", "Jean", "Mirlande", "Wideline"),
}  # fmt: skip
FAMILY = {
    "es": ("García", "Rodríguez", "Martínez", "Hernández", "López", "González", "Pérez", "Sánchez",
           "Ramírez", "Torres", "Díaz", "Vargas", "Castro", "Ortiz", "Núñez", "Peña", "Ríos", "Suárez",
           "García Márquez", "de la Cruz"),
    "en": ("Smith", "Johnson", "Miller", "Davis", "Wilson", "Moore", "Taylor", "Anderson", "Clark",
           "Lewis", "Walker", "Hall", "Young", "King", "O’Brien", "Baker"),
    "pt": ("Silva", "Santos", "Oliveira", "Souza", "Pereira", "Costa", "Almeida", "Carvalho"),
    "ht": ("Jean-Baptiste", "Pierre", "Joseph", "Louis", "Charles", "Desir", "Toussaint", "Augustin"),
}  # fmt: skip
LANGUAGES = (("es", 55), ("en", 33), ("pt", 7), ("ht", 5))
PHONES = 100  # 305-555-0100 to 0199 are nobody's


@dataclass(slots=True, kw_only=True)
class Person:
    """A patient of the demo, before there is a row."""

    key: str
    given_name: str
    family_name: str
    birth_date: date
    language: str
    phone: str
    email: str
    stay_from: date | None = None
    stay_until: date | None = None
    row_id: int = 0


def person(random: Random, number: int, today: date) -> Person:
    """Return somebody between 18 and 80; one in eight is seasonal."""
    language = random.choices([c for c, _ in LANGUAGES], [n for _, n in LANGUAGES])[0]
    born = today - timedelta(days=random.randint(19 * 366, 80 * 365))
    found = Person(
        key=key(random),
        given_name=random.choice(GIVEN[language]),
        family_name=random.choice(FAMILY[language]),
        birth_date=born,
        language=language,
        phone=f"+1305555{100 + random.randrange(PHONES):04d}",
        email=f"patient{number}@example.com" if random.random() < 0.8 else "",
    )
    if random.random() < 0.12:
        autumn = today.year if today.month > 6 else today.year - 1
        found.stay_from = date(autumn, 10, 15) + timedelta(days=random.randint(0, 30))
        found.stay_until = date(autumn + 1, 4, 10) + timedelta(days=random.randint(0, 30))
    return found


def key(random: Random) -> str:
    """Return sixteen characters for an address, from the seed."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return "".join(random.choices(letters, k=16))
