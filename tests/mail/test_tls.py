"""Mail over TLS with real certificates: trusted by whoever trusts the authority, and refused otherwise."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from planner.db.models import Message
from planner.mail.transports import Smtp
from tests.mail.conftest import Clock, make_worker
from tests.support import post_office
from tests.support.databases import sqlite_only
from tests.support.post_office import PostOffice

HOST = "127.0.0.1"
LONG_AGO = datetime(2021, 1, 1, tzinfo=UTC)
CERTIFICATES: dict[str, dict[str, Any]] = {
    "good": {"identities": [HOST]},
    "of another host": {"identities": ["mail.example.com"]},
    "expired": {
        "identities": [HOST],
        "not_before": LONG_AGO - timedelta(days=30),
        "not_after": LONG_AGO,
    },
}
Post = Callable[..., int]
Read = Callable[[int], Message]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority of this house, that no system knows."""
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """The same, trusted as docs/running.md says."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


def serving(authority: trustme.CA, which: str) -> ssl.SSLContext:
    """Return how a server with that certificate speaks TLS."""
    how = dict(CERTIFICATES[which])
    certificate = authority.issue_cert(*how.pop("identities"), **how)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def send(post: Post, read: Read, security: str, how: dict[str, Any]) -> tuple[Message, PostOffice]:
    """Let a worker that signs in send one message; return what became of it, and the server."""
    clock, id_ = Clock(), post("ana@example.com")
    office = PostOffice(asks_who=True)
    user = {
        "authenticator": post_office.only("planner", "right", office),
        "auth_require_tls": False,
    }
    with post_office.opened(office, **user, **how):
        mail = Smtp(
            host=HOST, port=office.port, security=security, user="planner", password="right",
            timeout=5,
        )  # fmt: skip
        make_worker(office.port, clock, mail=mail).once()
    return read(id_), office


def ways(context: ssl.SSLContext) -> dict[str, dict[str, Any]]:
    """Return how a server is told to offer TLS in each of the two ways."""
    return {"starttls": {"tls_context": context}, "tls": {"ssl_context": context}}


@sqlite_only
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_leaves_over_tls_where_the_authority_is_trusted(
    trusted: trustme.CA, post: Post, read: Read, security: str
) -> None:
    row, office = send(post, read, security, ways(serving(trusted, "good"))[security])
    assert (row.status, row.last_error, office.recipients) == ("sent", "", ["ana@example.com"])
    assert office.is_encrypted


@sqlite_only
@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("which", ["of another host", "expired"])
def test_a_wrong_certificate_gets_neither_password_nor_mail(
    trusted: trustme.CA, post: Post, read: Read, security: str, which: str
) -> None:
    row, office = send(post, read, security, ways(serving(trusted, which))[security])
    assert (row.status, row.reason, row.attempts) == ("waiting", "unreachable", 0)
    said = {"of another host": "IP address mismatch", "expired": "certificate has expired"}
    assert said[which] in row.last_error
    assert (office.taken, office.passwords) == ([], 0)


@sqlite_only
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_authority_that_nobody_trusts_gets_neither_password_nor_mail(
    authority: trustme.CA, post: Post, read: Read, security: str
) -> None:
    row, office = send(post, read, security, ways(serving(authority, "good"))[security])
    assert (row.status, row.reason) == ("waiting", "unreachable")
    assert "certificate verify failed" in row.last_error
    assert (office.taken, office.passwords) == ([], 0)


@sqlite_only
def test_without_the_offer_of_starttls_nothing_is_said_in_the_clear(post: Post, read: Read) -> None:
    row, office = send(post, read, "starttls", {})
    assert (row.status, row.reason) == ("waiting", "unreachable")
    assert "STARTTLS" in row.last_error
    assert (office.taken, office.passwords) == ([], 0)
