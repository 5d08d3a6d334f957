"""Who may sign in, and as what: set up by a manager."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from planner import passwords
from planner.actions.catalogue import checks
from planner.actions.catalogue.clinic import LANGUAGES
from planner.db import catalogue, feeds, users
from planner.db.engine import Tx, transaction
from planner.db.models import Provider, Site, User
from planner.errors import Invalid
from planner.who import Who

ROLES = ("receptionist", "provider", "manager")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserValues:
    """A user as typed; a user in the role of provider is linked to one."""

    email: str
    name: str
    role: str
    language: str = "en"
    provider_id: int | None = None
    site_id: int | None = None


def add(values: UserValues, password: str, *, by: Who, now: datetime) -> int:
    """Add somebody who may sign in; return the id. Raises Invalid."""
    weakness = passwords.find_weakness(password, email=values.email)
    checks.raise_if({**_problems(values), "password": weakness})
    password_hash = passwords.hashed(password)

    def work(tx: Tx) -> int:
        _expect_known(tx, values, None)
        typed = {**_stored(values), "password_hash": password_hash, "created_at": tx.now}
        return catalogue.write(tx.session, User, None, 0, typed).id

    return transaction(work, by=by, now=now, action="user.add")


def change(
    user_id: int, values: UserValues, *, is_active: bool, version: int, by: Who, now: datetime
) -> None:
    """Change a user. Losing a role or the right to sign in ends their sessions at once;
    leaving, or becoming another provider, ends the calendars they subscribe to.

    Raises Invalid for whoever would take their own rights away, or those of the last manager.
    """
    checks.raise_if(_problems(values))

    def work(tx: Tx) -> None:
        managers = users.lock_managers(tx.session)
        user = catalogue.get(tx.session, User, user_id)
        loses = user.role != values.role or (user.is_active and not is_active)
        if loses and user_id == by.user_id:
            raise Invalid({"role" if is_active else "is_active": "yourself"})
        if loses and managers == {user_id}:
            raise Invalid({"role" if is_active else "is_active": "last_manager"})
        _expect_known(tx, values, user_id)
        if not is_active or user.provider_id != values.provider_id:
            feeds.revoke_of_user(tx, user_id)
        typed = {**_stored(values), "is_active": is_active}
        catalogue.write(tx.session, User, user_id, version, typed)
        if loses:
            users.end_sign_ins(tx.session, user_id)

    transaction(work, by=by, now=now, action="user.change")


def set_password(user_id: int, password: str, *, by: Who, now: datetime) -> None:
    """Give a user a new password, and sign them out everywhere. Raises Invalid or NotFound."""

    def work(tx: Tx) -> None:
        user = catalogue.get(tx.session, User, user_id)
        checks.raise_if({"password": passwords.find_weakness(password, email=user.email)})
        user.password_hash = passwords.hashed(password)
        users.end_sign_ins(tx.session, user_id)

    transaction(work, by=by, now=now, action="user.set_password")


def _stored(values: UserValues) -> dict[str, object]:
    return {**asdict(values), "email": values.email.strip().lower()}


def _expect_known(tx: Tx, values: UserValues, but_id: int | None) -> None:
    if catalogue.is_taken(tx.session, User, but_id=but_id, email=values.email.strip()):
        raise Invalid({"email": "taken"})
    if values.provider_id and not catalogue.known(tx.session, Provider, (values.provider_id,)):
        raise Invalid({"provider_id": "choice"})
    if values.site_id and not catalogue.known(tx.session, Site, (values.site_id,)):
        raise Invalid({"site_id": "choice"})


def _problems(values: UserValues) -> dict[str, str | None]:
    is_unlinked = values.role == "provider" and values.provider_id is None
    return {
        "email": checks.mail(values.email.strip(), required=True),
        "name": checks.text(values.name, 120, required=True),
        "role": checks.one_of(values.role, ROLES),
        "language": checks.one_of(values.language, LANGUAGES),
        "provider_id": "provider_missing" if is_unlinked else None,
    }
