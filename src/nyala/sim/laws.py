"""The checkers of laws 1-5 (docs/laws.md): they look at a run from outside and at the store it left.

1 energy      registers of the twins = stored + estimated, per meter and channel, to the watt-hour
2 kept        every frame that was acknowledged is in the journal of the reopened store
3 once        a command is carried out at most once, exactly once where it is said to be done, never where it is not
4 versions    no load day was overwritten: the versions before the newest are in the history, and a bill of the stored
versions gives the same figures again
5 rising      frame counters, nonces and command numbers on the air only rise
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from sqlalchemy import Connection, func, select

from nyala.headend.command_life import CommandState
from nyala.headend.commands import CommandRow, Kind
from nyala.lorawan.frame import DataFrame, FType, JoinRequest, frame_type
from nyala.sim.radio import OnAir
from nyala.store import rows, schema
from nyala.telegram.kinds import Opcode
from nyala.twin.state import Executed
from nyala.vocab.identifiers import eui_text
from nyala.vocab.quantities import Channel

BROKEN_MAX: Final = 20
"""Breaches that a report spells out for one law."""
NAMES: Final = {1: "energy", 2: "kept", 3: "once", 4: "versions", 5: "rising"}


@dataclass(slots=True)
class Verdict:
    """What looking at one law found."""

    law: int
    checked: int = 0
    broken: list[str] = field(default_factory=list)

    def check(self, holds: bool, text: str) -> None:  # noqa: FBT001 - reads as an assertion
        """Looks at one thing."""
        self.checked += 1
        if not holds:
            self.broken.append(text)

    def report(self) -> dict[str, object]:
        """As the report of a simulation has it."""
        return {
            "law": self.law,
            "name": NAMES[self.law],
            "holds": not self.broken and self.checked > 0,
            "checked": self.checked,
            "broken": self.broken[:BROKEN_MAX],
        }


_Key = TypeVar("_Key")
Energies = Mapping[tuple[int, Channel], int]
"""Wh by (meter id, channel)."""


def law_energy(meters: Energies, stored: Energies, estimated: Energies, billed: Energies) -> Verdict:
    """Law 1."""
    verdict = Verdict(1)
    for key, wh in sorted(meters.items()):
        kept, guessed, charged = stored.get(key, 0), estimated.get(key, 0), billed.get(key, 0)
        meter_id, channel = key
        who = f"meter {meter_id} {channel.name}"
        verdict.check(kept + guessed == wh, f"{who}: register {wh} Wh, stored {kept} + estimated {guessed} Wh")
        verdict.check(charged == wh, f"{who}: register {wh} Wh, billed {charged} Wh")
    return verdict


def law_kept(acknowledged: Iterable[tuple[int, bytes]], connection: Connection) -> Verdict:
    """Law 2.  `acknowledged`: (gateway, PHYPayload) as the gateways saw it."""
    verdict = Verdict(2)
    journal = schema.uplink_journal
    kept: Counter[tuple[str, bytes]] = Counter()
    query = select(journal.c.source, journal.c.payload).where(journal.c.port.is_(None))
    for source, payload in connection.execute(query):
        kept[source, payload] += 1
    for (gateway, phy), count in Counter(acknowledged).items():
        found = kept[eui_text(gateway), phy]
        verdict.check(found >= count, f"gateway {gateway:016x}: frame {phy.hex()} acknowledged {count} times, kept {found}")
    return verdict


_DONE: Final = (CommandState.VERIFIED, CommandState.EXECUTED)
_NOT_DONE: Final = (CommandState.FAILED, CommandState.EXPIRED, CommandState.CANCELLED)
_KINDS: Final = {
    Opcode.SWITCH_OPEN: Kind.SWITCH_OPEN,
    Opcode.SWITCH_CLOSE: Kind.SWITCH_CLOSE,
    Opcode.DEMAND_RESET: Kind.DEMAND_RESET,
}


def law_once(
    commands: Sequence[CommandRow],
    executed: Sequence[tuple[int, Executed]],
    meter_of_row: Mapping[int, int],
    events: Mapping[int, int],
    connection: Connection,
) -> Verdict:
    """Law 3.  `events`: how many events each meter (by id) has numbered so far."""
    verdict = Verdict(3)
    times = Counter((meter_of_row[row], each.sequence, _KINDS[each.opcode]) for row, each in executed)
    for command in commands:
        count = times.pop((command.meter_id, command.sequence, command.kind), 0)
        who = f"command {command.id} ({command.kind}, {command.state})"
        verdict.check(count <= 1, f"{who} was carried out {count} times")
        if command.state in _DONE:
            verdict.check(count == 1, f"{who} was carried out {count} times")
        if command.state in _NOT_DONE:
            verdict.check(count == 0, f"{who} was carried out")
    verdict.check(not times, f"carried out without a command: {dict(times)}")
    event = schema.meter_event
    stored = connection.execute(select(event.c.meter_id, func.count()).group_by(event.c.meter_id))
    for meter_id, count in stored:
        said = events.get(meter_id, 0)
        verdict.check(count <= said, f"meter {meter_id}: {count} events stored, {said} said")
    return verdict


def law_versions(connection: Connection, again: Iterable[tuple[int, bool]]) -> Verdict:
    """Law 4.  `again`: (meter id, whether its determinants came out the same from the stored versions)."""
    verdict = Verdict(4)
    day, history = schema.load_day, schema.load_day_history
    kept: dict[tuple[int, int, int], set[int]] = defaultdict(set)
    for meter_id, number, channel, version in connection.execute(
        select(history.c.meter_id, history.c.day, history.c.channel, history.c.version)
    ):
        kept[meter_id, number, channel].add(version)
    for row in connection.execute(select(day)).mappings():
        newest = rows.load_day_of(row)
        before = kept.get((newest.key.meter_id, newest.key.day, int(newest.key.channel)), set())
        complete = before == set(range(1, newest.version))
        verdict.check(complete, f"load day {newest.key}: version {newest.version}, history {sorted(before)}")
    for meter_id, same in again:
        verdict.check(same, f"meter {meter_id}: the bill came out differently the second time")
    return verdict


class CounterWatch:
    """Law 5: looks at every frame on the air.

    Sessions are told apart by the accept that began them: a device's counters start again with a new DevAddr session.
    """

    def __init__(self) -> None:
        self.verdict = Verdict(5)
        self._joins: Counter[int] = Counter()
        self._nonces: dict[int, tuple[int, bytes]] = {}
        self._uplinks: dict[tuple[int, int], tuple[int, bytes]] = {}
        self._downlinks: dict[tuple[int, int], tuple[int, bytes]] = {}
        self._address_joins: dict[int, int] = {}

    def joined(self, dev_addr: int) -> None:
        """A device took a join accept: its counters begin anew."""
        self._joins[dev_addr] += 1

    def watch(self, frame: OnAir) -> None:
        """A frame goes on the air."""
        f_type = frame_type(frame.phy)
        if f_type is FType.JOIN_REQUEST:
            request = JoinRequest.decode(frame.phy)
            self._rising(self._nonces, request.dev_eui, request.dev_nonce, frame.phy, f"DevNonce of {request.dev_eui:016x}")
        elif f_type is not FType.JOIN_ACCEPT:
            data = DataFrame.decode(frame.phy)
            side = self._uplinks if f_type.uplink else self._downlinks
            key = (data.dev_addr, self._joins[data.dev_addr])
            self._rising(
                side, key, data.f_cnt, frame.phy, f"{'FCntUp' if f_type.uplink else 'FCntDown'} of {data.dev_addr:08x}"
            )

    def _rising(self, seen: dict[_Key, tuple[int, bytes]], key: _Key, counter: int, phy: bytes, what: str) -> None:
        last = seen.get(key)
        if last is not None:
            ahead = counter - last[0] & 0xFFFF
            repeat = counter == last[0] and phy == last[1]
            self.verdict.check(repeat or 0 < ahead < 0x8000, f"{what}: {counter} after {last[0]}")
        else:
            self.verdict.checked += 1
        seen[key] = (counter, phy)
