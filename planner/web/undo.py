"""The offer to take a change back: a toast that stands for two minutes on the next page."""

from __future__ import annotations

from flask import flash, url_for


def offer(text: str, change_key: str | None) -> None:
    """Say on the next page what was done, with a button that undoes it while there is time."""
    if change_key:
        flash({"text": text, "undo_url": url_for("changes.undo", key=change_key)}, "undo")  # type: ignore[arg-type]  # the frame draws a toast of it
    else:
        flash(text, "success")
