"""Where the files of a test run lie: in memory, if there is room, so that no commit waits for a disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3  # bytes: far more than a run takes, or a small container has


def folder(*, for_programs: bool = False) -> Path | None:
    """Return a folder in memory with room for a run; None leaves the files where they usually are.

    ``for_programs`` asks for one from which programs may be started too.
    """
    if not os.access(MEMORY, os.W_OK | os.X_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        return None
    if for_programs and os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return None
    return MEMORY
