"""100,000 sessions: unique uplinks per second from three gateways each, from the datagram to the application and the journal.

Each frame comes in three datagrams, as three gateways send it.  They go into the UDP protocol object as the socket would hand
them over; deduplication, session, counter, MIC, payload and MAC layer follow, the telegram goes to the head-end, and the
acknowledgements leave after the fsync of their group.  The same frames then go through parsing alone, and through the network
server alone, to say where the time goes.  Memory of a session is what the process grows by when all are loaded.
"""

import asyncio
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from nyala.app import Centre, settle_memory
from nyala.bench.feeding import Keys, feed, fleet
from nyala.gateway import semtech_udp as udp
from nyala.lorawan.frame import DataFrame, FType, seal
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Reception, Uplink
from nyala.lorawan.network.server import NetworkServer
from nyala.store import meters
from nyala.store.engine import open_engine, upgrade
from nyala.store.ingest import ThreadWriter
from nyala.telegram import values
from nyala.telegram.kinds import Port
from nyala.telegram.values import Values
from nyala.vocab.time import US_PER_S

SESSIONS: Final = 100_000
UPLINKS: Final = 20_000
GATEWAYS: Final = (0x0016C001F0000001, 0x0016C001F0000002, 0x0016C001F0000003)
IN_FLIGHT: Final = 6_000
"""Datagrams without an acknowledgement, at most."""
PAGE_BYTES: Final = 4_096


def figures() -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures and conditions."""
    with tempfile.TemporaryDirectory(prefix="nyala-bench-") as folder:
        return asyncio.run(_figures(folder))


async def _figures(folder: str) -> tuple[dict[str, Any], dict[str, Any]]:
    engine = open_engine(folder)
    upgrade(engine)
    now_s = int(time.time())
    keys = fleet(engine, SESSIONS, now_s)
    writer = ThreadWriter(engine)
    with engine.connect() as connection:
        before = _resident_bytes()
        sessions = meters.load_sessions(connection)
        session_bytes = (_resident_bytes() - before) / SESSIONS
    datagrams = _datagrams(keys, now_s)
    alone_s = _network_alone(NetworkServer(indonesia(), sessions), datagrams)
    del sessions
    parsed_s = _timed(lambda: [udp.decode_from_gateway(datagram) for datagram in datagrams])
    centre = Centre(engine, writer, lambda: int(time.time() * US_PER_S))
    settle_memory(for_good=True)
    began = time.perf_counter()
    await feed(centre, datagrams, UPLINKS, IN_FLIGHT)
    seconds = time.perf_counter() - began
    assert centre.network.duplicates == len(datagrams) - UPLINKS, "not every copy was recognised"
    writer.close()
    engine.dispose()
    return {
        "unique_uplinks_per_s": round(UPLINKS / seconds),
        "datagrams_per_s": round(len(datagrams) / seconds),
        "bytes_per_session": round(session_bytes),
        "network_alone_uplinks_per_s": round(UPLINKS / alone_s),
        "parse_us_per_datagram": round(parsed_s / len(datagrams) * 1e6, 1),
    }, {"sessions": SESSIONS, "uplinks": UPLINKS, "gateways_each": len(GATEWAYS), "database": "SQLite"}


def _network_alone(network: NetworkServer, datagrams: list[bytes]) -> float:
    """Seconds for the same copies in the network server, without parsing, store and application."""
    region, step_us = network.plan.region, 1_000
    copies = []
    for number, datagram in enumerate(datagrams):
        push = udp.decode_from_gateway(datagram)
        assert isinstance(push, udp.PushData)
        reception = udp.to_reception(push.rxpk[0], push.gateway, region, number * step_us)
        assert reception is not None
        copies.append(reception)
    uplinks = 0
    began = time.perf_counter()
    for number, reception in enumerate(copies):
        network.receive(reception, reception.received_us)
        if number % 64 == 0:
            uplinks += sum(isinstance(event, Uplink) for event in network.poll(reception.received_us))
    uplinks += sum(isinstance(event, Uplink) for event in network.poll(len(copies) * step_us + 10 * US_PER_S))
    seconds = time.perf_counter() - began
    assert uplinks == UPLINKS, f"{uplinks} of {UPLINKS} uplinks"
    return seconds


def _datagrams(keys: Keys, now_s: int) -> list[bytes]:
    """Uplinks of devices spread over the fleet, each in three datagrams of which others come between."""
    random, region = Random(2), indonesia().region
    payload = values.encode(Values(now_s, {"p_w": 1_234, "u1_v": 2_301}), now_s)
    copies: list[tuple[int, bytes]] = []
    for number, (addr, network, session) in enumerate(random.sample(keys, UPLINKS)):
        frame = DataFrame(FType.UNCONFIRMED_UP, addr, 0, f_port=Port.VALUES, payload=payload, adr=True)
        phy = seal(frame, network, session)
        for place, gateway in enumerate(GATEWAYS):
            reception = Reception(gateway, phy, 0, 921_400_000, 5, -80.0, 9.0 - place, number)
            rxpk = [udp.to_rxpk(reception, region)]
            copies.append((number + 20 * place, udp.encode_push_data(len(copies) & 0xFFFF, gateway, rxpk)))
    return [datagram for _, datagram in sorted(copies, key=lambda copy: copy[0])]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _resident_bytes() -> int:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * PAGE_BYTES
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024
