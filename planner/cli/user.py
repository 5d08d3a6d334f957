"""``planner user``: add the people who sign in."""

from __future__ import annotations

import sys

import click

from planner import clock
from planner.actions import access
from planner.cli import running
from planner.errors import Invalid, NotFound
from planner.who import SYSTEM

SENTENCES = {
    "email": "that is not a mail address.",
    "email_taken": "somebody already signs in with that address.",
    "role": f"a role is one of {', '.join(access.ROLES)}.",
    "password_short": "the password needs at least 15 characters: a few words make a good one.",
    "password_long": "the password may have at most 200 characters.",
    "password_simple": "the password is too regular: use several different words.",
    "password_common": "the password is easy to guess: leave out the clinic's name and the user's.",
}


@click.group()
def user() -> None:
    """Manage who can sign in."""


@user.command()
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(access.ROLES))
@click.option("--name", default="", help="The name pages show.")
@click.option("--provider", type=int, help="The provider this user is, by number.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.pass_context
def add(
    context: click.Context, /, email: str, role: str, *, name: str, provider: int | None,
    password_stdin: bool,
) -> None:  # fmt: skip
    """Add a user. The password has at least 15 characters."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with running.inside(context):
        try:
            access.add_user(
                email,
                name=name,
                role=role,
                password=password,
                provider_id=provider,
                by=SYSTEM,
                now=clock.now(),
            )
        except Invalid as error:
            code = next(iter(error.fields.values()))
            raise running.Wrong(SENTENCES.get(code, "these values cannot be.")) from error
        except NotFound as error:
            raise running.Wrong(f"there is no provider {provider}.") from error
    click.echo(f"{email} can sign in as {role}.")
