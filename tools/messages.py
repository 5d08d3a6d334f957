"""The catalogues of ``planner/translations``: compiled in set-up, extended by ``make messages``."""

from __future__ import annotations

import sys

from tools.steps import PYTHON, ROOT, SetupError, Step, call, digest

LANGUAGES = ("es",)
FOLDER = ROOT / "planner" / "translations"
TEMPLATE = ROOT / "build" / "messages.pot"


def compiled() -> Step:
    """The translated sentences, in the form that is read at run time."""
    return Step(
        title="Translations",
        stamp=FOLDER / ".stamp",
        key=lambda: digest(FOLDER.rglob("*.po")),
        run=_compile,
    )


def main() -> int:
    """Extract, then update each catalogue; one that is not there yet is begun."""
    TEMPLATE.parent.mkdir(exist_ok=True)
    try:
        _babel("extract", "-F", "babel.cfg", "-k", "_l", "-k", "N_", "-o", str(TEMPLATE), "planner")
        for language in LANGUAGES:
            _collect(language)
    except SetupError as error:
        print(f"The sentences were not collected. {error}", file=sys.stderr)
        return 1
    return 0


def _collect(language: str) -> None:
    catalogue = FOLDER / language / "LC_MESSAGES" / "messages.po"
    arguments = ["-i", str(TEMPLATE), "-d", str(FOLDER), "-l", language]
    if not catalogue.is_file():
        _babel("init", *arguments)
        return
    head, _, _ = catalogue.read_text(encoding="utf-8").partition("\n\n")
    _babel("update", *arguments, "--no-fuzzy-matching", "--ignore-obsolete")
    # The update writes dates and blank names into the head, which would differ every time.
    _, _, sentences = catalogue.read_text(encoding="utf-8").partition("\n\n")
    catalogue.write_text(f"{head}\n\n{sentences}", encoding="utf-8")


def _compile() -> None:
    if any(FOLDER.rglob("*.po")):
        _babel("compile", "-d", str(FOLDER))


def _babel(verb: str, *arguments: str) -> None:
    # Line numbers and dates would make every change of the code a change of every catalogue.
    quiet = ["--no-location", "--sort-output", "--omit-header"] if verb == "extract" else []
    call(
        [PYTHON, "-m", "babel.messages.frontend", "-q", verb, *quiet, *arguments],
        advice="Mend the file that is named above.",
    )


if __name__ == "__main__":
    sys.exit(main())
