"""Whatever is typed under Settings that cannot be gets a sentence, keeps what was typed, and is no fault."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

import pytest

from tests.web.managing import (
    ABSENCE,
    CLINIC,
    HOURS,
    HUGE,
    PROTOCOL,
    RULE,
    SERVICE,
    SITE,
    USER,
    VERSION,
    Manager,
    address,
    manager,
    words,
)

__all__ = ["manager"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silly:
    """Something that cannot be: where it is typed, and what is said."""

    url: str
    sound: dict[str, Any]
    typed: dict[str, Any]
    said: str
    kept: str = ""


SILLY = (
    Silly(url="sites/new", sound=SITE, typed={"name": ""}, said="Please fill this in."),
    Silly(url="sites/new", sound=SITE, typed={"name": "   "}, said="Please fill this in."),
    Silly(url="sites/new", sound=SITE, typed={"name": HUGE}, said="At most 80 characters"),
    Silly(url="sites/new", sound=SITE, typed={"name": "Mia\x07mi"}, said="cannot be printed"),
    Silly(url="sites/new", sound=SITE, typed={"name": "Miami"}, said="Another one already has"),
    Silly(url="sites/new", sound=SITE, typed={"phone": "call us"}, said="seven digits"),
    Silly(url="sites/new", sound=SITE, typed={"zone": "Mars/Olympus"}, said="no such time zone"),
    Silly(url="sites/new", sound=SITE, typed={"zone": "../../etc"}, said="no such time zone"),
    Silly(url="sites/new", sound=SITE, typed={"grid_minutes": "7"}, said="choose from the list"),
    Silly(url="sites/new", sound=SITE, typed={"grid_minutes": "x"}, said="choose from the list"),
    Silly(url="sites/new", sound=SITE, typed={"colour": "url(x)"}, said="one of the colours"),
    Silly(url="sites/new", sound=SITE, typed={"position": "1e3"}, said="not a whole number"),
    Silly(url="sites/new", sound=SITE, typed={"position": "9" * 9999}, said="whole number"),
    Silly(
        url="sites/{miami}/hours",
        sound=HOURS,
        typed={"rows-0-starts": "25:00"},
        said="“25:00” is not a time of day",
        kept="25:00",
    ),
    Silly(
        url="sites/{miami}/hours", sound=HOURS, typed={"rows-0-ends": "08:00"}, said="ends before"
    ),
    Silly(url="sites/{miami}/hours", sound=HOURS, typed={"rows-0-ends": ""}, said="give a time"),
    Silly(
        url="sites/{miami}/hours",
        sound=HOURS,
        typed={"rows-0-starts": "09:07"},
        said="five minutes",
    ),
    Silly(
        url="sites/{miami}/hours",
        sound=HOURS,
        typed={"rows-0-valid_from": "2027-02-30"},
        said="“2027-02-30” is not a date",
        kept="2027-02-30",
    ),
    Silly(
        url="sites/{miami}/hours", sound=HOURS, typed={"rows-0-weekday": "9"}, said="Not a valid"
    ),
    Silly(
        url="sites/{miami}/hours",
        sound=HOURS,
        typed={"rows-1-weekday": "0", "rows-1-starts": "12:00", "rows-1-ends": "20:00"},
        said="overlaps another",
        kept="20:00",
    ),
    Silly(
        url="providers/{md}/hours/{miami}",
        sound=HOURS,
        typed={"rows-0-kind": "nap"},
        said="Not a valid",
    ),
    Silly(
        url="providers/{md}/hours/{miami}",
        sound=HOURS,
        typed={"rows-0-valid_from": "2027-05-01", "rows-0-valid_until": "2027-04-01"},
        said="The last day lies before the first.",
    ),
    Silly(url="sites/{miami}/closures", sound=ABSENCE, typed={"from_date": ""}, said="give a date"),
    Silly(
        url="sites/{miami}/closures",
        sound=ABSENCE,
        typed={"until_date": "2027-05-01"},
        said="The last day lies before the first.",
    ),
    Silly(
        url="providers/{md}/absences",
        sound=ABSENCE,
        typed={"from_date": "0001-01-01"},
        said="between 2000 and 2199",
    ),
    Silly(
        url="providers/{md}/absences",
        sound=ABSENCE,
        typed={"starts": "09:00"},
        said="both times, or neither",
    ),
    Silly(
        url="rooms/{miami_1}/outages",
        sound=ABSENCE,
        typed={"starts": "12:00", "ends": "11:00"},
        said="ends before it starts",
    ),
    Silly(
        url="rooms/{miami_1}/outages",
        sound=ABSENCE,
        typed={"reason": HUGE},
        said="At most 200 characters",
    ),
    Silly(url="services/new", sound=SERVICE, typed={"minutes": "-5"}, said="from 5 to 480"),
    Silly(url="services/new", sound=SERVICE, typed={"minutes": "47"}, said="multiple of 5"),
    Silly(url="services/new", sound=SERVICE, typed={"minutes": ""}, said="fill this in"),
    Silly(url="services/new", sound=SERVICE, typed={"minutes": " "}, said="whole number"),
    Silly(
        url="services/new",
        sound=SERVICE,
        typed={"minutes_choices": "30, many"},
        said="numbers with commas",
        kept="30, many",
    ),
    Silly(url="services/new", sound=SERVICE, typed={"minutes_choices": "31"}, said="five minutes"),
    Silly(url="services/new", sound=SERVICE, typed={"kind": "surgery"}, said="Not a valid choice"),
    Silly(url="services/new", sound=SERVICE, typed={"code": "CONSULT"}, said="already has this"),
    Silly(url="protocols/new", sound=PROTOCOL, typed={"sessions": "0"}, said="from 1 to 12"),
    Silly(url="protocols/new", sound=PROTOCOL, typed={"sessions": "13"}, said="from 1 to 12"),
    Silly(url="protocols/new", sound=PROTOCOL, typed={"gap_floor": "22"}, said="lies below “not"),
    Silly(url="protocols/new", sound=PROTOCOL, typed={"gap_soft_max": "366"}, said="1 to 365"),
    Silly(url="protocols/new", sound=PROTOCOL, typed={"gap_target": "two"}, said="whole number"),
    Silly(url="protocols/new", sound=PROTOCOL, typed={"service_id": "999"}, said="from the list"),
    Silly(
        url="rules/room.turnover_minutes", sound=RULE, typed={"number": "-1"}, said="from 0 to 120"
    ),
    Silly(
        url="rules/room.turnover_minutes",
        sound=RULE,
        typed={"effective_from": "2020-01-01"},
        said="from today on",
    ),
    Silly(
        url="rules/room.turnover_minutes",
        sound=RULE,
        typed={"scope": "site:999"},
        said="choose from the list",
    ),
    Silly(
        url="rules/gap.new_zones",
        sound={**RULE, "part_floor": "7", "part_target": "14", "part_soft_max": "21"},
        typed={"part_floor": "15"},
        said="rise from left to right",
    ),
    Silly(url="clinic", sound=CLINIC, typed={"email": "nobody"}, said="not a mail address"),
    Silly(url="clinic", sound=CLINIC, typed={"languages": []}, said="at least one language"),
    Silly(url="clinic", sound=CLINIC, typed={"colour": "#12"}, said="one of the colours"),
    Silly(url="users/new", sound=USER, typed={"password": "short"}, said="at least 15"),
    Silly(url="users/new", sound=USER, typed={"email": "a b@c.d"}, said="not a mail address"),
    Silly(url="users/new", sound=USER, typed={"email": "manager@example.com"}, said="already has"),
    Silly(url="users/new", sound=USER, typed={"role": "provider"}, said="which provider"),
    Silly(url="users/new", sound=USER, typed={"role": "owner"}, said="Not a valid choice"),
    Silly(
        url="users/{receptionist}/password",
        sound={},
        typed={"password": "seven green umbrellas", "again": "seven red umbrellas"},
        said="do not agree",
    ),
    Silly(
        url="site/{miami}/retire",
        sound={},
        typed={"retired_from": "2027-13-01"},
        said="“2027-13-01” is not a date",
        kept="2027-13-01",
    ),
)


@pytest.mark.parametrize("url", dict.fromkeys(silly.url for silly in SILLY))
def test_what_cannot_be_is_answered_with_a_sentence_and_kept(manager: Manager, url: str) -> None:
    tried = [silly for silly in SILLY if silly.url == url]
    assert {str(silly.typed): answer_to(silly, manager) for silly in tried} == {
        str(silly.typed): (422, silly.said, silly.kept) for silly in tried
    }


def answer_to(silly: Silly, manager: Manager) -> tuple[int, str, str]:
    url = address(f"/settings/{silly.url}", manager.clinic)
    version = {"version": found[1]} if (found := re.search(VERSION, manager.see(url))) else {}
    answer = manager.send(url, {**version, **silly.sound, **silly.typed})
    said, page = words(answer.text), html.unescape(answer.text)
    return (
        answer.status_code,
        silly.said if silly.said in said else said,
        silly.kept if silly.kept in page else "lost",
    )
