"""Who the clinic is, and its texts."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from planner import wording
from planner.db import catalogue, engine
from planner.db.models import ClinicText
from planner.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicView:
    """The clinic as its form holds it; version 0 while nothing is stored."""

    name: str = ""
    neutral_name: str = ""
    phone: str = ""
    email: str = ""
    colour: str = "#0f766e"
    languages: tuple[str, ...] = ("en", "es")
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextView:
    """A text in one language; version 0 and a placeholder while nothing is stored."""

    code: str
    language: str
    language_label: str
    text: str
    is_placeholder: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRow:
    """A text with all the clinic's languages."""

    code: str
    languages: tuple[TextView, ...]

    @property
    def missing_count(self) -> int:
        """In how many languages it is a placeholder or not there."""
        return sum(view.is_placeholder for view in self.languages)

    def get(self, language: str) -> TextView:
        """Return the text in one of the clinic's languages. Raises NotFound."""
        for view in self.languages:
            if view.language == language:
                return view
        raise NotFound(f"text {self.code} in {language}")


def show() -> ClinicView:
    """Return who the clinic is."""
    with engine.reading() as session:
        row = catalogue.clinic(session)
        if row is None:
            return ClinicView()
        return ClinicView(
            name=row.name,
            neutral_name=row.neutral_name,
            phone=row.phone,
            email=row.email,
            colour=row.colour,
            languages=tuple(row.languages),
            version=row.version,
        )


def texts(*, locale: str) -> tuple[TextRow, ...]:
    """Return every text with its languages, in the order of their codes."""
    with engine.reading() as session:
        clinic = catalogue.clinic(session)
        languages = tuple(clinic.languages) if clinic else ("en", "es")
        # Those of messages have a page of their own.
        printed = sa.select(ClinicText).where(
            ClinicText.code.not_like("mail.%"), ClinicText.code.not_like("sms.%")
        )
        rows = session.scalars(printed.order_by(ClinicText.code)).all()
    codes = dict.fromkeys(row.code for row in rows)
    stored = {(row.code, row.language): row for row in rows}
    return tuple(
        TextRow(
            code=code,
            languages=tuple(
                _text(code, language, stored.get((code, language)), locale)
                for language in languages
            ),
        )
        for code in codes
    )


def text(code: str, *, locale: str) -> TextRow:
    """Return one text. Raises NotFound."""
    found = next((row for row in texts(locale=locale) if row.code == code), None)
    if found is None:
        raise NotFound(f"text {code}")
    return found


def _text(code: str, language: str, row: ClinicText | None, locale: str) -> TextView:
    return TextView(
        code=code,
        language=language,
        language_label=wording.language(language, locale),
        text=row.text if row else "",
        is_placeholder=row.is_placeholder if row else True,
        version=row.version if row else 0,
    )
