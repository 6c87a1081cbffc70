"""Exchanging a meter: the old one ends at an instant with its final registers, the new one begins there with its own.

Customer, site, zone, tariff and contract move along.  The instant is the edge of an interval of both meters, so that their
load days meet without a hole or an overlap; what the old one never reported before it is estimated from its final register
(law 1): its intervals sum to its registers, or the exchange is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.headend.lifecycle import LifeEvent, Lives
from nyala.headend.profile import profile_of
from nyala.headend.registry import MeterRecord, Registry
from nyala.mdm.book import Book
from nyala.mdm.estimate import fill
from nyala.mdm.load_day import Key, empty
from nyala.vocab.errors import BadArgumentError, ConflictError, NotAllowedError
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel, register
from nyala.vocab.time import DAY_S, US_PER_S, iso

LOOK_BACK_DAYS: Final = 40
"""Days before the instant in which a register of the old meter is looked for, and gaps are estimated."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange.  Registers in whole Wh at the meter's terminals, by their name in the catalogue."""

    old: MeterRecord
    new: MeterRecord
    at_s: int
    final: Mapping[str, int]
    start: Mapping[str, int]
    recorded_us: int
    by: str
    reason: str


def exchange(registry: Registry, book: Book, lives: Lives, said: Exchange) -> Exchange:
    """Does it in memory; what it answers has the new meter as it stands then.

    BadArgumentError for an instant or registers that cannot be; ConflictError where a meter's life or the old one's intervals
    do not fit; NotAllowedError across tenants.  Nothing has changed after an error.
    """
    old, new = said.old, said.new
    _check(said)
    ends = [(channel, _closed(book, old, channel, said)) for channel in profile_of(old)]
    lives.say(*_events(said), at_s=said.at_s, by=said.by, now_us=said.recorded_us)
    for channel, (first, values, qualities) in ends:
        if values:
            book.merge(old.id, channel, old.period_s, first, values, qualities)
        book.set_register(old.id, channel, old.period_s, said.at_s, said.final[register(channel).name])
    registry.touch(old.id).complete_to = said.at_s // old.period_s
    registry.touch(new.id).complete_to = said.at_s // new.period_s
    moved = replace(
        new,
        installed_s=said.at_s,
        customer=old.customer,
        site=old.site,
        zone=old.zone,
        tariff=old.tariff,
        contracted_va=old.contracted_va,
        feeder=old.feeder,
    )
    registry.replace(moved)
    registry.retire(old.id)
    return replace(said, new=moved)


def weighed(book: Book, lives: Lives, said: Exchange) -> dict[str, int]:
    """Register of the old meter -> how many intervals `exchange` would estimate; its errors, and nothing changes."""
    _check(said)
    lives.weighed(*_events(said), at_s=said.at_s, by=said.by, now_us=said.recorded_us)
    closed = {register(channel).name: _closed(book, said.old, channel, said) for channel in profile_of(said.old)}
    return {name: sum(mark != Quality.MISSING for mark in marks) for name, (_, _, marks) in closed.items()}


def leads_to(book: Book, old: MeterRecord, channel: Channel, at_s: int) -> int | None:
    """What the register of a meter stood at by its intervals, whole Wh; None where one is missing since the last reading."""
    tail = _tail(book, old, channel, at_s)
    if not tail.known:
        return None
    at, open_wh = tail.known[-1]
    whole = bool((tail.qualities[at:] != Quality.MISSING).all())
    return open_wh + int(tail.values[at:].sum()) if whole else None


def _events(said: Exchange) -> tuple[tuple[int, LifeEvent, str], ...]:
    return (
        (said.old.id, LifeEvent.REPLACE, f"by {said.new.serial}: {said.reason}"),
        (said.new.id, LifeEvent.INSTALL, f"in place of {said.old.serial}: {said.reason}"),
    )


def _check(said: Exchange) -> None:
    old, new, at_s = said.old, said.new, said.at_s
    if old.id == new.id:
        raise BadArgumentError(f"meter {old.serial} cannot take its own place")
    if old.tenant_id != new.tenant_id:
        raise NotAllowedError(f"meters {old.serial} and {new.serial} are of two tenants")
    step_s = max(old.period_s, new.period_s)
    if at_s % step_s:
        near = f"{iso(at_s - at_s % step_s)} or {iso(at_s - at_s % step_s + step_s)}"
        raise BadArgumentError(f"{iso(at_s)} is inside an interval of {step_s // 60} min: say {near}")
    if not old.installed_s < at_s <= said.recorded_us // US_PER_S:
        raise BadArgumentError(f"{iso(at_s)} is before meter {old.serial} was installed, or to come")
    for record, registers in ((old, said.final), (new, said.start)):
        lacking = [register(c).name for c in profile_of(record) if register(c).name not in registers]
        if lacking or min(registers.values(), default=0) < 0:
            raise BadArgumentError(
                f"meter {record.serial}: its registers lack {', '.join(lacking) or 'nothing, but one is below 0'}"
            )


@dataclass(frozen=True, slots=True)
class _Tail:
    """The last intervals of a meter before an instant; `known`: (place in them, register there), oldest first."""

    first: int
    values: NDArray[np.int64]
    qualities: NDArray[np.uint8]
    known: list[tuple[int, int]]


def _tail(book: Book, old: MeterRecord, channel: Channel, at_s: int) -> _Tail:
    period_s = old.period_s
    per_day, until = DAY_S // period_s, at_s // period_s
    first_s = max(old.installed_s, at_s - LOOK_BACK_DAYS * DAY_S)
    first_day, last_day = first_s // DAY_S, (at_s - 1) // DAY_S
    keys = [Key(old.id, number, channel) for number in range(first_day, last_day + 1)]
    days = [book.day(key) or empty(key, period_s) for key in keys]
    begin, base = -(-first_s // period_s), first_day * per_day
    values = np.concatenate([day.values for day in days])[begin - base : until - base]
    qualities = np.concatenate([day.qualities for day in days])[begin - base : until - base]
    known = {(day.key.day * per_day) - begin: day.open_wh for day in days if day.open_wh is not None}
    return _Tail(begin, values, qualities, sorted((at, wh) for at, wh in known.items() if 0 <= at < len(values)))


def _closed(book: Book, old: MeterRecord, channel: Channel, said: Exchange) -> tuple[int, list[int], list[int]]:
    """(first interval, values, qualities) of what was missing before the instant; ConflictError where the sum is wrong."""
    tail, final_wh = _tail(book, old, channel, said.at_s), said.final[register(channel).name]
    values, qualities = tail.values, tail.qualities
    bounds = [*tail.known, (len(values), final_wh)]
    filled, marks = fill(values, qualities, bounds)
    if len(bounds) > 1:
        at, open_wh = bounds[-2]
        last_wh = open_wh + int(filled[at:].sum())
        if last_wh != final_wh:
            name = register(channel).name
            raise ConflictError(f"meter {old.serial}: final {name} {final_wh} Wh, but its intervals lead to {last_wh} Wh")
    said_marks = np.where(qualities == Quality.MISSING, marks, Quality.MISSING)
    return tail.first, filled.tolist(), said_marks.tolist()
