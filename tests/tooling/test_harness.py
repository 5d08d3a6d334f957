"""The databases and the browser that tests ask for are what they are said to be."""

from __future__ import annotations

import sqlalchemy as sa
from playwright.sync_api import Page

from planner.db import migrate
from tests.support.console import Console
from tests.support.databases import postgresql_only, sqlite_only


def test_a_database_is_fresh_and_at_the_newest_revision(
    database_url: str, engine_kind: str
) -> None:
    engine = sa.create_engine(database_url)
    assert (engine.dialect.name, migrate.is_current(engine)) == (engine_kind, True)
    engine.dispose()


@sqlite_only
def test_a_test_can_choose_sqlite(database_url: str) -> None:
    assert database_url.startswith("sqlite:///")


@postgresql_only
def test_a_test_can_choose_postgresql(database_url: str) -> None:
    assert database_url.startswith("postgresql+psycopg://")


def test_a_page_is_as_large_as_a_desk_screen(page: Page) -> None:
    assert page.viewport_size == {"width": 1280, "height": 900}


def test_what_a_page_complains_about_is_heard(page: Page, console_errors: Console) -> None:
    page.set_content("<title>Test</title>")
    page.evaluate("console.error('lost')")
    page.evaluate("setTimeout(() => { throw new Error('broken') })")
    page.wait_for_timeout(50)
    heard = console_errors.unexpected()
    console_errors.expect("lost|broken")
    assert (["lost" in heard[0], "broken" in heard[1]], console_errors.unexpected()) == (
        [True, True],
        [],
    )
