"""Compiled templates, kept beside the templates as Python keeps its own compiled modules.

A process would compile each again, which takes longer than to fill it in; the first page after a start
would wait a quarter of a second for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from pathlib import Path

import jinja2
from flask import Flask
from jinja2.bccache import Bucket, FileSystemBytecodeCache

FOLDER = Path(__file__).parent.parent / "templates" / "__pycache__"


class _Kept(FileSystemBytecodeCache):
    """Files of this environment; that one cannot be written never costs anybody a page."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def register(app: Flask) -> None:
    """Keep what is compiled, unless Python was told not to or the folder is not ours to write to.

    Call it last: what the templates are compiled to depends on the extensions.
    """
    if sys.dont_write_bytecode:
        return
    with contextlib.suppress(OSError):
        FOLDER.mkdir(exist_ok=True)
    if os.access(FOLDER, os.W_OK):
        pattern = f"{_word(app.jinja_env)}-%s"
        app.jinja_env.bytecode_cache = _Kept(str(FOLDER), pattern)


def _word(environment: jinja2.Environment) -> str:
    """Return a word for all that decides beside a template's text what it is compiled to."""
    facts = (
        jinja2.__version__,
        environment.trim_blocks,
        environment.lstrip_blocks,
        sorted(environment.extensions),
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
