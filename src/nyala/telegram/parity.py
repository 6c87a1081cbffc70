"""Repair without a downlink: frames carry the XOR of three earlier bodies, and the head-end peels lost ones out of it.

Block n may carry the bodies of blocks n - 3, n - 7 and n - 17 of the same size, tables and model (`lead`, the first byte of
the header), padded with zero bytes to the longest.  Where one of the three is lost, parity and the other two give it, and
with it perhaps another.  Distances are spread so that a burst takes few bodies of one parity.

`SentBodies` is the meter's side, `Recovery` the head-end's for one meter.  Both are small and are kept through a restart as
bytes (`kept`).  A recovered body ends with its last byte that is not zero.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from nyala.telegram import kept
from nyala.telegram.frame_header import COUNTS, RAW, REACH
from nyala.telegram.kept import BODY_MAX, ENTRY_HEAD, Blocks, Mark, entry, mark_of
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

    def __init__(self, data: bytes = b"") -> None:
        self._leads, _ = kept.read(data)

    def kept(self, most: int | None = None) -> bytes:
        """What outlives a restart, in at most `most` bytes; leads that do not fit begin anew after it."""
        return kept.write(self._leads, most=most)

    def parity(self, lead: int, number: int) -> bytes | None:
        """What block `number` may carry; None where a body of it is not known."""
        its = self._leads.get(lead)
        earlier = [its.bodies.get(number - distance) for distance in DISTANCES] if its is not None else [None]
        return None if None in earlier else xor([each[ENTRY_HEAD:] for each in earlier if each is not None])

    def add(self, lead: int, number: int, body: bytes) -> None:
        """A body is built."""
        if len(body) > BODY_MAX:
            return
        its = self._leads.pop(lead, None)
        if its is None or number < its.oldest:
            its = Blocks()
        its.bodies = {each: said for each, said in its.bodies.items() if each <= number} | {
            number: entry(number, Mark.HEARD, body)
        }
        its.forget(number - SENT_MAX)
        self._leads[lead] = its
        while len(self._leads) > SENT_LEADS_MAX:
            del self._leads[next(iter(self._leads))]


class Recovery:
    """The sliding window of one meter.  Frames may come in any order, twice or never; every body leaves it once.

    A block that has left the window is not given out again, heard or recovered: back-fill brings it.  Only a body that was
    recovered and is not what is heard later is given again, as it was heard.
    """

    __slots__ = ("_carried", "_latest_s", "_leads", "contradictions", "period_s")

    def __init__(self, period_s: int, data: bytes = b"") -> None:
        self.period_s, self.contradictions = period_s, 0
        """Parities that do not agree with the bodies, and blocks heard that are not what they were: a clock was set."""
        self._leads, self._latest_s = kept.read(data)
        self._carried: dict[int, int] = {}
        """The newest block of each lead that carried parity."""

    def kept(self) -> bytes:
        """What outlives a restart."""
        for lead, its in self._leads.items():
            its.forget(self._oldest(lead), SENT_MAX)
        return kept.write(self._leads, self._latest_s)

    def take(self, heard: Body, parity: bytes | None, received_s: int) -> list[Body]:
        """The bodies that a frame brings, itself first; `received_s` UTC.  TelegramError for a block of the future."""
        span_s = self.period_s * COUNTS[heard.lead & 7]
        if (heard.number + 1) * span_s > received_s + FUTURE_S:
            raise TelegramError(f"block {heard.number} of {span_s} s is of the future")
        self._latest_s = max(self._latest_s, received_s)
        oldest = self._oldest(heard.lead)
        if heard.number < oldest:
            return []
        its = self._leads.pop(heard.lead, None) or Blocks()
        its.forget(oldest, SENT_MAX)
        self._leads[heard.lead] = its
        while len(self._leads) > LEADS_MAX:
            self._carried.pop(gone := next(iter(self._leads)), None)
            del self._leads[gone]
        if len(heard.body) > BODY_MAX:
            return [heard]
        if heard.lead >> 3 & 7 == RAW:
            return self._raw(its, heard)
        return self._coded(its, heard, parity)

    def may_repair(self, interval: int) -> bool:
        """Whether a frame that is still to come may repair a block with this interval, by what is known now."""
        for lead, newest in self._carried.items():
            number, its = interval // COUNTS[lead & 7], self._leads.get(lead)
            if its is None or number in its.bodies or number < its.oldest:
                continue
            last = max(its.bodies, default=newest)
            if last - newest >= DISTANCES[0]:  # it has ceased to carry parity
                continue
            for place in [number + distance for distance in DISTANCES if number + distance > last]:
                others = [each for each in (place - distance for distance in DISTANCES) if each != number]
                if all(each in its.bodies or each > last for each in others):
                    return True
        return False

    def _coded(self, its: Blocks, heard: Body, parity: bytes | None) -> list[Body]:
        number, found = heard.number, list[Body]()
        known = its.bodies.get(number)
        if known is None or known[ENTRY_HEAD:] != heard.body:
            self.contradictions += known is not None
            if known is None or mark_of(known) == Mark.RECOVERED:
                its.bodies[number] = entry(number, Mark.HEARD, heard.body)
                found.append(heard)
        if parity is not None and len(parity) <= BODY_MAX and number - SENT_MAX >= its.oldest:
            self._carried[heard.lead] = max(self._carried.get(heard.lead, 0), number)
            its.waiting.setdefault(number, entry(number, Mark.PARITY, parity))
        places = [place for place in (number, *[number + each for each in DISTANCES]) if place in its.waiting]
        return found + self._peel(heard.lead, its, places) if places else found

    def _raw(self, its: Blocks, heard: Body) -> list[Body]:
        """Raw bodies of one block are of different channels; none is part of a parity.  Kept are their first bytes."""
        known = its.bodies.get(heard.number, b"")[ENTRY_HEAD:]
        first = heard.body[:1]
        if first in known:  # and no bytes at all are no body
            return []
        its.bodies[heard.number] = entry(heard.number, Mark.HEARD, (known + first)[-BODY_MAX:])
        return [heard]

    def _peel(self, lead: int, its: Blocks, places: list[int]) -> list[Body]:
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
            body = xor([parity[ENTRY_HEAD:], *(its.bodies[number][ENTRY_HEAD:] for number in numbers if number in its.bodies)])
            if not unknown:
                self.contradictions += bool(body)
                continue
            its.bodies[unknown[0]] = entry(unknown[0], Mark.RECOVERED, body)
            found.append(Body(lead, unknown[0], body, recovered=True))
            places += [unknown[0] + distance for distance in DISTANCES]
        return found

    def _oldest(self, lead: int) -> int:
        """The first number of a lead in the window."""
        span_s = self.period_s * COUNTS[lead & 7]
        blocks = min(max(WINDOW_S // span_s, WINDOW_BLOCKS_LEAST), WINDOW_BLOCKS_MOST)
        return self._latest_s // span_s - blocks
