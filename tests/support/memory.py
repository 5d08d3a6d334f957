"""Where the files of a test run lie: in memory, if there is room, so that no commit waits for a disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3  # bytes: far more than a run takes, or a small container has


def folder() -> Path | None:
    """Return a folder in memory with room for a run; None leaves the files where they usually are."""
    if not os.access(MEMORY, os.W_OK | os.X_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        return None
    return MEMORY
