"""The application packages in a meter: what a network says on ports 200 to 203, and what the meter makes of it."""

from typing import Any

import pytest

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.effects import Transmit
from nyala.lorawan.frame import DataFrame, FType, open_payload, seal
from nyala.lorawan.packages import layouts as c
from nyala.lorawan.packages.commands import TO_SERVER, Open, PackagePort, decode, encode
from nyala.lorawan.packages.keys import gen_app_key, mc_ke_key, mc_session_keys, wrap_mc_key
from nyala.lorawan.packages.parity import Fragmenter
from nyala.meter.logs import event_id
from nyala.meter.model import meter_model
from nyala.telegram.blocks import BlockKind, descriptor_of, encode_block
from nyala.telegram.firmware import VIRTUAL_SEED, Image, firmware_block, sign_image
from nyala.telegram.kinds import EventCode
from nyala.telegram.messages import Event
from nyala.twin import image
from nyala.twin.packages import PORTS
from nyala.vocab.time import US_PER_S, gps_from_utc_us
from tests.unit.twin.wall import IDENTITY, Wall

MC_ADDR, MC_KEY = 0x01FF0001, bytes(range(16))
KEYS = mc_session_keys(AesKey(MC_KEY), MC_ADDR)
SEALED = mc_ke_key(gen_app_key(AesKey(IDENTITY.app_key)))
BLOCK = firmware_block(sign_image(Image(meter_model("single-phase").code, 0x0102, bytes(range(1, 80))), VIRTUAL_SEED))
SIZE = 40


class Place(Wall):
    """A twin on a wall whose network knows the packages."""

    size = SIZE
    """Bytes of a fragment."""

    def __init__(self, **said: Any) -> None:
        super().__init__(**said)
        self.said: list[c.Command | Open] = []
        self.sent = 0
        self.f_cnt = 0
        self.join()
        self.run(60)

    def _hear(self, sent: Transmit, end_us: int) -> None:
        frame = DataFrame.decode(sent.phy)
        if frame.f_port not in PORTS:
            super()._hear(sent, end_us)
            return
        self.sent += 1
        self.said += decode(open_payload(frame, frame.f_cnt, *self._keys), TO_SERVER[PackagePort(frame.f_port), 1])

    def tell(self, port: PackagePort, *said: c.Command | Open, wait_s: float = 10) -> list[c.Command | Open]:
        """Says commands by class C; what the meter answered."""
        self.said.clear()
        self.say(encode(said), port)
        self.run(wait_s)
        return list(self.said)

    def set_up(self, *, f_cnt_min: int = 0) -> list[c.Command | Open]:
        sealed = wrap_mc_key(SEALED, MC_KEY)
        return self.tell(PackagePort.MULTICAST, c.McSetupReq.of(0, MC_ADDR, sealed, (f_cnt_min, 1000)))

    def frag(self, block: bytes, descriptor: int) -> list[c.Command | Open]:
        self.fragments = Fragmenter(block, self.size, 1)
        request = c.FragSetupReq(1, 0, 0, len(self.fragments), self.size, 0, 0, 0, self.fragments.padding, descriptor)
        return self.tell(PackagePort.FRAGMENTATION, request)

    def listen(self, seconds: int, data_rate: int) -> list[c.Command | Open]:
        start_s = gps_from_utc_us(self.now_us) // US_PER_S + 20
        request = c.McClassCSessionReq(0, 0, 0, start_s, seconds.bit_length() - 1, 0, 9_220_000, data_rate)
        return self.tell(PackagePort.MULTICAST, request)

    def to_group(self, number: int, *, f_cnt: int | None = None, data_rate: int = 3, frequency_hz: int = 922_000_000) -> None:
        """A fragment for the group, now."""
        said = encode([Open(c.DataFragment(number, 0), self.fragments.fragment(number))])
        self.f_cnt = self.f_cnt if f_cnt is None else f_cnt
        frame = DataFrame(FType.UNCONFIRMED_DOWN, MC_ADDR, self.f_cnt, f_port=PackagePort.FRAGMENTATION, payload=said)
        self.f_cnt += 1
        self._on_air(seal(frame, AesKey(KEYS[0]), AesKey(KEYS[1])), self.now_us, frequency_hz, data_rate)
        self.run(2)

    def codes(self) -> list[tuple[int, int]]:
        return [(event.code, event.detail) for event in self.told(Event)]

    @property
    def session(self):
        return self.twin.memory.device.multicast[0]


@pytest.fixture
def place():
    return Place()


@pytest.fixture
def ready(place):
    """Set up, and listening for the group."""
    assert place.set_up() == [c.McSetupAns(0, 0)]
    assert place.frag(encode_block(BLOCK), descriptor_of(BLOCK.kind, BLOCK.version)) == [c.FragSetupAns(0, 0, 0, 0, 0, 0, 0)]
    [answer] = place.listen(256, 3)
    assert isinstance(answer, Open)
    assert isinstance(answer.head, c.McClassCSessionAns)
    assert answer.head.accepted
    place.run(20)
    place.forget()
    return place


def test_a_block_over_a_group_is_staged_and_told_once(ready):
    for number in range(1, len(ready.fragments) + 1):
        ready.to_group(number)
    ready.run(60)
    assert ready.twin.memory.flash.staged == {BlockKind.FIRMWARE: encode_block(BLOCK)}
    assert ready.codes() == [(EventCode.BLOCK_STAGED, 0x01000102)]
    assert ready.meter.operation.logs.count(event_id("block_staged")) == 1


def test_a_block_that_is_not_what_it_says_is_refused_logged_and_told(ready):
    wrong = bytearray(encode_block(BLOCK))
    wrong[-1] ^= 1
    ready.frag(bytes(wrong), descriptor_of(BLOCK.kind, BLOCK.version))
    for number in range(1, len(ready.fragments) + 1):
        ready.to_group(number)
    ready.run(60)
    assert ready.twin.memory.flash.staged == {}
    assert ready.codes() == [(EventCode.BLOCK_REFUSED, 0x01000102)]
    assert ready.meter.operation.logs.count(event_id("block_refused")) == 1


def test_before_its_time_the_group_is_not_heard_where_it_will_be(place):
    place.set_up()
    place.frag(encode_block(BLOCK), 0x01000102)
    place.to_group(1)
    assert place.session.f_cnt == 0
    place.listen(256, 3)
    place.run(20)
    place.to_group(1)
    assert place.session.f_cnt == 2
    place.run(300)
    place.to_group(2)
    assert place.session.f_cnt == 2


def test_a_power_cut_takes_neither_fragments_nor_counters(ready):
    ready.to_group(1)
    ready.to_group(2)
    ready.power(on=False)
    ready.power(on=True)
    ready.run(90)
    ready.to_group(1, f_cnt=1)
    assert ready.session.f_cnt == 2, "an old frame was taken again"
    for number in (3, 4, 5):
        ready.to_group(number, f_cnt=number - 1)
    ready.run(60)
    assert list(ready.twin.memory.flash.staged) == [BlockKind.FIRMWARE]


def test_a_group_that_is_set_up_again_as_it_was_keeps_its_counter_and_its_window(ready):
    ready.to_group(1, f_cnt=7)
    window = ready.session.class_c
    ready.run(300)
    assert ready.set_up() == [c.McSetupAns(0, 0)]
    assert (ready.session.f_cnt, ready.session.class_c) == (8, window)
    assert ready.set_up(f_cnt_min=20) == [c.McSetupAns(0, 0)]
    assert ready.session.f_cnt == 20


def test_a_group_without_counters_is_heard_nowhere(ready):
    ready.run(300)
    ready.set_up(f_cnt_min=1000)
    assert ready.twin.memory.device.multicast == {}
    ready.listen(256, 3)


def test_a_group_that_is_deleted_is_gone_from_the_mac(ready):
    ready.run(300)
    assert ready.tell(PackagePort.MULTICAST, c.McDeleteReq(0)) == [c.McDeleteAns(0, 0)]
    assert ready.twin.memory.device.multicast == {}


def test_a_clock_is_asked_for_and_corrected(place):
    place.meter.sync_clock(-7 * US_PER_S)
    [asked] = place.tell(PackagePort.CLOCK_SYNC, c.ForceResyncReq(1))
    assert isinstance(asked, c.AppTimeReq)
    assert gps_from_utc_us(place.now_us) // US_PER_S - asked.device_time in range(6, 18)
    place.forget()
    place.tell(PackagePort.CLOCK_SYNC, c.AppTimeAns(7, asked.token))
    assert place.meter.clock_error_us == 0
    assert place.codes() == [(EventCode.CLOCK_SET, 7_000)]
    place.tell(PackagePort.CLOCK_SYNC, c.AppTimeAns(7, asked.token))
    assert place.meter.clock_error_us == 0, "the same answer corrected it twice"


def test_a_time_request_goes_out_once_whatever_the_network_has_set(place):
    place.twin.mac.activation.nb_trans = 3
    place.tell(PackagePort.CLOCK_SYNC, c.ForceResyncReq(1), wait_s=60)
    assert place.sent == 1


def test_answers_are_not_confirmed_and_too_long_ones_are_not_said(place):
    place.set_up()
    place.set_data_rate(2)
    place.sent = 0
    said = [c.PackageVersionReq()] * 4  # 12 bytes of answers; a frame of SF10 holds 11
    assert place.tell(PackagePort.MULTICAST, *said, wait_s=30) == []
    assert (place.sent, len(place.twin.telling.jobs)) == (0, 0)
    assert len(place.tell(PackagePort.MULTICAST, *said[:3])) == 3


@pytest.mark.parametrize("port", list(PackagePort))
def test_bytes_that_are_no_message_are_dropped(place, port):
    place.say(b"\xff\x00", port)
    place.say(b"\x02", port)
    place.run(10)
    assert place.sent == 0


def test_what_lies_in_flash_is_no_part_of_the_image(ready):
    memory = ready.twin.memory
    read = image.decode(image.encode(memory))
    assert (read.flash.packages.groups, read.device.multicast) == ({}, {})
    assert memory.flash.packages.groups
    assert memory.device.multicast
