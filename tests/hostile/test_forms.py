"""Every form and every query × every hostile value: a page in words, and nothing lost or let in.

A seeded sample in the usual run; with ``PLANNER_LONG`` more than ten thousand requests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import time_machine

from tests.hostile import finds, judge, plan
from tests.hostile import world as worlds
from tests.hostile.plan import Case, Found
from tests.hostile.world import World
from tests.support import databases

IS_LONG = bool(os.environ.get("PLANNER_LONG"))
PARTS = 6
SIZES = {"sqlite": 12_000, "postgresql": 2_400} if IS_LONG else {"sqlite": 900, "postgresql": 160}
REFUSED_AS_MEANT = 0.15
"""Of all forms, how many may be refused although nobody has spoilt them: some lack a reason."""

UNREAD = frozenset({"edition", "Origin", "started", "choices", "back", "kept"})
"""Names in the code that are no field of a page's form: of files, headers, and of the undo offer."""

HIDDEN = frozenset({"changes.undo"})
"""What no standing page offers: tried in ``test_reach``."""

Cases = Callable[[World], list[Case]]


@pytest.fixture(scope="session")
def cases_of(run_folder: Path) -> Cases:
    """Everything to be sent to a world."""
    known: dict[int, list[Case]] = {}

    def of(world: World) -> list[Case]:
        if id(world) not in known:
            known[id(world)] = list(plan.cases(world, finds.forms(run_folder, world)))
            world.restore()
        return known[id(world)]

    return of


@databases.sqlite_only
@pytest.mark.parametrize("part", range(PARTS))
def test_no_value_in_any_field_does_harm(world: World, cases_of: Cases, part: int) -> None:
    assert _faults(world, plan.sample(cases_of(world), SIZES["sqlite"])[part::PARTS]) == []


@databases.postgresql_only
def test_no_value_in_any_field_does_harm_to_postgresql(world: World, cases_of: Cases) -> None:
    assert _faults(world, plan.sample(cases_of(world), SIZES["postgresql"])) == []


@pytest.mark.long
def test_the_pages_hold_the_same_forms_on_both_engines(
    sqlite_world: World, postgres_world: World, run_folder: Path
) -> None:
    """So that the forms found on the one can be sent to the other."""
    with time_machine.travel(worlds.NOW, tick=False):
        for world in (sqlite_world, postgres_world):
            world.restore()
            known = _lasting(finds.forms(run_folder, world))
            world.restore()
            assert _lasting(plan.forms(world)) == known


def _lasting(found: Found) -> object:
    """The forms without what is another at every look."""
    return {
        key: (
            role,
            form.page,
            form.action,
            form.buttons,
            sorted(
                (one.name, one.kind, one.value, one.is_set, one.options)
                for one in form.fields
                if one.name != "idempotency_key"
            ),
        )
        for key, (role, form) in found.items()
    }


def _faults(world: World, chosen: Sequence[Case]) -> list[object]:
    return [fault for case in chosen for fault in judge.tried(world, case)[1]]


@databases.sqlite_only
def test_forms_as_somebody_means_them_are_mostly_taken(world: World, cases_of: Cases) -> None:
    """Otherwise the values above would be tried on pages that refuse everything."""
    posts = [one for one in cases_of(world) if not one.field and one.form.method == "POST"]
    refused = [str(case) for case in posts if judge.tried(world, case)[0] >= 400]
    assert len(refused) <= REFUSED_AS_MEANT * len(posts), refused


@databases.sqlite_only
def test_every_page_that_takes_a_form_is_tried(world: World, cases_of: Cases) -> None:
    taking = {rule.endpoint for rule in world.app.url_map.iter_rules() if "POST" in _methods(rule)}
    tried = {case.endpoint for case in cases_of(world) if case.form.method == "POST"}
    assert taking - tried == HIDDEN


@databases.sqlite_only
def test_every_name_that_a_page_reads_is_tried(world: World, cases_of: Cases) -> None:
    assert plan.read_names() - {case.field for case in cases_of(world)} <= UNREAD


@databases.sqlite_only
def test_there_is_more_to_try_than_a_long_run_sends(world: World, cases_of: Cases) -> None:
    assert len(cases_of(world)) > 12_000


def _methods(rule: object) -> set[str]:
    return set(getattr(rule, "methods", None) or ())
