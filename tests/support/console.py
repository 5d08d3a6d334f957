"""What the pages of a browser test complained about."""

from __future__ import annotations

import re
from typing import Any


class Console:
    """The errors that pages reported, less those that the test expects.

    A browser reports each answer of 4xx or 5xx as an error of the page. A test that provokes one
    says so: ``console_errors.expect("status of 409")``.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def expect(self, pattern: str) -> None:
        """Let errors pass that this regular expression is found in."""
        self._expected.append(re.compile(pattern))

    def watch(self, context: Any) -> None:
        """Collect from every page of a Playwright browser context."""
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.errors.append(f"uncaught: {error.error}"))

    def unexpected(self) -> list[str]:
        """Return the errors that nobody expected."""
        return [
            error
            for error in self.errors
            if not any(pattern.search(error) for pattern in self._expected)
        ]

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")
