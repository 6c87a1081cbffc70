"""Who is not heard any more: meters, and gateways, whose outage explains the silence of the meters that only they hear.

A meter is silent when it was not heard for `report_periods` of its own and a grace, counted from when we began to listen, or
from when a gateway of it came back, where that is later.  One that was never heard is not silent but not there yet.
No I/O: `step` asks where each stands and answers what changed.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from nyala.headend.storms_shapes import storm_table
from nyala.vocab.time import US_PER_S


class Change(StrEnum):
    """What `step` says."""

    METER_SILENT = "meter_silent"
    METER_HEARD = "meter_heard"
    """Or nothing more is expected of it."""
    EXPLAINED = "explained"
    """A meter is not heard, and neither is any gateway that heard it."""
    GATEWAY_SILENT = "gateway_silent"
    GATEWAY_HEARD = "gateway_heard"


@dataclass(frozen=True, slots=True)
class Silence:
    """One change.  `at_s`: when it was last heard, or is heard again; of what is explained: now."""

    change: Change
    at_s: int
    meter_id: int = 0
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class Hearing:
    """Where a meter stands: when it was last heard (0: never), its report period, the gateways that heard it then."""

    heard_us: int
    report_s: int
    gateways: tuple[str, ...] = ()


class SilenceWatch:
    """Looks at every meter when its time comes, not all the time."""

    def __init__(self, began_us: int, silent: Mapping[int, int], down: Iterable[str]) -> None:
        """`silent`: since when (seconds) each meter is known to be; `down`: the gateways that are."""
        self._rule, self._began_us = storm_table()[1], began_us
        self._silent, self._down = dict(silent), set(down)
        self._back_us: dict[str, int] = {}
        self._due: list[tuple[int, int]] = []
        self._watched: set[int] = set()

    def step(
        self, now_us: int, meters: Iterable[int], hearing: Callable[[int], Hearing], gateways: Mapping[str, int]
    ) -> list[Silence]:
        """What changed.  `meters`: those that something is expected of; `gateways`: when each was last seen."""
        changes = self._gateways(now_us, gateways)
        expected = set(meters)
        for meter_id, since_s in list(self._silent.items()):
            heard_us = hearing(meter_id).heard_us if meter_id in expected else now_us
            if heard_us > (since_s + 1) * US_PER_S:
                del self._silent[meter_id]
                changes.append(Silence(Change.METER_HEARD, heard_us // US_PER_S, meter_id))
        for meter_id in sorted(expected - self._watched):
            self._watched.add(meter_id)
            heapq.heappush(self._due, (self._silent_us(hearing(meter_id)), meter_id))
        while self._due and self._due[0][0] <= now_us:
            meter_id = heapq.heappop(self._due)[1]
            if meter_id not in expected:
                self._watched.remove(meter_id)
                continue
            change, again_us = self._look(meter_id, hearing(meter_id), now_us)
            heapq.heappush(self._due, (again_us, meter_id))
            changes += change
        return changes

    def _gateways(self, now_us: int, gateways: Mapping[str, int]) -> list[Silence]:
        changes: list[Silence] = []
        for eui, seen_us in sorted(gateways.items()):
            down = now_us - max(seen_us, self._began_us) > self._rule.gateway_s * US_PER_S
            if down and eui not in self._down:
                self._down.add(eui)
                changes.append(Silence(Change.GATEWAY_SILENT, seen_us // US_PER_S, gateway=eui))
            elif eui in self._down and now_us - seen_us <= self._rule.gateway_s * US_PER_S:
                self._down.remove(eui)
                self._back_us[eui] = now_us
                changes.append(Silence(Change.GATEWAY_HEARD, seen_us // US_PER_S, gateway=eui))
        return changes

    def _silent_us(self, hearing: Hearing) -> int:
        """When a meter is silent that is not heard till then."""
        back_us = max((self._back_us.get(eui, 0) for eui in hearing.gateways), default=0)
        patience_s = self._rule.report_periods * hearing.report_s + self._rule.grace_s
        return max(hearing.heard_us, self._began_us, back_us) + patience_s * US_PER_S

    def _look(self, meter_id: int, hearing: Hearing, now_us: int) -> tuple[list[Silence], int]:
        """What is to be said of a meter now, and when to look again."""
        due_us, again_us = self._silent_us(hearing), now_us + hearing.report_s * US_PER_S
        if due_us > now_us:
            return [], due_us
        if not hearing.heard_us or meter_id in self._silent:
            return [], again_us
        heard_s = hearing.heard_us // US_PER_S
        if hearing.gateways and self._down.issuperset(hearing.gateways):
            return [Silence(Change.EXPLAINED, now_us // US_PER_S, meter_id, hearing.gateways[0])], again_us
        self._silent[meter_id] = heard_s
        return [Silence(Change.METER_SILENT, heard_s, meter_id)], again_us
