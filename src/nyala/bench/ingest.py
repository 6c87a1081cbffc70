"""Unique uplinks per second in one process on SQLite: from the gateway's datagram to the committed load day.

Each datagram goes into the UDP protocol object as the socket would hand it over; its PUSH_ACK leaves after the fsync of
its group.  An uplink counts when its acknowledgement was sent and its load day is in the store.  The floor is the same
number of journal rows in the same number of transactions, written by the driver alone.
"""

import asyncio
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select

from nyala.app import Centre, settle_memory
from nyala.bench.feeding import Keys, feed, fleet, hourly_frames
from nyala.gateway import semtech_udp as udp
from nyala.lorawan.frame import DataFrame, FType, seal
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Reception
from nyala.store import schema
from nyala.store.engine import open_engine, upgrade
from nyala.store.ingest import ThreadWriter
from nyala.telegram.warm import warm
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, US_PER_S

METERS: Final = 1_000
PER_METER: Final = 24
"""Hourly frames of four intervals and two channels, the last third with parity of earlier ones."""
GATEWAY: Final = 0x0016C001F0000001
IN_FLIGHT: Final = 4_000
"""Datagrams without an acknowledgement, at most: what gateways would have under way."""


def run() -> dict[str, Any]:
    """The benchmark."""
    with tempfile.TemporaryDirectory(prefix="nyala-bench-") as folder:
        return asyncio.run(_run(folder))


async def _run(folder: str) -> dict[str, Any]:
    engine = open_engine(folder)
    upgrade(engine)
    start_s = int(time.time()) // DAY_S * DAY_S
    keys = fleet(engine, METERS, start_s)
    datagrams = _datagrams(keys, start_s)
    writer = ThreadWriter(engine)
    clock = _Clock(start_s)
    centre = Centre(engine, writer, clock.now_us)
    warm()
    settle_memory(for_good=True)
    began = time.perf_counter()
    await feed(
        centre,
        [datagram for _, datagram in datagrams],
        len(datagrams),
        IN_FLIGHT,
        lambda number: clock.at_least(datagrams[number][0]),
    )
    seconds = time.perf_counter() - began
    groups = centre.ingest.groups
    writer.close()
    stored = _stored_intervals(engine)
    expected = len(datagrams) * 4
    assert stored == expected, f"{stored} of {expected} intervals are in the store"
    engine.dispose()
    floor_s = _floor(Path(folder), len(datagrams), groups)
    return {
        "bench": "ingest",
        "figures": {
            "uplinks_per_s": round(len(datagrams) / seconds),
            "ratio_to_fsync_floor": round(floor_s / seconds, 3),
            "floor_rows_per_s": round(len(datagrams) / floor_s),
            "uplinks": len(datagrams),
            "commits": groups,
        },
        "baseline": "the journal rows of the same uplinks in as many transactions, each fsynced, by sqlite3 alone; the ratio "
        "is its time over ours",
        "conditions": {"meters": METERS, "telegrams_per_meter": PER_METER, "intervals": expected, "database": "SQLite"},
    }


class _Clock:
    """Real time, moved to when each uplink is sent."""

    def __init__(self, start_s: int) -> None:
        self._offset_us = start_s * US_PER_S - int(time.time() * US_PER_S)

    def now_us(self) -> int:
        return int(time.time() * US_PER_S) + self._offset_us

    def at_least(self, at_s: int) -> None:
        self._offset_us += max(at_s * US_PER_S - self.now_us(), 0)


def _datagrams(keys: Keys, start_s: int) -> list[tuple[int, bytes]]:
    region, said = indonesia().region, hourly_frames(start_s, PER_METER)
    found: list[tuple[int, bytes]] = []
    for hour in range(PER_METER):
        at_s = start_s + (hour + 1) * 3_600
        for number, (addr, network, session) in enumerate(keys):
            port, payload = said[hour][number % len(said[hour])]
            frame = DataFrame(FType.UNCONFIRMED_UP, addr, hour, f_port=port, payload=payload, adr=True)
            phy = seal(frame, network, session)
            reception = Reception(GATEWAY, phy, 0, 921_400_000, 5, -80.0, 9.0, number)
            token = len(found) & 0xFFFF
            found.append((at_s, udp.encode_push_data(token, GATEWAY, [udp.to_rxpk(reception, region)])))
    return found


def _stored_intervals(engine: Any) -> int:
    day = schema.load_day
    with engine.connect() as connection:
        query = select(func.sum(DAY_S / day.c.period_s - day.c.missing)).where(day.c.channel == int(Channel.IMPORT))
        return int(connection.scalar(query) or 0)


def _floor(folder: Path, rows: int, transactions: int) -> float:
    """Seconds of the bare group commit."""
    connection = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE journal (seq INTEGER PRIMARY KEY, received_us INT, source TEXT, payload BLOB, radio BLOB)")
    payload, radio = bytes(40), bytes(24)
    per_transaction = -(-rows // transactions)
    began = time.perf_counter()
    for first in range(0, rows, per_transaction):
        batch = [(i, i, "0016c001f0000001", payload, radio) for i in range(first, min(first + per_transaction, rows))]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", batch)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return seconds
