"""From an order to the command at the gateway: class C over SQLite and real UDP sockets, idle and under uplinks.

The order is what the API's route does (`issue`, then `stored`), without HTTP.  Orders are spread over gateways so that none
waits for the air: what is measured is commit, group, loop and socket.  The clock stops when PULL_RESP is read from the
gateway's socket by a thread of its own; another thread sends the uplinks.
"""

import asyncio
import os
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from nyala.app import Centre, settle_memory
from nyala.gateway import semtech_udp as udp
from nyala.headend.commands import Kind
from nyala.headend.onboarding import NewMeter
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.frame import DataFrame, FType, seal
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Reception
from nyala.lorawan.network.sessions import SessionRow
from nyala.store import meters, schema
from nyala.store.engine import open_engine, upgrade, writing
from nyala.store.ingest import ThreadWriter
from nyala.store.keys import ring_of
from nyala.store.rows import session_row
from nyala.telegram import intervals
from nyala.telegram.kinds import Port
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, US_PER_S

ORDERS: Final = 200
"""Of each of the two phases, each to a meter of its own."""
EVERY_S: Final = 0.06
GATEWAYS: Final = 20
TALKERS: Final = 500
"""Meters that send an uplink each second in the second phase."""
UPLINKS_PER_S: Final = 500
WARM_S: Final = 2.0
"""The first telegram of each meter fetches its load days from the store; that is over when the second phase is measured."""
FIRST_GATEWAY: Final = 0x0016C001F0000100
FIRST_EUI: Final = 0xD000
LIFE_S: Final = 5
"""Life of an order: shorter than the pause before it is sent again."""
ARRIVAL_STEPS: Final = 1_000
"""Hundredths of a second for the last command to arrive."""
LIMIT_MS: Final = 100.0
BASE_ROUNDS: Final = 200
DATAGRAM_MAX: Final = 4_096
SETTINGS: Final[dict[str, Any]] = {"data_rate": 5, "tx_params_known": True, "channels": list(range(8)), "max_eirp_code": 5}

Keys = list[tuple[AesKey, AesKey]]


def run() -> dict[str, Any]:
    """The benchmark."""
    with tempfile.TemporaryDirectory(prefix="nyala-bench-") as folder:
        base_ms = _baseline(Path(folder))
        idle, loaded, uplinks = asyncio.run(_run(folder))
    figures: dict[str, Any] = {}
    for name, took in (("", idle), ("loaded_", loaded)):
        figures |= {f"{name}median_ms": _ms(statistics.median(took)), f"{name}p99_ms": _ms(_quantile(took, 0.99))}
    figures |= {
        "baseline_ms": _ms(base_ms),
        "ratio_to_baseline": round(statistics.median(idle) / base_ms, 2),
        "loaded_uplinks_per_s": uplinks,
        "under_limit": statistics.median(idle) < LIMIT_MS / 1_000,
    }
    return {
        "bench": "downlink",
        "figures": figures,
        "baseline": "median of one 4 KiB write with fsync in the same folder and one UDP datagram to a socket and back",
        "conditions": {
            "orders": 2 * ORDERS,
            "gateways": GATEWAYS,
            "meters": 2 * ORDERS + TALKERS,
            "limit_ms": LIMIT_MS,
            "database": "SQLite",
        },
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1_000, 2)


def _quantile(took: Sequence[float], share: float) -> float:
    return sorted(took)[min(int(len(took) * share), len(took) - 1)]


async def _run(folder: str) -> tuple[list[float], list[float], int]:
    engine = open_engine(folder)
    upgrade(engine)
    start_s = int(time.time()) // DAY_S * DAY_S
    keys = _fleet(engine, start_s)
    writer = ThreadWriter(engine)
    centre = Centre(engine, writer, lambda: int(time.time() * US_PER_S))
    settle_memory(for_good=True)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: centre.udp, ("127.0.0.1", 0))
    gateways = _Gateways(transport.get_extra_info("sockname"))
    task = asyncio.get_running_loop().create_task(centre.ingest.run())
    try:
        await gateways.ready()
        idle = await _phase(centre, gateways, range(ORDERS))
        datagrams = _uplinks(keys, start_s)
        sending = threading.Thread(target=gateways.send, args=(datagrams, 1 / UPLINKS_PER_S), daemon=True)
        sending.start()
        await asyncio.sleep(WARM_S)
        began, before = time.perf_counter(), centre.ingest.frames
        loaded = await _phase(centre, gateways, range(ORDERS, 2 * ORDERS))
        uplinks = round((centre.ingest.frames - before) / (time.perf_counter() - began))
        gateways.stop.set()
        sending.join()
        await centre.ingest.stored()
    finally:
        task.cancel()
        transport.close()
        gateways.close()
        writer.close()
        engine.dispose()
    return idle, loaded, uplinks


async def _phase(centre: Centre, gateways: "_Gateways", numbers: Sequence[int]) -> list[float]:
    """Orders at a steady pace; answers the seconds that each took to its gateway."""
    ordered: dict[int, float] = {}
    following = time.perf_counter()
    waits = []
    for number in numbers:
        following += EVERY_S
        await asyncio.sleep(max(following - time.perf_counter(), 0))
        meter = centre.registry.of_device(FIRST_EUI + number)
        assert meter is not None
        ordered[_address(number)] = time.perf_counter()
        now_us = centre.now_us()
        centre.headend.tracker.issue(
            meter, Kind.READ, has_switch=True, by="bench", reason="", now_us=now_us, life_s=LIFE_S, phases=1
        )
        waits.append(asyncio.get_running_loop().create_task(centre.ingest.stored()))
    await asyncio.gather(*waits)
    for _ in range(ARRIVAL_STEPS):
        if ordered.keys() <= gateways.arrived.keys():
            break
        await asyncio.sleep(0.01)
    missing = len(ordered.keys() - gateways.arrived.keys())
    assert not missing, f"{missing} of {len(ordered)} orders reached no gateway"
    return [gateways.arrived[address] - at for address, at in ordered.items()]


class _Gateways:
    """The sockets of all gateways: one for what comes down, one for what goes up."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.arrived: dict[int, float] = {}
        """When the first PULL_RESP for a DevAddr came."""
        self.stop = threading.Event()
        self._server = server
        self._down, self._up = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self._down.settimeout(0.2)
        self._pulled = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    async def ready(self) -> None:
        """Opens the way down to each gateway."""
        for number in range(GATEWAYS):
            self._down.sendto(udp.encode_pull_data(number, FIRST_GATEWAY + number), self._server)
        for _ in range(100):
            if self._pulled == GATEWAYS:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{self._pulled} of {GATEWAYS} PULL_ACK came")

    def _listen(self) -> None:
        while not self.stop.is_set():
            try:
                datagram = self._down.recv(DATAGRAM_MAX)
            except TimeoutError:
                continue
            except OSError:
                return
            at = time.perf_counter()
            message = udp.decode_from_server(datagram)
            if not isinstance(message, udp.PullResp):
                self._pulled += 1
                continue
            address = DataFrame.decode(udp.payload_bytes(message.txpk.data)).dev_addr
            self.arrived.setdefault(address, at)
            gateway = FIRST_GATEWAY + (address - _address(0)) % GATEWAYS
            self._down.sendto(udp.encode_tx_ack(message.token, gateway), self._server)

    def send(self, datagrams: Sequence[bytes], every_s: float) -> None:
        """Uplinks at a steady pace until it is stopped or they are all gone."""
        following = time.perf_counter()
        for datagram in datagrams:
            if self.stop.is_set():
                return
            self._up.sendto(datagram, self._server)
            following += every_s
            time.sleep(max(following - time.perf_counter(), 0))

    def close(self) -> None:
        self.stop.set()
        self._listener.join()
        self._down.close()
        self._up.close()


def _address(number: int) -> int:
    return number + 1


def _fleet(engine: Any, start_s: int) -> Keys:
    """Meters that are ordered, each near one gateway, and meters that talk."""
    random, ring = Random(1), ring_of(engine)
    numbers = range(2 * ORDERS + TALKERS)
    new = [
        NewMeter(
            f"B{i:07d}",
            "single-phase",
            FIRST_EUI + i,
            1,
            random.randbytes(16),
            "",
            "",
            "UTC",
            "",
            0,
            (1, 1),
            start_s,
            900,
            3600,
        )
        for i in numbers
    ]
    meters.onboard(engine, meters.tenant_id(engine, "bench"), new)
    keys = [(AesKey(random.randbytes(16)), AesKey(random.randbytes(16))) for _ in numbers]
    rows = []
    for i, (network, session) in enumerate(keys):
        way = ((FIRST_GATEWAY + i % GATEWAYS, 5.0),)
        row = SessionRow(FIRST_EUI + i, _address(i), network.value, session.value, 0, 0, True, SETTINGS, way)
        rows.append(session_row(row, ring))
    with writing(engine) as connection:
        connection.execute(schema.lorawan_session.insert(), rows)
    return keys


def _uplinks(keys: Keys, start_s: int) -> list[bytes]:
    """Datagrams of the talkers: more than the phase takes."""
    random, region = Random(2), indonesia().region
    found = []
    for count in range(int((ORDERS * EVERY_S + 2 * WARM_S) * UPLINKS_PER_S)):
        hour, talker = divmod(count, TALKERS)
        number = 2 * ORDERS + talker
        values = {Channel.IMPORT: [random.randrange(400) for _ in range(4)], Channel.EXPORT: [0, 0, 0, 0]}
        payload = intervals.pack((start_s + (hour + 1) * 3_600) // 900 - 4 - 96, 900, values, {}, 242)[0]
        frame = DataFrame(FType.UNCONFIRMED_UP, _address(number), hour, f_port=Port.INTERVALS, payload=payload)
        phy = seal(frame, *keys[number])
        gateway = FIRST_GATEWAY + number % GATEWAYS
        reception = Reception(gateway, phy, 0, 921_400_000, 5, -80.0, 5.0, count)
        found.append(udp.encode_push_data(count & 0xFFFF, gateway, [udp.to_rxpk(reception, region)]))
    return found


def _baseline(folder: Path) -> float:
    """Median seconds of one fsync and one datagram there and back."""
    here, there = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with here, there, (folder / "floor").open("wb", buffering=0) as file:
        for each in (here, there):
            each.bind(("127.0.0.1", 0))

        def once() -> None:
            file.write(bytes(4_096))
            os.fsync(file.fileno())
            here.sendto(b"x" * 200, there.getsockname())
            there.recv(DATAGRAM_MAX)
            there.sendto(b"x" * 200, here.getsockname())
            here.recv(DATAGRAM_MAX)

        return statistics.median(_timed(once) for _ in range(BASE_ROUNDS))


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
