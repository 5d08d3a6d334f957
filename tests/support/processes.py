"""Processes that start quickly: forked from one that has loaded what they need, with no thread or connection."""

from __future__ import annotations

import multiprocessing

LOADED = ["planner.__main__", "tests.db.test_races", "tests.races.arena", "tests.support.commands"]
"""One list for all: the first who asks decides what is loaded."""


def context() -> multiprocessing.context.ForkServerContext:
    """Return what starts them."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(LOADED)
    return found
