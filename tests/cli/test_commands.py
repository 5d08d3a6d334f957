"""The commands on a small demo clinic: what they answer, and how they say what cannot be."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]

from planner.cli.serve import Log
from tests.cli.conftest import TODAY, run


def answer(url: str, *arguments: str) -> Any:
    done = run(url, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_same_seed_and_day_make_the_same_clinic(demo_file: Path, tmp_path: Path) -> None:
    again = f"sqlite:///{tmp_path / 'again.sqlite3'}"
    run(again, "init")
    run(again, "demo", "--size", "S", "--seed", "7", "--today", TODAY)
    assert run(f"sqlite:///{demo_file}", "export").stdout == run(again, "export").stdout


def test_a_second_demo_is_refused_in_one_sentence(demo_file: Path) -> None:
    done = run(f"sqlite:///{demo_file}", "demo")
    assert (done.returncode, done.stderr) == (
        2,
        "planner: there is a clinic in this database already.\n",
    )


def test_slots_say_when_where_and_with_whom_in_utc_and_zone(demo_file: Path) -> None:
    found = answer(
        f"sqlite:///{demo_file}",
        *("slots", "--service", "CONSULT", "--site", "Miami", "--from", "2027-06-07"),
        *("--days", "1", "--json"),
    )
    assert {slot["site"] for slot in found} == {"Miami"}
    assert (found[0]["starts_at"], found[0]["zone"]) == ("2027-06-07T13:00:00Z", "America/New_York")


def test_proposals_carry_number_gap_and_costs(demo_file: Path) -> None:
    found = answer(
        f"sqlite:///{demo_file}",
        *("propose", "--patient", "1", "--protocol", "3 × 2 weeks", "--from", "2027-06-07"),
        *("--top", "2", "--json"),
    )
    sessions = found[0]["sessions"]
    assert [session["number"] for session in sessions] == [1, 2, 3]
    assert [session["gap_days"] for session in sessions] == [None, 14, 14]
    assert {"starts_at", "ends_at", "provider", "room", "site", "costs"} <= set(sessions[0])


def test_why_not_names_every_rule_and_what_blocks(demo_file: Path) -> None:
    found = answer(
        f"sqlite:///{demo_file}",
        *("why-not", "--service", "CONSULT", "--site", "Miami", "--on", "2027-06-06", "--json"),
    )
    assert {reason["code"] for one in found for reason in one["reasons"]} >= {"site.outside_hours"}
    assert {"starts_at", "ends_at", "zone", "provider", "reasons"} <= set(found[0])
    assert found[0]["reasons"][0]["text"].startswith("Miami")


def test_what_is_offered_has_no_reason_against_it(demo_file: Path) -> None:
    url = f"sqlite:///{demo_file}"
    slot = answer(
        url, "slots", "--service", "CONSULT", "--from", "2027-06-07", "--days", "1", "--json"
    )[0]
    local = datetime.fromisoformat(slot["starts_at"]).astimezone(ZoneInfo(slot["zone"]))
    found = answer(
        url,
        *("why-not", "--service", "CONSULT", "--site", slot["site"], "--on", "2027-06-07"),
        *("--provider", slot["provider"], "--at", f"{local:%H:%M}", "--json"),
    )
    assert found == []


def test_an_export_says_everything_of_an_appointment_and_no_secret(demo_file: Path) -> None:
    done = run(f"sqlite:///{demo_file}", "export")
    found = json.loads(done.stdout)
    wanted = {
        *("uid", "sequence", "status", "patient", "provider", "room", "site", "service"),
        *("course", "number", "starts_at", "ends_at", "room_until", "patient_until"),
    }
    assert wanted <= set(found["appointments"][0])
    assert "password_hash" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("slots", "--service", "NOTHING"), "there is no such service NOTHING: there are "),
        (("slots", "--service", "CONSULT", "--days", "0"), "Invalid value for '--days'"),
        (("slots", "--service", "CONSULT", "--from", "2027-02-30"), "is not a date such as"),
        (("slots", "--service", "CONSULT", "--minutes", "7"), "minutes are a multiple of five."),
        (("slots",), "Missing option '--service'."),
        (("propose", "--patient", "nobody", "--protocol", "1"), "there is no such patient nobody."),
        (
            ("propose", "--patient", "1", "--protocol", "9 × 9"),
            "there is no such protocol 9 × 9: there are ",
        ),
        (("propose", "--patient", "1", "--protocol", "1", "--top", "21"), "Invalid value"),
        (
            (
                "why-not",
                "--service",
                "CONSULT",
                "--site",
                "Miami",
                "--on",
                "2027-06-07",
                "--at",
                "25:00",
            ),
            "'25:00' is not a time such as 14:30.",
        ),
        (
            ("why-not", "--service", "CONSULT", "--site", "Nowhere", "--on", "2027-06-07"),
            "there is no such site Nowhere: there are ",
        ),
        (("user", "add", "x", "--role", "boss"), "Invalid value for '--role'"),
        (("nonsense",), "No such command 'nonsense'."),
    ],
)
def test_bad_use_gets_one_sentence_and_exit_code_2(
    demo_file: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = run(f"sqlite:///{demo_file}", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert sentence in done.stderr


def test_a_database_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite3"
    done = run(f"sqlite:///{path}", "audit")
    assert (done.returncode, path.exists()) == (2, False)
    assert "run `planner init`" in done.stderr


def test_the_demo_passes_the_audit_but_for_what_was_changed_after_it_was_booked(
    demo_file: Path,
) -> None:
    done = run(f"sqlite:///{demo_file}", "audit")
    *lines, summary = done.stdout.splitlines()
    found = Counter(line.split(": ")[1] for line in lines)
    assert (done.returncode, summary) == (0, "0 violations, 15 outside a rule since.")
    assert found == {"provider.retired": 14, "room.out_of_service": 1}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (
            "UPDATE appointment SET starts_at = datetime(starts_at, '-40 days') || '.000000',"
            " ends_at = datetime(ends_at, '-40 days') || '.000000',"
            " room_from = datetime(room_from, '-40 days') || '.000000'"
            " WHERE course_session_id IS NOT NULL AND status = 'booked'",
            "trail.starts_at",
        ),
        ("UPDATE appointment SET room_until = ends_at", "trail.room_until"),
        ("UPDATE appointment SET patient_until = ends_at", "trail.patient_until"),
        ("UPDATE patient SET birth_date = '2020-01-01'", "trail.birth_date"),
        ("UPDATE appointment SET status = 'released' WHERE status = 'booked'", "trail.status"),
        ("DELETE FROM date_to_avoid", "trail.row"),
    ],
)
def test_what_was_changed_past_the_trail_is_a_violation(
    demo: Path, statement: str, code: str
) -> None:
    tamper(demo, statement)
    done = run(f"sqlite:///{demo}", "audit")
    assert (done.returncode, f"violation: {code}: " in done.stdout) == (1, True)


def test_a_changed_row_of_the_chain_is_found(demo: Path) -> None:
    tamper(demo, "UPDATE audit SET reason = 'another' WHERE id = 5")
    done = run(f"sqlite:///{demo}", "audit", "verify")
    assert (done.returncode, "row 5: hash" in done.stdout) == (1, True)


def test_a_trail_that_was_cut_off_is_found(demo: Path) -> None:
    head = run(f"sqlite:///{demo}", "audit", "verify").stdout.split()[-1]
    whole = run(f"sqlite:///{demo}", "audit", "verify", "--expect", head)
    tamper(demo, "DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)")
    cut = run(f"sqlite:///{demo}", "audit", "verify", "--expect", head[:16])
    assert (whole.returncode, "The expected head is row" in whole.stdout) == (0, True)
    assert (cut.returncode, ": head\nThe expected head is not in" in cut.stdout) == (1, True)


def tamper(path: Path, statement: str) -> None:
    """Change the file as somebody could who has it, guards taken away and put back."""
    with sqlite3.connect(path) as connection:
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)
    connection.close()


def test_what_the_server_itself_logs_holds_no_token(capfd: pytest.CaptureFixture[str]) -> None:
    log, token = Log(Config()), "T0ken_" + "x" * 37
    log.warning(
        "Invalid request from ip=192.0.2.1: Invalid Request Line 'GET /cal/%s.ics X'", token
    )
    try:
        Path(f"/p/{token}").read_bytes()
    except OSError:
        log.exception("Error handling request %s", f"/cal/{token}.ics")
    written = capfd.readouterr().err
    assert (
        token in written,
        written.count("GET /cal/….ics"),
        "'/p/…'" in written,
    ) == (
        False,
        1,
        True,
    )


def test_what_nobody_needs_is_removed_and_counted(demo: Path) -> None:
    url = f"sqlite:///{demo}"
    with contextlib.closing(sqlite3.connect(demo)) as connection:
        connection.execute(
            "INSERT INTO throttle (subject, failures, last_failed_at)"
            " VALUES ('pair:old', 3, '2020-01-01 00:00:00.000000')"
        )
        connection.commit()
    first, then = run(url, "tidy"), run(url, "tidy")
    assert [(done.returncode, done.stdout.split()[0] == "0") for done in (first, then)] == [
        (0, False),
        (0, True),
    ]
