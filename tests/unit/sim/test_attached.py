"""The simulated world as test devices of a network server on a real UDP socket, in real time."""

import asyncio
import csv
import io
import time
from dataclasses import dataclass, field, replace

import pytest

from nyala.gateway.udp_server import SemtechUdpServer
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.network.plan import NetworkPlan, indonesia
from nyala.lorawan.network.port import Downlink, JoinedDevice, Transmission, Uplink
from nyala.lorawan.network.server import NetworkServer
from nyala.lorawan.network.sessions import Root, Sessions
from nyala.meter.supply import SwitchState
from nyala.sim.attached import Attached, Attachment, devices_csv
from nyala.sim.setup import Scenario
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.telegram import messages
from nyala.telegram.kinds import Opcode, Port
from nyala.telegram.messages import Command
from nyala.vocab.errors import BadArgumentError

SECONDS = 30
"""At most; the run ends as soon as everything was seen."""
POLL_S = 0.02


def quick_plan() -> NetworkPlan:
    """A network whose windows come after 1 s instead of 5 s: the test is in real time."""
    plan = indonesia()
    return replace(plan, region=replace(plan.region, join_accept_delay1_s=1), deduplication_us=50_000)


@dataclass
class Server:
    """A network server of our own behind a real socket: registers what the CSV says, and opens a switch by class C."""

    plan: NetworkPlan
    table: str
    joined: set[int] = field(default_factory=set)
    uplinks: list[Uplink] = field(default_factory=list)
    network: NetworkServer = field(init=False)
    commanded: int | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        sessions = Sessions()
        for number, row in enumerate(csv.DictReader(io.StringIO(self.table))):
            key = AesKey(bytes.fromhex(row["app_key"]))
            sessions.add_root(Root(int(row["dev_eui"], 16), int(row["join_eui"], 16), key, 0x26000001 + number, True))
        self.network = NetworkServer(self.plan, sessions)
        self.udp = SemtechUdpServer(self.plan.region, self, lambda: time.time_ns() // 1_000)
        self.udp.outbox.on_result = lambda sent, result: self.network.transmitted(sent.number, result, time.time_ns() // 1_000)

    def submit(self, receptions, acknowledge):
        for reception in receptions:
            self.network.receive(reception, time.time_ns() // 1_000)
        acknowledge()
        return True

    async def run(self) -> None:
        while True:
            now_us = time.time_ns() // 1_000
            for event in self.network.poll(now_us):
                match event:
                    case Transmission():
                        self.udp.transmit(event)
                    case JoinedDevice():
                        self.joined.add(event.dev_eui)
                    case Uplink():
                        self._uplink(event, now_us)
            self.network.sessions.take_changes()
            await asyncio.sleep(POLL_S)

    def _uplink(self, uplink: Uplink, now_us: int) -> None:
        self.uplinks.append(uplink)
        if uplink.port == Port.ANSWER:
            self.done.set()
        elif self.commanded is None:
            self.commanded = uplink.dev_eui
            order = messages.encode_command(Command(7, Opcode.SWITCH_OPEN))
            self.network.enqueue(Downlink(uplink.dev_eui, Port.COMMAND, order), now_us)


async def _meet(loop: VirtualTimeLoop, scenario: Scenario, now_us: int) -> tuple[Attached, Server]:
    plan = quick_plan()
    server = Server(plan, devices_csv(scenario))
    attached = Attached.build(loop, scenario, plan, now_us)
    loop.go_live()
    transport, _ = await loop.create_datagram_endpoint(lambda: server.udp, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    serving = loop.create_task(server.run())
    living = loop.create_task(attached.live(loop, Attachment("localhost", port, SECONDS, join_spread_s=0.5)))
    seen = loop.create_task(server.done.wait())
    await asyncio.wait((living, seen, serving), return_when=asyncio.FIRST_COMPLETED, timeout=SECONDS)
    for task in (serving, living, seen):
        task.cancel()
    ended = await asyncio.gather(serving, living, seen, return_exceptions=True)
    transport.close()
    assert all(isinstance(each, asyncio.CancelledError) or each is True for each in ended), ended
    return attached, server


def test_devices_join_a_server_behind_a_real_socket_talk_and_obey_a_class_c_downlink() -> None:
    now_us = time.time_ns() // 1_000
    start_s = now_us // 1_000_000 // 60 * 60
    scenario = Scenario(meters=3, days=1, model="single-phase", gateways=2, start_s=start_s, seed=5)
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualTimeLoop)
        attached, server = runner.run(_meet(loop, scenario, now_us))
    row = next(r for r, twin in enumerate(attached.world.twins) if twin.identity.dev_eui == server.commanded)
    assert [(each, done.opcode) for each, done in attached.world.executed] == [(row, Opcode.SWITCH_OPEN)]
    assert attached.world.twins[row].meter.switch_state is SwitchState.OPEN
    answer = next(uplink for uplink in server.uplinks if uplink.port == Port.ANSWER)
    assert messages.decode_answer(answer.payload).sequence == 7
    report = attached.report()
    assert report["joined"] >= 1
    assert report["commands"] == 1
    assert report["laws"][0]["holds"]
    assert report["laws"][0]["checked"] > 0
    assert report["gateways"]["acked"] > 0
    assert report["gateways"]["tx_none"] >= report["gateways"]["txnb"] > 0


def test_the_printed_keys_are_those_of_the_devices_one_a_line() -> None:
    rows = list(csv.DictReader(io.StringIO(devices_csv(Scenario(meters=4, days=1, seed=2)))))
    assert [row["dev_eui"] for row in rows] == [f"70b3d57ed1{number:06x}" for number in range(4)]
    assert all(len(bytes.fromhex(row["app_key"])) == 16 for row in rows)
    assert len({row["app_key"] for row in rows}) == 4


@pytest.mark.parametrize("target", ["", "here", ":1700", "here:", "here:x", "here:0", "here:65536", "here:-1"])
def test_a_target_that_is_no_host_and_port_is_refused(target: str) -> None:
    with pytest.raises(BadArgumentError, match="is not HOST:PORT"):
        Attachment.parse(target, 1)


def test_a_target_may_be_an_ipv6_address() -> None:
    assert Attachment.parse("[::1]:1700", 2) == Attachment("::1", 1700, 2)
    assert Attachment.parse("lns.example.org:1700", 2).host == "lns.example.org"
