"""``planner user``: add the people who sign in."""

from __future__ import annotations

import sys

import click

from planner import clock
from planner.actions import access
from planner.cli import running
from planner.who import SYSTEM


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
    context: click.Context,
    email: str,
    role: str,
    name: str,
    provider: int | None,
    password_stdin: bool,
) -> None:
    """Add a user. The password has at least 15 characters."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with running.inside(context):
        access.add_user(
            email,
            name=name,
            role=role,
            password=password,
            provider_id=provider,
            by=SYSTEM,
            now=clock.now(),
        )
    click.echo(f"{email} can sign in as {role}.")
