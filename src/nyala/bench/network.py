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
from nyala.bench.ingest import SETTINGS
from nyala.gateway import semtech_udp as udp
from nyala.headend.onboarding import NewMeter
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.frame import DataFrame, FType, seal
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Reception, Uplink
from nyala.lorawan.network.server import NetworkServer
from nyala.lorawan.network.sessions import SessionRow
from nyala.store import meters, schema
from nyala.store.engine import open_engine, upgrade, writing
from nyala.store.ingest import ThreadWriter
from nyala.store.keys import ring_of
from nyala.store.rows import session_row
from nyala.telegram import values
from nyala.telegram.kinds import Port
from nyala.telegram.values import Values
from nyala.vocab.time import US_PER_S

SESSIONS: Final = 100_000
UPLINKS: Final = 20_000
GATEWAYS: Final = (0x0016C001F0000001, 0x0016C001F0000002, 0x0016C001F0000003)
IN_FLIGHT: Final = 6_000
"""Datagrams without an acknowledgement, at most."""
SETTLE_STEPS: Final = 1_000
PAGE_BYTES: Final = 4_096


def figures() -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures and conditions."""
    with tempfile.TemporaryDirectory(prefix="nyala-bench-") as folder:
        return asyncio.run(_figures(folder))


async def _figures(folder: str) -> tuple[dict[str, Any], dict[str, Any]]:
    engine = open_engine(folder)
    upgrade(engine)
    now_s = int(time.time())
    keys = _fleet(engine, now_s)
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
    seconds = await _through(centre, datagrams)
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


async def _through(centre: Centre, datagrams: list[bytes]) -> float:
    """Seconds until every frame is acknowledged to all its gateways and has reached the application."""
    transport = _Acknowledgements()
    centre.udp.connection_made(transport)
    task = asyncio.get_running_loop().create_task(centre.ingest.run())
    began = time.perf_counter()
    for number, datagram in enumerate(datagrams):
        centre.udp.datagram_received(datagram, ("gateway", 1))
        if number % 64 == 0:
            await asyncio.sleep(0)
        if number - transport.count > IN_FLIGHT:
            await centre.ingest.stored()
    for _ in range(SETTLE_STEPS):
        if (transport.count, centre.headend.counts["uplinks"]) == (len(datagrams), UPLINKS):
            break
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - began
    assert (transport.count, centre.headend.counts["uplinks"]) == (len(datagrams), UPLINKS), "uplinks were lost"
    task.cancel()
    return seconds


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


class _Acknowledgements(asyncio.DatagramTransport):
    """Counts what the server acknowledges to gateways."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def sendto(self, data: Any, addr: Any = None) -> None:  # noqa: ARG002 - the transport's interface
        self.count += data[3] == udp.Kind.PUSH_ACK

    def is_closing(self) -> bool:
        return False


def _fleet(engine: Any, now_s: int) -> list[tuple[int, AesKey, AesKey]]:
    random = Random(1)
    key = random.randbytes(16)
    new = [
        NewMeter(f"B{i:07d}", "single-phase", 0xB000 + i, 1, key, "", "", "UTC", "", 0, (1, 1), now_s, 900, 3_600)
        for i in range(SESSIONS)
    ]
    meters.onboard(engine, meters.tenant_id(engine, "bench"), new)
    keys = [(i + 1, AesKey(random.randbytes(16)), AesKey(random.randbytes(16))) for i in range(SESSIONS)]
    ring = ring_of(engine)
    rows = [
        session_row(SessionRow(0xB000 + i, addr, network.value, session.value, 0, 0, True, SETTINGS), ring)
        for i, (addr, network, session) in enumerate(keys)
    ]
    with writing(engine) as connection:
        connection.execute(schema.lorawan_session.insert(), rows)
    return keys


def _datagrams(keys: list[tuple[int, AesKey, AesKey]], now_s: int) -> list[bytes]:
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
