"""The forms that there are, found by walking through all pages once for a whole test run.

The clinic is the same in every process and on either engine but for what is random: the keys of its rows,
which are kept as names, and the tokens that a form is sent with, which each world adds itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from planner.db.engine import db
from tests.hostile import plan
from tests.hostile.pages import Field, Form
from tests.hostile.plan import Found
from tests.hostile.world import PATIENT, ROLES, World
from tests.support import databases
from tests.web.conftest import csrf_of

TOKEN = "csrf_token"
WITH_A_FORM = {"": "/sign-in", PATIENT: "/visits"}


def forms(run: Path, world: World) -> Found:
    """Return every form that somebody finds in a world as it was made, as ``plan.forms`` does."""
    names = _names(world)
    text = databases.once(run / "forms", lambda: _translated(told(plan.forms(world)), names))
    tokens = {role: _token(world, role) for role in (*ROLES, *WITH_A_FORM)}
    found = {}
    for key, role, form in json.loads(
        _translated(text, {name: key for key, name in names.items()})
    ):
        endpoint, method, shape = key
        found[endpoint, method, tuple(shape)] = (role, _form(form, tokens[role]))
    return found


def told(found: Found) -> str:
    """Return the forms as a text, without their tokens."""
    rows = [(key, role, asdict(form)) for key, (role, form) in found.items()]
    for _key, _role, form in rows:
        for field in form["fields"]:
            field["value"] = "" if field["name"] == TOKEN else field["value"]
    return json.dumps(rows)


def _form(told: dict[str, Any], token: str) -> Form:
    fields = [Field(**field) for field in told["fields"]]
    for field in fields:
        field.value = token if field.name == TOKEN else field.value
    buttons = [(name, value) for name, value in told["buttons"]]
    return Form(**{**told, "fields": fields, "buttons": buttons})


def _names(world: World) -> Mapping[str, str]:
    """Return the names of all rows that have a key, by their keys."""
    with world.app.app_context(), db.engine.connect() as connection:
        return {
            key: f"<{table.name} {number}>"
            for table in db.metadata.sorted_tables
            if {"id", "key"} <= set(table.c.keys())
            for number, key in connection.execute(sa.select(table.c.id, table.c.key))
        }


def _translated(text: str, words: Mapping[str, str]) -> str:
    return re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], text)


def _token(world: World, role: str) -> str:
    return csrf_of(world.ask(role, WITH_A_FORM.get(role, "/account")).text)
