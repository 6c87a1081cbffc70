"""Repair without a downlink: frames carry the XOR of three earlier bodies, and the head-end peels lost ones out of it.

Block n may carry the bodies of blocks n - 3, n - 7 and n - 17 of the same size, tables and model (`lead`, the first byte of
the header), padded with zero bytes to the longest.  Where one of the three is lost, parity and the other two give it, and
with it perhaps another.  Distances are spread so that a burst takes few bodies of one parity.

`SentBodies` is the meter's side, `Recovery` the head-end's for one meter.  Both are small and are kept through a restart as
plain values (`Kept`).  A recovered body ends with its last byte that is not zero.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from nyala.telegram.frame_header import COUNTS, RAW, REACH
from nyala.vocab.errors import TelegramError

DISTANCES: Final = (3, 7, 17)
SENT_MAX: Final = max(DISTANCES)
"""Blocks of a lead before the newest that a meter keeps the bodies of; with it, so that it may be packed anew."""
SENT_LEADS_MAX: Final = 3
"""Leads that a meter keeps bodies of: the blocks it means to send, and smaller ones where these did not fit."""
WINDOW_S: Final = 2 * 86_400
WINDOW_BLOCKS_LEAST: Final = 48
"""Blocks of a lead that are kept however long they are: less would leave little of a distance of 17."""
WINDOW_BLOCKS_MOST: Final = REACH
"""Blocks of a lead that are kept however short they are: a short number tells no more apart."""
FUTURE_S: Final = 3_600
"""A block that ends later than its reception by more than this is refused: a clock is off, or a forgery."""
LEADS_MAX: Final = 16
"""Sizes, models and epochs in the window; more, and the one that was heard of longest ago is forgotten."""


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a block.  `recovered`: out of parity, not heard."""

    lead: int
    number: int
    body: bytes
    recovered: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """What outlives a restart: bodies (of a meter: sent), and the parities that may still solve something."""

    bodies: tuple[Body, ...] = ()
    parities: tuple[Body, ...] = ()
    latest_s: int = 0


def xor(parts: Iterable[bytes]) -> bytes:
    """Bytes added without carry, as if padded with zeros to the longest; without trailing zeros."""
    word = 0
    for part in parts:
        word ^= int.from_bytes(part, "little")
    return word.to_bytes((word.bit_length() + 7) // 8, "little")


class SentBodies:
    """Bodies that a meter has built last.  Is begun anew when the clock was set: the same number may then be another block.

    A body that was built and not sent does no harm: its parity is true, and says what was sent otherwise.
    """

    __slots__ = ("_leads",)

    def __init__(self, kept: Kept = Kept()) -> None:
        self._leads: dict[int, dict[int, bytes]] = {}
        for each in kept.bodies:
            self._leads.setdefault(each.lead, {})[each.number] = each.body

    def kept(self) -> Kept:
        """What outlives a restart."""
        return Kept(tuple(Body(lead, number, body) for lead, its in self._leads.items() for number, body in its.items()))

    def parity(self, lead: int, number: int) -> bytes | None:
        """What block `number` may carry; None where a body of it is not known."""
        bodies = self._leads.get(lead, {})
        earlier = [bodies[number - distance] for distance in DISTANCES if number - distance in bodies]
        return xor(earlier) if len(earlier) == len(DISTANCES) else None

    def add(self, lead: int, number: int, body: bytes) -> None:
        """A body is built."""
        bodies = self._leads.pop(lead, {}) | {number: body}
        self._leads[lead] = {each: kept for each, kept in bodies.items() if number - SENT_MAX <= each <= number}
        while len(self._leads) > SENT_LEADS_MAX:
            del self._leads[next(iter(self._leads))]


class _Lead:
    """Blocks of one lead: bodies that are known, parities that wait."""

    __slots__ = ("bodies", "waiting")

    def __init__(self) -> None:
        self.bodies: dict[int, Body] = {}
        self.waiting: dict[int, bytes] = {}


class Recovery:
    """The sliding window of one meter.  Frames may come in any order, twice or never; every body leaves it once.

    A block that has left the window is not given out again, heard or recovered: back-fill brings it.  Only a body that was
    recovered and is not what is heard later is given again, as it was heard.
    """

    def __init__(self, period_s: int, kept: Kept = Kept()) -> None:
        self.period_s, self.contradictions = period_s, 0
        """Parities that do not agree with the bodies, and blocks heard that are not what they were: a clock was set."""
        self._latest_s = kept.latest_s
        self._leads: dict[int, _Lead] = {}
        for each in kept.bodies:
            self._leads.setdefault(each.lead, _Lead()).bodies[each.number] = each
        for each in kept.parities:
            self._leads.setdefault(each.lead, _Lead()).waiting[each.number] = each.body

    def kept(self) -> Kept:
        """What outlives a restart."""
        leads = self._leads.items()
        return Kept(
            tuple(each for _, its in leads for each in its.bodies.values()),
            tuple(Body(lead, number, parity) for lead, its in leads for number, parity in its.waiting.items()),
            self._latest_s,
        )

    def take(self, heard: Body, parity: bytes | None, received_s: int) -> list[Body]:
        """The bodies that a frame brings, itself first; `received_s` UTC.  TelegramError for a block of the future."""
        span_s = self.period_s * COUNTS[heard.lead & 7]
        if (heard.number + 1) * span_s > received_s + FUTURE_S:
            raise TelegramError(f"block {heard.number} of {span_s} s is of the future")
        self._latest_s = max(self._latest_s, received_s)
        self._forget()
        oldest = self._oldest(heard.lead)
        if heard.number < oldest:
            return []
        its = self._leads.pop(heard.lead) if heard.lead in self._leads else _Lead()
        self._leads[heard.lead] = its
        while len(self._leads) > LEADS_MAX:
            del self._leads[next(iter(self._leads))]
        if heard.lead >> 3 & 7 == RAW:
            return self._raw(its, heard)
        known = its.bodies.get(heard.number)
        if known is not None and known.body != heard.body:
            self.contradictions += 1
        found: list[Body] = []
        if known is None or (known.recovered and known.body != heard.body):
            its.bodies[heard.number] = heard
            found.append(heard)
        if parity is not None and min(heard.number - distance for distance in DISTANCES) >= oldest:
            its.waiting.setdefault(heard.number, parity)
        return found + self._peel(heard.lead, its, [heard.number, *(heard.number + each for each in DISTANCES)])

    def _raw(self, its: _Lead, heard: Body) -> list[Body]:
        """Raw bodies of one block are of different channels; none is part of a parity."""
        key = heard.number << 8 | (heard.body[0] if heard.body else 0)
        if key in its.bodies:
            return []
        its.bodies[key] = Body(heard.lead, key, b"")
        return [heard]

    def _peel(self, lead: int, its: _Lead, places: list[int]) -> list[Body]:
        """Solves parities from `places` on; each body that is found is looked up in the three that carry it."""
        found: list[Body] = []
        while places:
            place = places.pop()
            parity = its.waiting.get(place)
            if parity is None:
                continue
            numbers = [place - distance for distance in DISTANCES]
            unknown = [number for number in numbers if number not in its.bodies]
            if len(unknown) > 1:
                continue
            del its.waiting[place]
            body = xor([parity, *(its.bodies[number].body for number in numbers if number in its.bodies)])
            if not unknown:
                self.contradictions += bool(body)
                continue
            its.bodies[unknown[0]] = Body(lead, unknown[0], body, recovered=True)
            found.append(its.bodies[unknown[0]])
            places += [unknown[0] + distance for distance in DISTANCES]
        return found

    def _oldest(self, lead: int) -> int:
        """The first number of a lead in the window."""
        span_s = self.period_s * COUNTS[lead & 7]
        blocks = min(max(WINDOW_S // span_s, WINDOW_BLOCKS_LEAST), WINDOW_BLOCKS_MOST)
        return self._latest_s // span_s - blocks

    def _forget(self) -> None:
        for lead, its in self._leads.items():
            oldest = self._oldest(lead)
            first_key = oldest << 8 if lead >> 3 & 7 == RAW else oldest
            its.bodies = {number: body for number, body in its.bodies.items() if number >= first_key}
            its.waiting = {number: parity for number, parity in its.waiting.items() if number - SENT_MAX >= oldest}
        self._leads = {lead: its for lead, its in self._leads.items() if its.bodies or its.waiting}
