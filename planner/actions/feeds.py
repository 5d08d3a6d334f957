"""Subscriptions to calendars: made, ended, fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from planner.db import feeds, links, locks
from planner.db.engine import Tx, transaction
from planner.db.models import CalendarFeed, FeedFetch
from planner.errors import Denied, Invalid, NotFound, Stale
from planner.ical.events import one_line
from planner.ical.files import LeftOut
from planner.who import Who

SHORTEST_TOKEN = 43  # characters of URL-safe base64: 256 bits
LONGEST_AGENT = 120
MOST_OF_PATIENT = 8
"""Subscriptions in use beside which a patient makes no more by themselves; the desk may."""

MOST_ENDED = 20
"""Ended subscriptions that are kept of one owner: the trail knows of all, a list needs the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """A feed as it was just served."""

    feed_id: int
    etag: str
    agent: str


def subscribe_patient(key: str, token: str, *, by: Who, now: datetime) -> None:
    """Let a token serve a patient's calendar until it is revoked; only its hash is stored.

    The same token again is the same subscription. Raises NotFound; Stale when that has ended; Invalid
    for a short token.
    """

    def work(tx: Tx) -> None:
        patient_id = links.kept_patient(tx.session, key)
        locks.lock(tx, patient_ids=[patient_id])  # of two copies of one form the second waits
        if not _is_there(tx, token):
            _forget_ended(tx, CalendarFeed.patient_id == patient_id)
            feeds.add(tx, token, patient_id=patient_id)

    _expect_long(token)
    transaction(work, by=by, now=now, action="feed.create")


def subscribe_by_link(link_id: int, token: str, *, by: Who, now: datetime) -> None:
    """Let a token serve the calendar of the patient who holds the link, while that is not ended.

    The same token again is the same subscription. Raises NotFound for a link that has ended; Stale when
    the subscription has; Invalid for a short token, or when the patient has enough of them.
    """

    def work(tx: Tx) -> None:
        patient_id = _holder(tx, link_id)
        locks.lock(tx, patient_ids=[patient_id])
        if _is_there(tx, token):
            return
        if len(feeds.open_of_patient(tx.session, patient_id, now)) >= MOST_OF_PATIENT:
            raise Invalid({"subscriptions": "too_many"})
        _forget_ended(tx, CalendarFeed.patient_id == patient_id)
        feeds.add(tx, token, patient_id=patient_id, link_id=link_id)

    _expect_long(token)
    transaction(work, by=by, now=now, action="feed.create")


def subscribe_provider(token: str, *, by: Who, now: datetime) -> None:
    """Let a token serve the calendar of the provider who asks. Raises Denied, Stale, Invalid."""
    provider_id = by.provider_id
    if provider_id is None:
        raise Denied("feed")

    def work(tx: Tx) -> None:
        locks.lock(tx, provider_ids=[provider_id])
        if not _is_there(tx, token):
            _forget_ended(tx, CalendarFeed.provider_id == provider_id)
            feeds.add(tx, token, provider_id=provider_id)

    _expect_long(token)
    transaction(work, by=by, now=now, action="feed.create")


def revoke_patients(key: str, feed_id: int, *, by: Who, now: datetime) -> None:
    """End a subscription of the patient; one that has ended stays as it is. Raises NotFound."""

    def work(tx: Tx) -> None:
        _revoke(tx, feed_id, patient_id=links.kept_patient(tx.session, key))

    transaction(work, by=by, now=now, action="feed.revoke")


def revoke_by_link(link_id: int, feed_id: int, *, by: Who, now: datetime) -> None:
    """End a subscription of the patient who holds the link, whoever made it. Raises NotFound."""

    def work(tx: Tx) -> None:
        _revoke(tx, feed_id, patient_id=_holder(tx, link_id))

    transaction(work, by=by, now=now, action="feed.revoke")


def revoke_own(feed_id: int, *, by: Who, now: datetime) -> None:
    """End a subscription of the provider who asks. Raises NotFound."""

    def work(tx: Tx) -> None:
        _revoke(tx, feed_id, provider_id=by.provider_id)

    transaction(work, by=by, now=now, action="feed.revoke")


def revoke_any(feed_id: int, *, by: Who, now: datetime) -> None:
    """End anybody's subscription, as managers may. Raises NotFound."""

    def work(tx: Tx) -> None:
        _end(tx, tx.session.get(CalendarFeed, feed_id))

    transaction(work, by=by, now=now, action="feed.revoke")


def fetched(fetch: Fetch, *, by: Who, now: datetime) -> datetime:
    """Write down when and by what a feed was fetched. Returns since when its bytes are these.

    Calendars ask all day: it is in the audit trail only when another program asks than before.
    """

    def work(tx: Tx) -> datetime:
        tx.session.get(CalendarFeed, fetch.feed_id, with_for_update=True)  # the second waits here
        row = tx.session.get(FeedFetch, fetch.feed_id, populate_existing=True)
        if row and row.etag == fetch.etag and now < row.fetched_at + feeds.NOTED_EVERY:
            return row.changed_at  # another of the same burst has written it down
        agent = one_line(fetch.agent, LONGEST_AGENT)
        if row is None:
            row = FeedFetch(feed_id=fetch.feed_id, changed_at=now)
            tx.session.add(row)
        elif row.etag != fetch.etag:
            row.changed_at = _after(row.changed_at, now)
        if row.agent != agent:
            tx.note("calendar_feed", fetch.feed_id, {"agent": agent})
        row.etag, row.agent, row.fetched_at = fetch.etag, agent, now
        return row.changed_at

    return transaction(work, by=by, now=now, action="feed.fetch")


def report(left_out: Sequence[LeftOut], *, by: Who, now: datetime) -> None:
    """Let managers see which events were left out of a calendar, and why."""

    def work(tx: Tx) -> None:
        for one in left_out:
            feeds.note_left_out(tx, one.uid[:255], one.reason[:120])

    if left_out:
        transaction(work, by=by, now=now, action="calendar.left_out")


def _after(before: datetime, now: datetime) -> datetime:
    # Last-Modified has whole seconds: two versions within one would look like one.
    return max(now, before + timedelta(seconds=1))


def _is_there(tx: Tx, token: str) -> bool:
    found = feeds.find(tx.session, token)
    if found and found[0].revoked_at:
        raise Stale({})  # an old form, sent again after its subscription was ended
    return found is not None


def _forget_ended(tx: Tx, is_theirs: Any) -> None:
    """Remove all but the latest that have ended, first those that no calendar has ever fetched."""
    ended = [
        (fetch is not None, at, feed)
        for feed, fetch in feeds.rows(tx.session, is_theirs)
        if (at := feeds.ended_at(feed, fetch, tx.now)) is not None
    ]
    # A phone that has fetched one still learns from it that there is nothing more to show.
    ended.sort(key=lambda one: (one[0], one[1], one[2].id), reverse=True)
    for _was_fetched, _at, feed in ended[MOST_ENDED:]:
        tx.session.delete(feed)


def _holder(tx: Tx, link_id: int) -> int:
    patient_id = links.holder(tx.session, link_id, now=tx.now)
    if patient_id is None:
        raise NotFound("link")
    return patient_id


def _expect_long(token: str) -> None:
    if len(token) < SHORTEST_TOKEN:
        raise Invalid({"token": "short"})


def _revoke(
    tx: Tx, feed_id: int, *, patient_id: int | None = None, provider_id: int | None = None
) -> None:
    row = tx.session.get(CalendarFeed, feed_id)
    is_theirs = row is not None and (row.patient_id, row.provider_id) == (patient_id, provider_id)
    _end(tx, row if is_theirs else None)


def _end(tx: Tx, row: CalendarFeed | None) -> None:
    if row is None:
        raise NotFound("feed")
    row.revoked_at = row.revoked_at or tx.now
