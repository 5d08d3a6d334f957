"""The commands that ask the core, in this process: what they answer, and every question that cannot be."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import time_machine

from planner.app import create_app
from planner.cli import cli
from tests.cli.conftest import TODAY

Ask = Callable[..., str]
TWO_WEEKS = ("--patient", "1", "--protocol", "3 × 2 weeks")


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a command on a demo clinic, as on its first day: ``ask(path, "slots", …)`` returns what it writes."""

    def run(path: Path, *arguments: str) -> str:
        monkeypatch.setenv("PLANNER_DATABASE_URL", f"sqlite:///{path}")
        monkeypatch.setenv("PLANNER_SECRET_KEY", "k" * 40)
        with time_machine.travel(f"{TODAY} 12:00Z"):
            cli.main(list(arguments), obj=create_app, prog_name="planner", standalone_mode=False)
        return capsys.readouterr().out

    return run


def refusal(ask: Ask, path: Path, *arguments: str) -> tuple[int, str]:
    with pytest.raises(click.ClickException) as caught:
        ask(path, *arguments)
    return caught.value.exit_code, caught.value.format_message()


def test_a_proposal_says_each_cost_term_with_its_points_and_its_sentence(
    demo_file: Path, ask: Ask
) -> None:
    asked = (*TWO_WEEKS, "--from", "2027-06-07", "--top", "1", "--weekday", "tue")
    (found,) = json.loads(ask(demo_file, "propose", *asked, "--json"))
    costs = [cost for session in found["sessions"] for cost in session["costs"]]
    assert sum(cost["amount"] for cost in costs) == found["cost"]
    assert all(cost["text"] and cost["code"] for cost in costs)
    said = ask(demo_file, "propose", *asked)
    assert f"cost {found['cost']}, ends {found['ends_on']}" in said
    assert all(f"+{cost['amount']}  {cost['text']}" in said for cost in costs if cost["amount"])


def test_wishes_are_kept_to_the_letter(demo_file: Path, ask: Ask) -> None:
    asked = (*TWO_WEEKS, "--from", "2027-06-07", "--site", "Aventura", "--top", "2")
    found = json.loads(ask(demo_file, "propose", *asked, "--json"))
    assert {one["site"] for proposal in found for one in proposal["sessions"]} == {"Aventura"}


def test_where_nothing_fits_it_says_what_is_in_the_way_and_what_would_help(
    demo_file: Path, ask: Ask
) -> None:
    asked = (*TWO_WEEKS, "--from", "2027-06-07", "--until", "2027-06-10")
    said = ask(demo_file, "propose", *asked)
    found = json.loads(ask(demo_file, "why-not", *asked, "--json"))
    assert (
        "The gaps alone take 14 days; from the first possible day to the last there are 3" in said
    )
    assert [one["code"] for one in found["obstacles"]] == ["order.too_long"]
    assert found["relaxations"][0]["code"] == "later"
    assert f"would help: {found['relaxations'][0]['text']}" in said
    assert json.loads(ask(demo_file, "propose", *asked, "--json")) == []


def test_gaps_that_no_search_reaches_are_answered_at_once(demo_file: Path, ask: Ask) -> None:
    said = ask(demo_file, "propose", *TWO_WEEKS, "--gap", "365-365-365", "--sessions", "12")
    assert "The gaps alone take 4015 days" in said


@pytest.mark.parametrize(
    ("at", "codes"),
    [
        ("23:00", {"site.outside_hours", "provider.outside_hours"}),
        ("10:03", {"slot.off_grid", "slot.minutes_step"}),
    ],
)
def test_one_start_is_judged_wherever_it_lies(
    demo_file: Path, ask: Ask, at: str, codes: set[str]
) -> None:
    asked = ("--service", "CONSULT", "--site", "Miami", "--on", "2027-06-07", "--at", at)
    found = json.loads(ask(demo_file, "why-not", *asked, "--json"))
    assert found
    assert all({reason["code"] for reason in one["reasons"]} >= codes for one in found)


def test_a_day_is_asked_about_for_a_session_of_the_patients_course(
    demo_file: Path, ask: Ask
) -> None:
    patient, protocol, day = open_course(demo_file)
    asked = ("--patient", patient, "--protocol", protocol, "--on", day, "--json")
    found = json.loads(ask(demo_file, "why-not", *asked))
    assert {one["site"] for one in found} == {"Miami", "Aventura"}
    assert {reason["code"] for one in found for reason in one["reasons"]} >= {"gap.below_floor"}


def test_what_is_booked_before_the_wished_days_is_not_too_far_away(
    demo_file: Path, ask: Ask
) -> None:
    with sqlite3.connect(demo_file) as connection:
        patient, protocol, day = connection.execute(
            "SELECT CAST(c.patient_id AS TEXT), CAST(c.protocol_id AS TEXT),"
            " date(max(a.starts_at), '+1 day') FROM course c"
            " JOIN course_session s ON s.course_id = c.id"
            " JOIN appointment a ON a.course_session_id = s.id AND a.status = 'booked'"
            " WHERE c.status = 'active' AND a.starts_at > ? GROUP BY c.id ORDER BY c.id LIMIT 1",
            (f"{TODAY} 23:59",),
        ).fetchone()
    asked = ("--patient", patient, "--protocol", protocol, "--from", day, "--top", "1", "--json")
    (found,) = json.loads(ask(demo_file, "propose", *asked))
    reasons = [reason["code"] for one in found["sessions"] for reason in one["reasons"]]
    assert (min(one["starts_at"] for one in found["sessions"]) < day, reasons) == (True, [])


@pytest.mark.parametrize("protocol", ["3 x 2 weeks", " 3 × 2 WEEKS "])
def test_names_are_found_as_people_type_them(demo_file: Path, ask: Ask, protocol: str) -> None:
    asked = ("--patient", "1", "--protocol", protocol, "--from", "2027-06-07", "--top", "1")
    said = ask(demo_file, "propose", *asked, "--provider", "flora nunez")
    assert "Flora Núñez" in said


def test_a_day_without_hours_is_said_at_once(demo_file: Path, ask: Ask) -> None:
    sunday = ("--service", "CONSULT", "--site", "Miami", "--on", "2027-06-06")
    assert ask(demo_file, "why-not", *sunday).splitlines() == [
        "Sun 2027-06-06 all day  Miami",
        "   block  Miami is closed on Sun 6 Jun 2027.",
    ]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (
            "INSERT INTO absence (site_id, from_date, until_date, reason, version)"
            " VALUES (1, '2027-06-07', '2027-06-07', 'Storm', 1)",
            "site.closed",
        ),
        ("DELETE FROM site_hours WHERE site_id = 1", "site.outside_hours"),
        ("UPDATE site SET retired_from = '2027-06-01' WHERE id = 1", "site.retired"),
    ],
)
def test_a_site_that_is_closed_all_day_has_one_reason_and_a_start_there_has_all(
    demo_file: Path, ask: Ask, tmp_path: Path, statement: str, code: str
) -> None:
    path = copied(demo_file, tmp_path, statement)
    asked = ("--service", "CONSULT", "--site", "Miami", "--on", "2027-06-07", "--json")
    (found,) = json.loads(ask(path, "why-not", *asked))
    assert (found["provider"], [one["code"] for one in found["reasons"]]) == (None, [code])
    at_night = json.loads(ask(path, "why-not", *asked, "--at", "23:00"))
    codes = {reason["code"] for one in at_night for reason in one["reasons"]}
    assert (len(at_night) > 1, codes >= {"provider.outside_hours"}) == (True, True)


def test_a_provider_without_hours_has_one_line(demo_file: Path, ask: Ask) -> None:
    asked = ("--service", "CONSULT", "--on", "2027-06-08", "--provider", "Dr. Alma Rivera")
    said = ask(demo_file, "why-not", *asked, "--site", "Miami")
    assert said.splitlines() == [
        "Tue 2027-06-08 all day  Miami  Dr. Alma Rivera",
        "   block  Dr. Alma Rivera does not work at Miami on Tue 8 Jun 2027.",
    ]


def test_people_read_the_clocks_of_the_site(demo_file: Path, ask: Ask) -> None:
    free = ("--service", "CONSULT", "--site", "Miami", "--from", "2027-06-07", "--days", "1")
    assert ask(demo_file, "slots", *free).startswith("Mon 2027-06-07 09:00  Miami  ")
    sunday = ("--service", "CONSULT", "--site", "Miami", "--on", "2027-06-06", "--at", "14:30")
    assert ask(demo_file, "why-not", *sunday).startswith("Sun 2027-06-06 14:30 … 14:45  Miami  ")
    proposed = ask(demo_file, "propose", *TWO_WEEKS, "--from", "2027-06-07", "--top", "1")
    assert "   1  Mon 2027-06-07 09:00  " in proposed


def test_a_service_that_nobody_gives_is_not_said_to_be_free(
    demo_file: Path, ask: Ask, tmp_path: Path
) -> None:
    path = copied(demo_file, tmp_path, "DELETE FROM provider_service WHERE site_id = 2")
    asked = ("--service", "CONSULT", "--site", "Aventura", "--on", "2027-06-07")
    (found,) = json.loads(ask(path, "why-not", *asked, "--json"))
    assert (found["provider"], [one["code"] for one in found["reasons"]]) == (
        None,
        ["service.nobody"],
    )
    assert "Nobody who gives this service works at Aventura." in ask(path, "why-not", *asked)


def test_a_course_is_placed_from_the_day_its_patient_is_eligible(
    demo_file: Path, ask: Ask, tmp_path: Path
) -> None:
    eligible = "UPDATE patient SET eligible_from = '2027-10-01' WHERE id = 1"
    path = copied(demo_file, tmp_path, eligible)
    found = json.loads(ask(path, "propose", *TWO_WEEKS, "--top", "1", "--json"))
    assert [one["sessions"][0]["starts_at"][:10] for one in found] == ["2027-10-01"]


def test_a_clinic_without_sites_gets_a_sentence(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite3"
    ask(path, "init")
    code, said = refusal(ask, path, "why-not", "--service", "1", "--on", TODAY)
    assert (code, said) == (2, "there is no site yet.")


def copied(path: Path, folder: Path, statement: str) -> Path:
    """Return a copy of a clinic in which one thing is otherwise."""
    other = folder / "other.sqlite3"
    with sqlite3.connect(path) as source, sqlite3.connect(other) as target:
        source.backup(target)
        target.execute(statement)
    return other


def open_course(path: Path) -> tuple[str, str, str]:
    """Return patient, protocol and the open day after the session done last, of a course that goes on."""
    with sqlite3.connect(path) as connection:
        found: tuple[str, str, str] = connection.execute(
            "SELECT CAST(c.patient_id AS TEXT), CAST(c.protocol_id AS TEXT),"
            " date(max(a.starts_at), CASE strftime('%w', max(a.starts_at)) WHEN '6' THEN '+2 days'"
            " ELSE '+1 day' END) FROM course c"
            " JOIN course_session s ON s.course_id = c.id"
            " LEFT JOIN appointment a ON a.course_session_id = s.id AND a.status = 'fulfilled'"
            " WHERE c.status = 'active' GROUP BY c.id HAVING count(a.id) BETWEEN 1 AND count(s.id) - 1"
            " ORDER BY max(a.starts_at) DESC LIMIT 1"
        ).fetchone()
    return found


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("propose", *TWO_WEEKS, "--sessions", "0"), "0 is not in the range 1<=x<=12"),
        (("propose", *TWO_WEEKS, "--sessions", "13"), "13 is not in the range 1<=x<=12"),
        (("propose", *TWO_WEEKS, "--gap", "21-14-28"), "'21-14-28' cannot be: days are 1 to 365"),
        (("propose", *TWO_WEEKS, "--gap", "0-14-28"), "'0-14-28' cannot be: days are 1 to 365"),
        (("propose", *TWO_WEEKS, "--gap", "two weeks"), "'two weeks' is no gap such as 7-14-21."),
        (("propose", *TWO_WEEKS, "--from", "2020-01-01"), "in the past: nothing can be planned"),
        (("propose", *TWO_WEEKS, "--from", "2020-01-01"), "2020-01-01 is in the past"),
        (("propose", *TWO_WEEKS, "--until", "2020-01-01"), "2020-01-01 is in the past"),
        (("why-not", *TWO_WEEKS, "--until", "2020-01-01"), "2020-01-01 is in the past"),
        (
            ("propose", *TWO_WEEKS, "--from", "2027-06-07", "--until", "2027-06-01"),
            "2027-06-01 is before 2027-06-07",
        ),
        (("propose", *TWO_WEEKS, "--sessions", "many"), "'many' is not a valid whole number."),
        (("propose", "--patient", "", "--protocol", "1"), "there is no such patient ''."),
        (("propose", *TWO_WEEKS, "--site", "x" * 5000), f"no such site '{'x' * 60}': there are"),
        (("propose", *TWO_WEEKS, "--from", "9999-12-31"), "is not a date such as"),
        (
            ("propose", *TWO_WEEKS, "--site", "Nowhere"),
            "there is no such site Nowhere: there are Aventura, Miami.",
        ),
        (("propose", "--patient", "9" * 30, "--protocol", "1"), "there is no such patient 999"),
        (("slots", "--service", "9" * 30), "there is no such service 999"),
        (("slots", "--service", "CONSULT", "--from", "2020-01-01"), "2020-01-01 is in the past"),
        (("slots", "--service", "CONSULT", "--from", "0001-01-01"), "is not a date such as"),
        (("why-not",), "name a service, or a protocol of the patient's."),
        (("why-not", "--service", "CONSULT"), "name a day with --on, or a patient and a protocol."),
        (("why-not", "--protocol", "1", "--on", TODAY), "a protocol is asked about for a patient."),
        (
            ("why-not", "--service", "CONSULT", "--on", TODAY, "--at", "10:00Z"),
            "'10:00Z' is not a time such as 14:30.",
        ),
        (("why-not", *TWO_WEEKS, "--on", TODAY, "--session", "9"), "the course has no session 9."),
        (("why-not", "--service", "CONSULT", "--on", "9999-12-31"), "is not a date such as"),
        (
            ("why-not", "--service", "CONSULT", "--on", "2027-03-14", "--at", "02:30"),
            "does not exist",
        ),
    ],
)
def test_what_cannot_be_asked_gets_a_sentence_and_exit_code_2(
    demo_file: Path, ask: Ask, arguments: tuple[str, ...], sentence: str
) -> None:
    code, said = refusal(ask, demo_file, *arguments)
    assert (code, sentence in said) == (2, True), said
