"""``python -m tools.pictures``: take the README's pictures again, from a demo clinic on one fixed morning."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tools import assets, chromium
from tools.steps import ROOT, say

os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(assets.node()))

import time_machine
from flask import Flask
from playwright.sync_api import Page, ViewportSize, sync_playwright
from werkzeug.serving import make_server

from planner import clock, demo
from planner.actions import access, setup
from planner.app import create_app
from planner.config import Settings
from planner.who import SYSTEM

FOLDER = ROOT / "docs" / "images"
MORNING = datetime(2027, 3, 2, 10, 40, tzinfo=ZoneInfo("America/New_York"))
WIDTH = 1280
DEEP, LOW = 1560, 900
MOSTLY_OPEN = "tr:has([aria-label$='not booked, not booked']) a"


def main() -> int:
    """Make the demo clinic, serve it, and take each picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, time_machine.travel(MORNING, tick=True):
        app = _clinic(Path(folder))
        with _served(app) as address, _browser() as page:
            _sign_in(page, address)
            _course(page, address)
            _day(page, address, MORNING.date())
    return 0


def _clinic(folder: Path) -> Flask:
    url = f"sqlite:///{folder / 'planner.sqlite3'}"
    settings = Settings(database_url=url, secret_key="only for pictures " * 3, log_level="error")
    setup.make_tables(url)
    with create_app(settings, for_serving=False).app_context():
        setup.seed_shipped(by=SYSTEM, now=clock.now())
        say("A demo clinic …")
        demo.fill("M", seed=1, today=MORNING.date(), progress=_quietly, now=clock.now())
    return create_app(settings)


def _quietly(what: str, done: int, total: int) -> None:
    """Say nothing: it takes some seconds only."""


@contextmanager
def _served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def _browser() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=list(chromium.FLAGS)
        )
        yield browser.new_page(
            viewport=_sized(LOW), color_scheme="light", reduced_motion="reduce", locale="en-US"
        )
        browser.close()


def _sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/sign-in")
    page.locator("input[name=email]").fill("reception@example.com")
    page.locator("input[name=password]").fill(access.DEMO_PASSWORD)
    page.locator("main .btn-primary").click()
    page.wait_for_load_state("networkidle")


def _course(page: Page, address: str) -> None:
    """A course of which something is still to be booked, with its three proposals."""
    page.goto(f"{address}/courses")
    links = [row.get_attribute("href") for row in page.locator(MOSTLY_OPEN).all()]
    for link in reversed(links):
        page.goto(f"{address}{link}")
        if page.locator(".proposals").count():
            break
    _take(page, "course", DEEP)


def _day(page: Page, address: str, day: date) -> None:
    page.goto(f"{address}/day?date={day}")
    _take(page, "day", LOW)


def _take(page: Page, name: str, height: int) -> None:
    page.set_viewport_size(_sized(height))
    page.wait_for_load_state("networkidle")
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path)
    say(f"{path.relative_to(ROOT)}, {path.stat().st_size // 1000} kB")


def _sized(height: int) -> ViewportSize:
    return {"width": WIDTH, "height": height}


if __name__ == "__main__":
    sys.exit(main())
