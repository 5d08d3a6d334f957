"""How mail is made: read back by Python's own parser."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from planner.mail import letters
from planner.mail.letters import BadAddress, Letter, Line, Sender
from tests.db.conftest import NOW
from tests.support import post_office

SENDER = Sender(address="desk@clinic.example", reply_to="answers@clinic.example")


def letter(**changed: Any) -> Letter:
    return Letter(
        **{
            "recipient": "ana@example.com",
            "locale": "en",
            "practice": "GMA",
            "subject": "Your appointment on Wed 28 Oct",
            "greeting": "Hello Ana,",
            "intro": "This is your appointment:",
            "lines": (Line(when="Wednesday 28 October 2026, 9:00 AM", where=("Miami",)),),
            "link_label": "Your appointments",
            **changed,
        }
    )


def as_mail(made: Letter) -> EmailMessage:
    mail = letters.mail(made, SENDER, message_id="<key@clinic.example>", at=NOW)
    return post_office.parsed(mail.as_bytes())


def test_mail_is_plain_text_and_html_that_say_the_same_and_load_nothing() -> None:
    mail = as_mail(letter().with_link("https://planner.example.com/c/token"))
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    shape = [part.get_content_type() for part in mail.walk()]
    assert shape == ["multipart/alternative", "text/plain", "text/html"]
    for words in ("Hello Ana,", "Wednesday 28 October 2026, 9:00 AM", "Miami", "/c/token"):
        assert (words in plain.get_content(), words in page.get_content()) == (True, True)
    html = page.get_content()
    assert [word for word in ("src=", "<script", "<img", "@import", "url(") if word in html] == []
    headers = ("From", "To", "Reply-To", "Subject", "Message-ID", "Auto-Submitted")
    assert [mail[name] for name in headers] == [
        "GMA <desk@clinic.example>", "ana@example.com", "answers@clinic.example",
        "Your appointment on Wed 28 Oct", "<key@clinic.example>", "auto-generated",
    ]  # fmt: skip
    assert (mail["Content-Language"], mail["List-Unsubscribe"]) == ("en", None)


def test_every_line_ends_as_mail_wants_it_and_fits() -> None:
    long = letter(intro="ñ" * 3000 + "\n.\n..dots")
    content = letters.mail(long, SENDER, message_id="<k@x.example>", at=NOW).as_bytes()
    lines = content.split(b"\r\n")
    assert content.isascii()
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(map(len, lines)) <= 998


@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: all@example.com", "x\nBcc: all@example.com", "x\rBcc: y", "x\u2028Bcc: y"]
)
def test_no_value_writes_a_header(evil: str) -> None:
    mail = as_mail(letter(subject=evil, practice=evil, greeting=evil))
    names = {name.lower() for name in mail.keys()}  # noqa: SIM118  a mail is no dict
    assert ("bcc" in names, len(mail.get_all("Subject", []))) == (False, 1)
    for address in (evil, f"{evil}@example.com", f"a@{evil}"):
        with pytest.raises(BadAddress):
            letters.mail(letter(recipient=address), SENDER, message_id="<k@x>", at=NOW)


@pytest.mark.parametrize("address", ["", "x", "@", "a@", "@b.example", "a b@c.example", "a@b@c"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadAddress):
        letters.mail(letter(recipient=address), SENDER, message_id="<k@x>", at=NOW)


def test_a_text_message_keeps_its_link_whole() -> None:
    link = "https://planner.example.com/c/" + "t" * 43
    text = letters.text_message(letter(short="word " * 200).with_link(link))
    assert (text.endswith(f"… {link}"), len(text) <= 480, "\n" in text) == (True, True, False)


@pytest.mark.parametrize(
    "name", ['Ana "la Flaca" O’Neil', "Skin; Ltd, <x@example.com>", "Zoë 🌷 \\ مريم"]
)
def test_quotes_semicolons_and_every_script_in_names_come_back_as_they_were(name: str) -> None:
    mail = as_mail(letter(practice=name, greeting=f"Hello {name},", subject=f"{name}: visit"))
    (sender,), (recipient,) = mail["From"].addresses, mail["To"].addresses
    assert (sender.display_name, sender.addr_spec) == (name, "desk@clinic.example")
    assert (recipient.addr_spec, mail["Subject"]) == ("ana@example.com", f"{name}: visit")
    assert f"Hello {name}," in post_office.text_of(mail)


def test_a_note_of_300_emoji_is_whole_in_both_parts() -> None:
    note = "💉🏖🫨" * 100
    mail = as_mail(letter(notes=(note,)))
    page = mail.get_body(("html",))
    assert page is not None
    assert (note in post_office.text_of(mail), note in page.get_content()) == (True, True)
    assert max(map(len, mail.as_bytes().splitlines())) <= 998
