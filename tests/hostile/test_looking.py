"""Looking changes nothing: prefetching browsers, mail scanners and search engines open every link."""

from __future__ import annotations

import pytest

from tests.hostile import crawl, judge
from tests.hostile.world import PATIENT, ROLES, World, dump
from tests.support import databases

LOOKED_AT = frozenset(
    {"audit", "audit_head", "sign_in", "patient_link.last_used_at", "patient_link.file_taken_at"}
)
"""What a look may write: that somebody looked."""

SCANNER = {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "User-Agent": "Scanner/1.0"}


@databases.sqlite_only
@pytest.mark.parametrize("role", [*ROLES, "", PATIENT])
def test_opening_every_link_changes_nothing(world: World, role: str) -> None:
    before = dump(world.app, without=LOOKED_AT)
    opened = list(crawl.walk(world, role, alike=2))
    world.seen[role] = [visit.answer.text for visit in opened]
    faults = [
        f"{visit.path}: {fault}" for visit in opened for fault in judge.wrong_anywhere(visit.answer)
    ]
    assert (faults, _changed(world, before)) == ([], [])


@databases.sqlite_only
def test_asking_for_the_address_of_a_form_changes_nothing(world: World) -> None:
    """Also where a form is sent to: its address may be opened, or come with the fields in it."""
    before = dump(world.app, without=LOOKED_AT)
    actions = {
        (role if role == PATIENT else "manager", form.path): [
            (one.name, one.value) for one in form.fields
        ]
        for role in ("manager", "provider", PATIENT)
        for visit in crawl.walk(world, role, alike=1)
        for form in visit.page.forms
        if form.method == "POST"
    }
    faults = [
        f"{method} {action}: {fault}"
        for (role, action), fields in actions.items()
        for method in ("GET", "HEAD", "OPTIONS")
        for fault in judge.wrong_anywhere(
            world.ask(role, action, method=method, query_string=fields, headers=SCANNER)
        )
    ]
    assert (faults, _changed(world, before)) == ([], [])


def test_only_a_look_is_written_down_of_a_link_that_a_scanner_opens(world: World) -> None:
    before = dump(world.app, without=LOOKED_AT)
    starts = [("", start) for start in crawl.STARTS]
    for role, start in (*starts, *((PATIENT, start) for start in crawl.OWN_STARTS)):
        for method in ("HEAD", "GET", "GET"):
            world.ask(role, start, method=method, headers=SCANNER)
    assert _changed(world, before) == []


def _changed(world: World, before: dict[str, list[str]]) -> list[str]:
    after = dump(world.app, without=LOOKED_AT)
    return [name for name in before if before[name] != after[name]]
