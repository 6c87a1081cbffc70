"""What happens to a simulated world: outages, kills and commands, spread over the run.  Drawn before it begins; seeded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import Final

from nyala.headend.commands import Kind
from nyala.meter.keeping import HOLD_UP_BYTES

MARGIN_S: Final = 1_800
"""Nothing happens in the first and the last half hour of a run, or in a tenth of it where that is shorter."""
DIRECT_METERS_PER_COMMAND: Final = 20
"""By default one switch command a day for so many direct-connected meters."""


class Outage(StrEnum):
    """What fails, in the order in which `--outages K` cycles through it."""

    METER = "meter power cut"
    GATEWAY = "gateway outage"
    CENTRE = "head-end crash"


LENGTH_S: Final = {Outage.METER: (60, 4 * 3_600), Outage.GATEWAY: (600, 2 * 3_600), Outage.CENTRE: (30, 900)}
"""Shortest and longest."""

TORN: Final = 0.3
"""Part of the meters' power cuts in which the hold-up energy is gone early."""
TORN_BYTES: Final = 3_000
"""A power-fail save writes about so much: the supply ends anywhere within it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`which`: a meter's row or a gateway's index.  `hold_up_bytes`: what a meter can still write after the cut."""

    at_s: int
    until_s: int
    outage: Outage
    which: int
    hold_up_bytes: int = HOLD_UP_BYTES


@dataclass(frozen=True, slots=True)
class Order:
    """A command that an operator gives."""

    at_s: int
    row: int
    kind: Kind


def draw_faults(random: Random, count: int, start_s: int, end_s: int, meters: int, gateways: int) -> list[Fault]:
    """Outages in order of time.  Some of the meters have a tired capacitor."""
    kinds = list(Outage)
    faults = []
    for i in range(count):
        outage = kinds[i % len(kinds)]
        at_s = _moment(random, i, count, start_s, end_s)
        length_s = random.randint(*LENGTH_S[outage])
        which = random.randrange(gateways if outage is Outage.GATEWAY else meters)
        faults.append(Fault(at_s, at_s + length_s, outage, which))
    worn = [replace(each, hold_up_bytes=random.randrange(TORN_BYTES)) if random.random() < TORN else each for each in faults]
    return sorted(worn, key=lambda fault: fault.at_s)


def draw_orders(random: Random, count: int, start_s: int, end_s: int, rows: Sequence[int]) -> list[Order]:
    """Switch commands in order of time: a meter is opened, and the next order for it closes it again."""
    opened: set[int] = set()
    orders = []
    for i in range(count if rows else 0):
        row = random.choice(rows)
        kind = Kind.SWITCH_CLOSE if row in opened else Kind.SWITCH_OPEN
        opened ^= {row}
        orders.append(Order(_moment(random, i, count, start_s, end_s), row, kind))
    return orders


def default_orders(direct_meters: int, days: int) -> int:
    """How many switch commands a run has where nothing is said."""
    return max(direct_meters * days // DIRECT_METERS_PER_COMMAND, 1) if direct_meters else 0


def _moment(random: Random, i: int, count: int, start_s: int, end_s: int) -> int:
    """A moment in the i-th of `count` equal parts of the run."""
    margin_s = min(MARGIN_S, (end_s - start_s) // 10)
    length = (end_s - start_s - 2 * margin_s) / count
    return start_s + margin_s + int((i + random.random()) * length)
