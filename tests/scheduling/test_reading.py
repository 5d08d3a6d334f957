"""Names, phone numbers, dates and times as people type them."""

from __future__ import annotations

from datetime import date, time

import pytest

from planner.scheduling import reading
from planner.scheduling.reading import Sought

TODAY = date(2026, 11, 24)
MARCH_2 = date(1985, 3, 2)


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("María-José", "maria jose"),
        ("  NÚÑEZ  ", "nunez"),
        ("Øresund Łukasz", "oresund lukasz"),
        ("Straße", "strasse"),
        ("🌸 Ana", "🌸 ana"),
        ("כהן", "כהן"),
        ("100%_'", "100"),
        ("a\u0000b", "a b"),
    ],
)
def test_case_accents_and_signs_make_no_difference(typed: str, folded: str) -> None:
    assert reading.fold(typed) == folded


def test_a_name_is_found_with_and_without_its_apostrophe_and_hyphen() -> None:
    assert set(reading.words("O’Brien-Paz")) == {"obrien", "paz", "o", "brien", "obrienpaz"}


@pytest.mark.parametrize(
    "typed",
    ["1985-03-02", "3/2/1985", "03/02/1985", "3.2.85", "2 Mar 1985", "Mar 2, 1985", "03021985",
     "19850302", "2 de marzo de 1985", " MARCH 2 1985 "],
)  # fmt: skip
def test_a_birth_date_is_read_in_the_forms_people_use(typed: str) -> None:
    assert reading.find_day(typed, today=TODAY) == MARCH_2


def test_a_day_over_twelve_tells_that_it_came_first() -> None:
    assert reading.find_day("25/3/1985", today=TODAY) == date(1985, 3, 25)


@pytest.mark.parametrize(("typed", "year"), [("1/1/26", 2026), ("1/1/27", 1927), ("1/1/00", 2000)])
def test_a_year_of_two_digits_is_never_to_come(typed: str, year: int) -> None:
    assert reading.find_day(typed, today=TODAY) == date(year, 1, 1)


@pytest.mark.parametrize(
    "typed",
    ["", "30/2/1985", "2/30/1985", "31/31/1985", "1985-13-01", "yesterday", "3/2", "1/1/1", "99999999",
     "0000-00-00", "12345/1/1", "2 xyz 1985", "\x00", "9" * 10_000],
)  # fmt: skip
def test_what_is_no_day_is_none(typed: str) -> None:
    assert reading.find_day(typed, today=TODAY) is None


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("14:30", time(14, 30)),
        ("2:30 PM", time(14, 30)),
        ("2pm", time(14)),
        ("12 a.m.", time(0)),
        ("12pm", time(12)),
        ("25:00", None),
        ("14", None),
        ("13pm", None),
        ("3:7", None),
        ("", None),
    ],
)
def test_a_departure_is_read_with_twelve_or_twenty_four_hours(
    typed: str, found: time | None
) -> None:
    assert reading.find_time(typed) == found


@pytest.mark.parametrize(
    ("typed", "sought"),
    [
        ("lópez maria", Sought(words=("lopez", "maria"))),
        ("o'brien", Sought(words=("obrien",))),
        ("perez-lopez", Sought(words=("perez", "lopez"))),
        ("(305) 555-01", Sought(digits=("30555501",))),
        ("+1 305.555.0101", Sought(digits=("3055550101",))),
        ("1 (305) 555", Sought(digits=("305555",))),
        ("0101", Sought(digits=("0101",))),
        ("lopez 3/2/1985", Sought(words=("lopez",), birth_dates=(MARCH_2,))),
        ("maria 305 555", Sought(words=("maria",), digits=("305555",))),
        ("03021985", Sought(digits_or_dates=(("03021985", MARCH_2),))),
        ("ana 12", Sought(words=("ana", "12"))),
        ("%_\\", Sought()),
        ("   ", Sought()),
    ],
)
def test_one_box_takes_names_phones_and_birth_dates_in_any_order(
    typed: str, sought: Sought
) -> None:
    assert reading.sought(typed, today=TODAY) == sought


def test_a_patient_is_found_by_every_word_the_digits_and_the_day() -> None:
    text = reading.search_text("María", "O'Neil", "+13055550101", MARCH_2)
    assert text == " maria oneil o neil 3055550101 1985-03-02"
