"""Who may sign in: nobody is left without a manager, and lost rights are lost at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import passwords
from planner.actions import users
from planner.actions.users import UserValues
from planner.db.models import SignIn, User
from planner.errors import Invalid, Stale
from planner.who import Who
from tests.factories import SmallClinic

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)
PASSWORD = "seven green umbrellas at noon"
NEW = UserValues(email="Rosa@Example.com ", name="Rosa", role="receptionist")


def manager(clinic: SmallClinic) -> dict[str, Any]:
    by = Who(user_id=clinic.manager, role="manager", origin="127.0.0.1", request_id="r-1")
    return {"by": by, "now": NOW}


def user(bound: sa.Engine, user_id: int) -> User:
    with Session(bound) as session:
        return session.get_one(User, user_id)


def values_of(bound: sa.Engine, user_id: int, **changes: Any) -> UserValues:
    row = user(bound, user_id)
    stored = UserValues(email=row.email, name=row.name, role=row.role, provider_id=row.provider_id)
    return replace(stored, **changes)


def signed_in(bound: sa.Engine, user_id: int) -> None:
    with Session(bound) as session:
        session.add(
            SignIn(
                id_hash=f"{user_id:064}",
                user_id=user_id,
                contents={},
                created_at=NOW,
                seen_at=NOW,
                expires_at=NOW + timedelta(hours=12),
            )
        )
        session.commit()


def sign_ins(bound: sa.Engine) -> int:
    with Session(bound) as session:
        return len(session.scalars(sa.select(SignIn)).all())


def test_a_user_is_added_with_an_address_in_lower_case_and_a_hashed_password(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    stored = user(bound, users.add(NEW, PASSWORD, **manager(clinic)))
    assert (stored.email, passwords.matches(stored.password_hash, PASSWORD)) == (
        "rosa@example.com",
        True,
    )


@pytest.mark.parametrize(
    ("changes", "password", "expected"),
    [
        ({}, "short", {"password": "password_short"}),
        ({}, "x" * 10_000, {"password": "password_long"}),
        ({"email": "rosa"}, PASSWORD, {"email": "mail"}),
        ({"email": "MANAGER@example.com"}, PASSWORD, {"email": "taken"}),
        ({"name": ""}, PASSWORD, {"name": "missing"}),
        ({"name": "Ro\0sa"}, PASSWORD, {"name": "unprintable"}),
        ({"role": "owner"}, PASSWORD, {"role": "choice"}),
        ({"role": "provider"}, PASSWORD, {"provider_id": "provider_missing"}),
        ({"provider_id": 999}, PASSWORD, {"provider_id": "choice"}),
        ({"site_id": 999}, PASSWORD, {"site_id": "choice"}),
        ({"language": "xx"}, PASSWORD, {"language": "choice"}),
    ],
)
def test_a_user_that_cannot_be_is_refused_by_field(
    bound: sa.Engine,
    clinic: SmallClinic,
    changes: dict[str, Any],
    password: str,
    expected: dict[str, str],
) -> None:
    with pytest.raises(Invalid) as caught:
        users.add(replace(NEW, **changes), password, **manager(clinic))
    assert caught.value.fields == expected


@pytest.mark.parametrize(
    ("changes", "is_active", "expected"),
    [
        ({"role": "receptionist"}, True, {"role": "yourself"}),
        ({}, False, {"is_active": "yourself"}),
    ],
)
def test_nobody_takes_their_own_rights_away(
    bound: sa.Engine,
    clinic: SmallClinic,
    changes: dict[str, Any],
    is_active: bool,
    expected: dict[str, str],
) -> None:
    values = values_of(bound, clinic.manager, **changes)
    with pytest.raises(Invalid) as caught:
        users.change(clinic.manager, values, is_active=is_active, version=1, **manager(clinic))
    assert caught.value.fields == expected


def test_the_last_manager_stays_manager_whoever_asks(bound: sa.Engine, clinic: SmallClinic) -> None:
    by = Who(user_id=None, role="system", origin="cli")
    values = values_of(bound, clinic.manager, role="receptionist")
    with pytest.raises(Invalid) as caught:
        users.change(clinic.manager, values, is_active=True, version=1, by=by, now=NOW)
    assert caught.value.fields == {"role": "last_manager"}


def test_one_of_two_managers_may_go(bound: sa.Engine, clinic: SmallClinic) -> None:
    values = replace(NEW, role="manager")
    second = users.add(values, PASSWORD, **manager(clinic))
    users.change(second, values, is_active=False, version=1, **manager(clinic))
    assert user(bound, second).is_active is False


def test_whoever_loses_a_role_or_the_right_to_sign_in_is_signed_out_at_once(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    signed_in(bound, clinic.receptionist)
    values = values_of(bound, clinic.receptionist)
    users.change(clinic.receptionist, values, is_active=False, version=1, **manager(clinic))
    assert sign_ins(bound) == 0


def test_a_new_name_signs_nobody_out(bound: sa.Engine, clinic: SmallClinic) -> None:
    signed_in(bound, clinic.receptionist)
    values = values_of(bound, clinic.receptionist, name="Rosa")
    users.change(clinic.receptionist, values, is_active=True, version=1, **manager(clinic))
    assert sign_ins(bound) == 1


def test_a_new_password_signs_its_user_out_everywhere(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    signed_in(bound, clinic.receptionist)
    users.set_password(clinic.receptionist, PASSWORD, **manager(clinic))
    stored = user(bound, clinic.receptionist).password_hash
    assert (sign_ins(bound), passwords.matches(stored, PASSWORD)) == (0, True)


def test_a_stale_form_about_a_user_is_refused(bound: sa.Engine, clinic: SmallClinic) -> None:
    values = values_of(bound, clinic.receptionist, name="Rosa")
    users.change(clinic.receptionist, values, is_active=True, version=1, **manager(clinic))
    with pytest.raises(Stale):
        users.change(clinic.receptionist, values, is_active=True, version=1, **manager(clinic))
