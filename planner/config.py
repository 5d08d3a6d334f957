"""What differs from machine to machine: read once from the environment, frozen afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

INSTANCE = Path("instance")
SHORTEST_SECRET = 32


class BadSetting(Exception):
    """A setting cannot be understood; the message is one sentence that says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. ``TABLE`` says for each where it is read from and what it means."""

    database_url: str
    secret_key: str
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    public_url: str = ""
    trusted_proxies: int = 0
    idle_minutes: int = 15
    session_hours: int = 12
    log_level: str = "info"
    mail: str = "none"
    mail_from: str = ""
    mail_reply_to: str = ""
    mail_folder: str = "instance/mail"
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: str = "starttls"
    smtp_user: str = ""
    smtp_password: str = ""
    sms: str = "none"
    sms_url: str = "https://api.twilio.com"
    sms_account: str = ""
    sms_token: str = ""
    sms_from: str = ""

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the application over https."""
        return self.public_url.startswith("https://")

    @property
    def public_host(self) -> str:
        """Return the name under which browsers reach the application; empty when it is not set."""
        return urlsplit(self.public_url).hostname or ""

    @property
    def address(self) -> str:
        """Return the address people open."""
        return self.public_url or f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One environment variable: its name, the field it fills, its meaning."""

    variable: str
    field: str
    default: str
    meaning: str


TABLE = (
    Setting(
        variable="PLANNER_DATABASE_URL",
        field="database_url",
        default="sqlite in instance/planner.sqlite3",
        meaning="Database: `sqlite:///path` or `postgresql://user:password@host/name`.",
    ),
    Setting(
        variable="PLANNER_SECRET_KEY",
        field="secret_key",
        default="made once, kept in instance/secret_key",
        meaning="At least 32 characters; the same on every host.",
    ),
    Setting(
        variable="PLANNER_HOST",
        field="host",
        default="127.0.0.1",
        meaning="Address to listen on.",
    ),
    Setting(variable="PLANNER_PORT", field="port", default="8000", meaning="Port to listen on."),
    Setting(
        variable="PLANNER_WORKERS",
        field="workers",
        default="2",
        meaning="Processes that answer requests; about one a core.",
    ),
    Setting(
        variable="PLANNER_PUBLIC_URL",
        field="public_url",
        default="(none)",
        meaning="The address people open, such as `https://planner.example.com`; it also switches on"
        " secure cookies, and is the only host answered.",
    ),
    Setting(
        variable="PLANNER_TRUSTED_PROXIES",
        field="trusted_proxies",
        default="0",
        meaning="How many reverse proxies stand in front and set X-Forwarded headers.",
    ),
    Setting(
        variable="PLANNER_IDLE_MINUTES",
        field="idle_minutes",
        default="15",
        meaning="Minutes without a click after which one has to sign in again.",
    ),
    Setting(
        variable="PLANNER_SESSION_HOURS",
        field="session_hours",
        default="12",
        meaning="Hours after which one has to sign in again in any case.",
    ),
    Setting(
        variable="PLANNER_LOG_LEVEL",
        field="log_level",
        default="info",
        meaning="debug, info, warning or error.",
    ),
    Setting(
        variable="PLANNER_MAIL",
        field="mail",
        default="none",
        meaning="How `planner worker` sends mail: `smtp`; `console` or `file` to try it out; `none`:"
        " messages wait.",
    ),
    Setting(
        variable="PLANNER_MAIL_FROM",
        field="mail_from",
        default="(none)",
        meaning="The address mail comes from, of a mailbox that takes answers. Needed to send any.",
    ),
    Setting(
        variable="PLANNER_MAIL_REPLY_TO",
        field="mail_reply_to",
        default="(the same)",
        meaning="Where answers go, when that is another address.",
    ),
    Setting(
        variable="PLANNER_MAIL_FOLDER",
        field="mail_folder",
        default="instance/mail",
        meaning="Where `PLANNER_MAIL=file` puts its `.eml` files.",
    ),
    Setting(
        variable="PLANNER_SMTP_HOST",
        field="smtp_host",
        default="(none)",
        meaning="The mail server; needed with `PLANNER_MAIL=smtp`.",
    ),
    Setting(
        variable="PLANNER_SMTP_PORT",
        field="smtp_port",
        default="587",
        meaning="Its port: usually 587 with `starttls`, 465 with `tls`.",
    ),
    Setting(
        variable="PLANNER_SMTP_SECURITY",
        field="smtp_security",
        default="starttls",
        meaning="`starttls`, `tls`, or `none` for a server on this machine. Certificates are checked.",
    ),
    Setting(
        variable="PLANNER_SMTP_USER",
        field="smtp_user",
        default="(none)",
        meaning="The name to sign in to the mail server with, if it asks.",
    ),
    Setting(
        variable="PLANNER_SMTP_PASSWORD",
        field="smtp_password",
        default="(none)",
        meaning="The password that goes with it.",
    ),
    Setting(
        variable="PLANNER_SMS",
        field="sms",
        default="none",
        meaning="How text messages are sent: `twilio`; `none`: they wait.",
    ),
    Setting(
        variable="PLANNER_SMS_URL",
        field="sms_url",
        default="https://api.twilio.com",
        meaning="The address of Twilio's interface, or of another that speaks it.",
    ),
    Setting(
        variable="PLANNER_SMS_ACCOUNT",
        field="sms_account",
        default="(none)",
        meaning="Twilio's Account SID.",
    ),
    Setting(
        variable="PLANNER_SMS_TOKEN",
        field="sms_token",
        default="(none)",
        meaning="Twilio's Auth Token.",
    ),
    Setting(
        variable="PLANNER_SMS_FROM",
        field="sms_from",
        default="(none)",
        meaning="The number texts come from, such as +13055550100, or a Messaging Service SID.",
    ),
)


def from_environment(environment: Mapping[str, str], *, instance: Path = INSTANCE) -> Settings:
    """Return the settings of an environment. Raises BadSetting."""
    given: dict[str, Any] = {
        setting.field: _READERS.get(setting.field, _text)(setting.variable, text)
        for setting in TABLE
        if (text := environment.get(setting.variable, "").strip())
    }
    if "database_url" not in given:
        _make_folder(instance)
        given["database_url"] = f"sqlite:///{(instance / 'planner.sqlite3').absolute()}"
    if "secret_key" not in given:
        given["secret_key"] = _own_secret(instance)
    settings = Settings(**given)
    _check_ways(settings)
    return settings


def _check_ways(settings: Settings) -> None:
    """Refuse a way of sending that lacks what it needs: links lead to the public address.

    Raises BadSetting.
    """
    smtp = ("smtp_host", "public_url") if settings.mail == "smtp" else ()
    needed = {
        "mail": ("mail_from", *smtp),
        "sms": ("sms_account", "sms_token", "sms_from", "public_url"),
    }
    variables = {setting.field: setting.variable for setting in TABLE}
    for way, fields in needed.items():
        missing = [variables[field] for field in fields if not getattr(settings, field)]
        if getattr(settings, way) != "none" and missing:
            raise BadSetting(
                f"{variables[way]}={getattr(settings, way)} also needs {', '.join(missing)}."
            )
    if bool(settings.smtp_user) != bool(settings.smtp_password):
        raise BadSetting("PLANNER_SMTP_USER and PLANNER_SMTP_PASSWORD go together.")


def _text(variable: str, text: str) -> str:
    return text


def _number(least: int, most: int) -> Callable[[str, str], int]:
    def read(variable: str, text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise BadSetting(f"{variable} is a whole number from {least} to {most}, not {text!r}.")
        return int(text)

    return read


def _database(variable: str, text: str) -> str:
    if text.startswith("sqlite:///") and text != "sqlite:///":
        # Several programs open the file, not all from the same folder.
        return f"sqlite:///{Path(text.removeprefix('sqlite:///')).absolute()}"
    if not text.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        raise BadSetting(f"{variable} is sqlite:///path or postgresql://user:password@host/name.")
    _check_port(variable, text)
    return text


def _secret(variable: str, text: str) -> str:
    if len(text) < SHORTEST_SECRET:
        raise BadSetting(f"{variable} needs at least {SHORTEST_SECRET} characters.")
    return text


def _url(variable: str, text: str) -> str:
    _check_port(variable, text)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise BadSetting(f"{variable} is like https://planner.example.com, without a path.")
    return text.rstrip("/")


def _check_port(variable: str, text: str) -> None:
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise BadSetting(f"{variable} names a host or port that cannot be.") from None


def _level(variable: str, text: str) -> str:
    if text.lower() not in ("debug", "info", "warning", "error"):
        raise BadSetting(f"{variable} is debug, info, warning or error, not {text!r}.")
    return text.lower()


def _one_of(*allowed: str) -> Callable[[str, str], str]:
    def read(variable: str, text: str) -> str:
        if text.lower() not in allowed:
            raise BadSetting(f"{variable} is {', '.join(allowed)}, not {text!r}.")
        return text.lower()

    return read


def _mail_address(variable: str, text: str) -> str:
    name, at, domain = text.rpartition("@")
    is_address = name and at and "." in domain.strip(".") and text.isascii()
    if not is_address or any(sign.isspace() or sign in '<>,;:@"' for sign in name + domain):
        raise BadSetting(f"{variable} is a mail address like desk@example.com.")
    return text


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "database_url": _database,
    "secret_key": _secret,
    "port": _number(1, 65535),
    "workers": _number(1, 64),
    "public_url": _url,
    "trusted_proxies": _number(0, 5),
    "idle_minutes": _number(1, 720),
    "session_hours": _number(1, 72),
    "log_level": _level,
    "mail": _one_of("none", "console", "file", "smtp"),
    "mail_from": _mail_address,
    "mail_reply_to": _mail_address,
    "smtp_port": _number(1, 65535),
    "smtp_security": _one_of("starttls", "tls", "none"),
    "sms": _one_of("none", "twilio"),
    "sms_url": _url,
}


def _own_secret(instance: Path) -> str:
    """Return this machine's secret, made on first use and readable by its owner only."""
    path = instance / "secret_key"
    try:
        if not path.exists():
            _make_secret(path)
        found = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise BadSetting(f"The secret in {path} cannot be read or made: {error}.") from error
    if len(found) < SHORTEST_SECRET:
        raise BadSetting(f"{path} holds no secret: remove it, and a new one is made.")
    return found


def _make_secret(path: Path) -> None:
    _make_folder(path.parent)
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # readable by its owner only
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    # Linked when whole: of two processes that start at once, the second keeps the first one's.
    with contextlib.suppress(FileExistsError):
        os.link(name, path)
    Path(name).unlink()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"The folder {folder} cannot be made: {error.strerror}.") from error
