"""The starts of a day as a page shows them: those that can be had, and the greyed ones with every reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from planner import wording
from planner.db.models import Provider, Site
from planner.queries.course_view import (
    DayStarts,
    FreeStart,
    GreyedStarts,
    Named,
    Sentence,
    StartsLine,
)
from planner.scheduling import explaining, hours, rules
from planner.scheduling.explaining import Blocked, Start
from planner.scheduling.timetable import Conflict, Severity, Slot

FEW = 3  # greyed starts that are each named; of more the first and the last

Answer = Callable[[Sequence[Conflict]], Sequence[Conflict]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is needed to put a day into words."""

    sites: Mapping[int, Site]
    providers: Mapping[int, Provider]
    names: wording.Names
    locale: str

    def zone(self, site_id: int) -> str:
        """Return the zone of a site."""
        return self.sites[site_id].zone

    def site(self, site_id: int) -> Named:
        """Return a site as its chip shows it."""
        row = self.sites[site_id]
        return Named(id=row.id, name=row.name, colour=row.colour)

    def provider(self, provider_id: int) -> Named:
        """Return a provider as the chip shows it."""
        row = self.providers[provider_id]
        initials = wording.initials(row.name)
        return Named(id=row.id, name=row.name, colour=row.colour, initials=initials)

    def sentence(self, conflict: Conflict) -> Sentence:
        """Return a reason in words."""
        return Sentence(
            code=conflict.code,
            severity=conflict.severity.value,
            text=wording.conflict(conflict, locale=self.locale, names=self.names),
        )


def of_day(
    on: date,
    looks: Collection[explaining.Day],
    words: Words,
    *,
    pick: Callable[[Slot], str],
    only: Collection[int] | None = None,
) -> DayStarts:
    """Return a day at one or several sites by provider; ``only`` names the providers to be shown.

    What stands against every start of the day, or comes with every free one, is said once. ``pick`` gives what
    choosing a start sends.
    """
    free = [start for look in looks for start in look.free]
    greyed = [one.conflicts for look in looks for one in look.blocked if not one.is_all_day]
    always = () if free else _shared(greyed)
    usual = _shared([start.warnings for start in free])
    lines = [line for look in looks for line in _lines(look, (*always, *usual), words, pick)]
    lines.sort(key=lambda line: bool(line.away))  # who is there is read first
    warnings = [conflict for start in free for conflict in start.warnings]
    return DayStarts(
        on=on,
        day_label=wording.format_date(on, words.locale),
        closed=tuple(
            dict.fromkeys(words.sentence(conflict) for look in looks for conflict in look.closed)
        ),
        always=tuple(words.sentence(conflict) for conflict in always),
        warnings=tuple(dict.fromkeys(map(words.sentence, warnings))),
        lines=tuple(line for line in lines if only is None or line.provider.id in only),
    )


def _shared(reasons: Sequence[Sequence[Conflict]]) -> tuple[Conflict, ...]:
    """Return what is among all of them."""
    first = reasons[0] if reasons else ()
    return tuple(conflict for conflict in first if all(conflict in other for other in reasons))


def answered(look: explaining.Day, answer: Answer) -> explaining.Day:
    """Return the day with the starts free against which only warnings and decisions stand.

    ``answer`` takes out of the reasons what is settled already. The desk may click through a warning and a
    provider may decide; a search for a course proposes neither.
    """
    free = [replace(start, warnings=tuple(answer(start.warnings))) for start in look.free]
    blocked: list[Blocked] = []
    for group in look.blocked:
        left = tuple(answer(group.conflicts))
        if rules.worst(left) is Severity.BLOCK:
            blocked.append(replace(group, conflicts=left))
        else:
            free += [Start(slot=slot, warnings=left) for slot in group.slots]
    return replace(look, free=tuple(free), blocked=tuple(blocked))


def _lines(
    look: explaining.Day,
    said: Collection[Conflict],
    words: Words,
    pick: Callable[[Slot], str],
) -> Iterator[StartsLine]:
    """Yield a line for each provider with a free start, or with a reason that has not been said of the day."""
    keys = [(start.slot.site_id, start.slot.provider_id) for start in look.free]
    keys += [(blocked.site_id, blocked.provider_id) for blocked in look.blocked]
    for site_id, provider_id in dict.fromkeys(sorted(keys)):
        shown: list[tuple[datetime, FreeStart | GreyedStarts]] = [
            (start.slot.starts_at, _free(start, said, words, pick))
            for start in look.free
            if start.slot.provider_id == provider_id
        ]
        has_free = bool(shown)
        mine = [blocked for blocked in look.blocked if blocked.provider_id == provider_id]
        away = [blocked for blocked in mine if blocked.is_all_day]
        shown += [
            (blocked.span.starts_at, _greyed(blocked, said, words))
            for blocked in mine
            if blocked not in away and any(one not in said for one in blocked.conflicts)
        ]
        if shown or away:
            yield StartsLine(
                site=words.site(site_id),
                provider=words.provider(provider_id),
                starts=tuple(one for _, one in sorted(shown, key=lambda pair: pair[0])),
                has_free=has_free,
                away=tuple(words.sentence(one) for blocked in away for one in blocked.conflicts),
            )


def _free(
    start: Start, said: Collection[Conflict], words: Words, pick: Callable[[Slot], str]
) -> FreeStart:
    worst = rules.worst(conflict for conflict in start.warnings if conflict not in said)
    return FreeStart(
        value=pick(start.slot),
        time_label=_clock(start.slot.starts_at, start.slot.site_id, words),
        severity="" if worst is Severity.INFO else worst.value,
    )


def _greyed(blocked: Blocked, said: Collection[Conflict], words: Words) -> GreyedStarts:
    times = tuple(_clock(slot.starts_at, slot.site_id, words) for slot in blocked.slots)
    is_range = len(times) > FEW
    return GreyedStarts(
        times=(times[0], times[-1]) if is_range else times,
        is_range=is_range,
        reasons=tuple(
            words.sentence(conflict) for conflict in blocked.conflicts if conflict not in said
        ),
    )


def _clock(at: datetime, site_id: int, words: Words) -> str:
    return wording.format_time(hours.local(at, words.zone(site_id)), words.locale)
