"""What a text on a phone may tell a stranger."""

from __future__ import annotations

import pytest

from planner.wording import visits

TELLING = (
    "Vein Center Miami", "SCLEROTHERAPY", "Escleroterapia", "Clínica de Várices", "Leg clinic",
    "Please bring your compression stockings.", "medias de compresión", "left leg", "Ultrasound room",
    "Sesión 2 de 3", "session 2", "Phlebology Associates", "Laser suite", "Varithena", "DVT check",
    "tratamiento", "Centro de Flebología", "Venous Institute", "pierna izquierda", "Meias elásticas",
)  # fmt: skip
DISCREET = (
    "", "Glamour", "Glamour Medical Aesthetics", "Miami", "Aventura", "1 Legion Road", "Ventura Plaza",
    "Please come ten minutes early.", "Por favor, llegue diez minutos antes.", "Avenida 8",
    "Parking behind the house, entrance on 2nd Street", "Suite 200", "Possession Point", "Envení Street",
)  # fmt: skip


@pytest.mark.parametrize("text", TELLING)
def test_a_text_that_tells_is_found_out(text: str) -> None:
    assert not visits.is_discreet(text)


@pytest.mark.parametrize("text", DISCREET)
def test_other_texts_are_left_alone(text: str) -> None:
    assert visits.is_discreet(text)


def test_of_an_address_only_the_telling_part_is_left_out() -> None:
    address = "Vein Center, 1 Example Avenue\nSuite 200, Miami, FL 33130"
    assert visits.discreet_parts(address) == "1 Example Avenue, Suite 200, Miami, FL 33130"


def test_restrictions_that_end_together_stand_in_one_sentence() -> None:
    items = [
        visits.Until(code="aftercare.exercise", time="Thu 5 Mar, 10:45 AM"),
        visits.Until(code="aftercare.hot_bath", time="Thu 5 Mar, 10:45 AM"),
        visits.Until(code="aftercare.sauna", time="Fri 6 Mar, 10:45 AM"),
    ]
    assert visits.restrictions(items, "en") == (
        "Take it easy until Fri 6 Mar, 10:45 AM",
        "Until Thu 5 Mar, 10:45 AM: no heavy exercise and no hot baths.\n"
        "Until Fri 6 Mar, 10:45 AM: no sauna.",
    )


def test_a_range_of_days_is_said_only_for_the_pages_own_hours() -> None:
    texts = [visits.flying("Fri 6 Mar, 10:45 AM", hours, "en")[1] for hours in (72, 48)]
    assert texts == [
        "Do not fly for 2 to 3 days: not before Fri 6 Mar, 10:45 AM.",
        "Do not fly before Fri 6 Mar, 10:45 AM.",
    ]
