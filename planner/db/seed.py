"""What ships with planner: the clinic's row, three services, two protocols, and texts to be replaced.

The figures are those of the clinic's own page (clinic.md, S20, S22, S24, S36, S38) or, where it says nothing, ours.
Addresses, phones and policies are never invented: they are placeholders until the clinic has typed its own.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from planner.db.engine import Tx
from planner.db.models import Clinic, ClinicText, Protocol, Service

SERVICES: tuple[dict[str, Any], ...] = (
    {
        "code": "CONSULT",
        "name": "Consult",
        "kind": "consult",
        "minutes": 30,
        "minutes_choices": [30],
        "walk_minutes": 0,
        "colour": "#1d6fd1",
        "position": 1,
    },
    {
        "code": "SCLERO",
        "name": "Sclerotherapy session",
        "kind": "session",
        "minutes": 45,
        "minutes_choices": [30, 45, 60],
        "walk_minutes": 20,
        "colour": "#0f766e",
        "position": 2,
    },
    {
        "code": "REVIEW",
        "name": "Review",
        "kind": "review",
        "minutes": 10,
        "minutes_choices": [10],
        "walk_minutes": 0,
        "colour": "#7343c9",
        "position": 3,
    },
)
PROTOCOLS = (
    ("3 × 2 weeks", "new", (7, 14, 21), "typically three sessions, two weeks apart"),
    (
        "3 × 6 weeks",
        "same",
        (28, 42, 56),
        "usually 3 treatments, 6 weeks apart, for the optimal correction",
    ),
)
TEXTS = {
    "arrival": (
        "Please come ten minutes early.",
        "Por favor, llegue diez minutos antes.",
    ),
    "bring": (
        "Please bring your compression stockings.",
        "Por favor, traiga sus medias de compresión.",
    ),
    "aftercare": (
        "Walk right after your visit. Wear the stockings day and night for 2 to 3 days, then as needed for"
        " 2 to 3 weeks. For 72 hours: no heavy exercise, no sunbathing, no hot baths, hot tubs or saunas."
        " Do not fly for 2 to 3 days.",
        "Camine inmediatamente después de su visita. Use las medias día y noche durante 2 o 3 días, y luego"
        " según necesite durante 2 o 3 semanas. Durante 72 horas: nada de ejercicio intenso, sol, baños"
        " calientes, jacuzzi ni sauna. No vuele durante 2 o 3 días.",
    ),
    "warning_signs": (
        "Call us if a leg swells, hurts or turns red, or if you are short of breath.",
        "Llámenos si una pierna se hincha, duele o enrojece, o si le falta el aire.",
    ),
    "why_stockings": (
        "Why the stockings: their pressure helps the blood flow, keeps swelling down and lowers the risk of a"
        " clot.",
        "Para qué sirven las medias: su presión ayuda a que circule la sangre, reduce la hinchazón y baja el"
        " riesgo de un coágulo.",
    ),
    "expectation": (
        "What to expect: a treated vein collapses, and its scar tissue fades with time. How much of it can be"
        " seen, and for how long, differs from person to person. Your provider will answer your questions.",
        "Qué esperar: la vena tratada se cierra y su tejido cicatricial se va desvaneciendo con el tiempo."
        " Cuánto se nota, y por cuánto tiempo, varía de una persona a otra. Su profesional responderá a sus"
        " preguntas.",
    ),
    "policy": ("", ""),
}
PLACEHOLDERS = ("arrival", "warning_signs", "policy")


def add(tx: Tx) -> bool:
    """Add what is missing of it; return whether anything was."""
    before = tx.session.scalar(sa.select(sa.func.count()).select_from(ClinicText))
    if tx.session.scalar(sa.select(Clinic.id).limit(1)) is None:
        tx.session.add(Clinic(name="Glamour Medical Aesthetics", languages=["en", "es"]))
    if tx.session.scalar(sa.select(Service.id).limit(1)) is None:
        _add_catalogue(tx)
    _add_texts(tx)
    return not before


def _add_catalogue(tx: Tx) -> None:
    rows = [Service(**columns) for columns in SERVICES]
    tx.session.add_all(rows)
    tx.session.flush()
    sclerotherapy = next(row for row in rows if row.kind == "session")
    for position, (name, zones, (floor, target, soft_max), sentence) in enumerate(PROTOCOLS):
        tx.session.add(
            Protocol(
                name=name,
                service_id=sclerotherapy.id,
                sessions=3,
                minutes=45,
                zones=zones,
                gap_floor=floor,
                gap_target=target,
                gap_soft_max=soft_max,
                sentence=sentence,
                position=position,
            )
        )


def _add_texts(tx: Tx) -> None:
    present = {
        (row.code, row.language)
        for row in tx.session.execute(sa.select(ClinicText.code, ClinicText.language))
    }
    for code, texts in TEXTS.items():
        for language, text in zip(("en", "es"), texts, strict=True):
            if (code, language) not in present:
                tx.session.add(
                    ClinicText(
                        code=code,
                        language=language,
                        text=text,
                        is_placeholder=code in PLACEHOLDERS,
                    )
                )
