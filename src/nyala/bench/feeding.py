"""What the benches of the centre share: a fleet with sessions in a store, what it says, and datagrams that go in as gateways
send them.

A datagram goes into the UDP protocol object as the socket would hand it over; its PUSH_ACK leaves after the fsync of its
group.
"""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from nyala.app import Centre
from nyala.gateway import semtech_udp as udp
from nyala.headend.onboarding import NewMeter
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.network.sessions import SessionRow
from nyala.store import meters, schema
from nyala.store.engine import writing
from nyala.store.keys import ring_of
from nyala.store.rows import session_row
from nyala.telegram import frames
from nyala.telegram.frame_coder import TableCoder
from nyala.telegram.kinds import Port
from nyala.telegram.load_model_file import model_of_epoch
from nyala.telegram.parity import SentBodies
from nyala.vocab.quantities import Channel

SETTINGS: Final[dict[str, Any]] = {"data_rate": 5, "tx_params_known": True, "channels": list(range(8)), "max_eirp_code": 5}
"""Of a device that the network wants nothing more of."""
SETTLE_STEPS: Final = 1_000
"""Hundredths of a second for the last windows of deduplication to close."""
LOADS: Final = 64
"""Different loads of a fleet: to code each meter's by itself would take longer than the bench."""
ROOM: Final = 222
Keys = list[tuple[int, AesKey, AesKey]]
"""(DevAddr, NwkSKey, AppSKey) of each device."""


def hourly_frames(start_s: int, hours: int) -> list[list[tuple[int, bytes]]]:
    """For each hour from a midnight on what meters say of it, one (port, payload) for each of `LOADS` loads: four intervals of
    import and export, the register, and parity as soon as there are earlier frames.
    """
    random, coder = Random(2), TableCoder(model_of_epoch())
    sent, register_wh = [SentBodies() for _ in range(LOADS)], [0] * LOADS
    found: list[list[tuple[int, bytes]]] = []
    for hour in range(hours):
        said: list[tuple[int, bytes]] = []
        for load in range(LOADS):
            rows = {Channel.IMPORT: [random.randrange(400) for _ in range(4)], Channel.EXPORT: [0, 0, 0, 0]}
            register_wh[load] += sum(rows[Channel.IMPORT])
            run = frames.Run((start_s + hour * 3_600) // 900, rows, register_wh[load])
            (built,) = frames.build(run, coder, ROOM, sent[load])
            said.append((Port.FRAME_SUM, built.payload))
        found.append(said)
    return found


class Acknowledgements(asyncio.DatagramTransport):
    """Counts what the server acknowledges to gateways."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def sendto(self, data: Any, addr: Any = None) -> None:  # noqa: ARG002 - the transport's interface
        """A datagram of the server."""
        self.count += data[3] == udp.Kind.PUSH_ACK

    def is_closing(self) -> bool:
        """Never."""
        return False


def fleet(engine: Any, count: int, start_s: int) -> Keys:
    """Meters that have joined, in an empty store."""
    random = Random(1)
    key = random.randbytes(16)
    new = [
        NewMeter(f"B{i:07d}", "single-phase", 0xB000 + i, 1, key, "", "", "UTC", "", 0, (1, 1), start_s, 900, 3_600)
        for i in range(count)
    ]
    meters.onboard(engine, meters.tenant_id(engine, "bench"), new)
    keys = [(i + 1, AesKey(random.randbytes(16)), AesKey(random.randbytes(16))) for i in range(count)]
    ring = ring_of(engine)
    rows = [
        session_row(SessionRow(0xB000 + i, addr, network.value, session.value, 0, 0, True, SETTINGS), ring)
        for i, (addr, network, session) in enumerate(keys)
    ]
    with writing(engine) as connection:
        connection.execute(schema.lorawan_session.insert(), rows)
    return keys


async def feed(
    centre: Centre, datagrams: Sequence[bytes], uplinks: int, in_flight: int, before: Callable[[int], None] = lambda _: None
) -> None:
    """Hands over datagrams, `before(number)` each, at most `in_flight` of them without an acknowledgement; returns when all are
    acknowledged, and `uplinks` have reached the application.
    """
    transport = Acknowledgements()
    centre.udp.connection_made(transport)
    task = asyncio.get_running_loop().create_task(centre.ingest.run())
    for number, datagram in enumerate(datagrams):
        before(number)
        centre.udp.datagram_received(datagram, ("gateway", 1))
        if number % 64 == 0:
            await asyncio.sleep(0)
        if number - transport.count > in_flight:
            await centre.ingest.stored()
    for _ in range(SETTLE_STEPS):
        if (transport.count, centre.headend.counts["uplinks"]) == (len(datagrams), uplinks):
            break
        await asyncio.sleep(0.01)
    await centre.ingest.stored()
    assert (transport.count, centre.headend.counts["uplinks"]) == (len(datagrams), uplinks), "uplinks were lost"
    task.cancel()
