"""The module's image in the meter's memory: nothing on the air is ever said twice, wherever in its saving the supply ends."""

from collections import OrderedDict
from dataclasses import fields

import pytest

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.state import Activation, DeviceMemory
from nyala.lorawan.device.state import Channel as Uplink
from nyala.lorawan.frame import JoinRequest
from nyala.meter.keeping import HOLD_UP_BYTES
from nyala.meter.memory.layout import Group, standard_layout
from nyala.meter.memory.lifetime import image_cycles
from nyala.telegram.kinds import Opcode, Result
from nyala.telegram.messages import Answer, Command, Event
from nyala.telegram.values import Values
from nyala.twin import image
from nyala.twin.state import EXECUTED_LIMIT, TwinMemory
from nyala.vocab.errors import ForeignError
from nyala.vocab.quantities import Channel
from nyala.vocab.time import HOUR_S
from tests.unit.twin.wall import Wall

LAYOUT = standard_layout()
FULL = TwinMemory(
    DeviceMemory(
        65_535,
        16_777_215,
        Activation(
            0xFE00_0001,
            AesKey(bytes(range(16))),
            AesKey(bytes(16)),
            2**32 - 1,
            2**32 - 1,
            channels={index: Uplink(923_200_000 + 100 * index, 0, 5, rx1_hz=923_300_000) for index in range(24)},
            sticky={5: bytes(2), 8: bytes(1)},
        ),
    ),
    2**31,
    2**15,
    2**31,
    OrderedDict((n, Answer(n, Opcode.SWITCH_OPEN, Result.DONE, 1)) for n in range(65_000, 65_000 + EXECUTED_LIMIT)),
    True,
)
for _number in range(488_889, 488_889 + 18):
    FULL.sent.add(82, _number, bytes(range(1, 10)))


def same(one: TwinMemory, other: TwinMemory) -> bool:
    return image.encode(one) == image.encode(other)


def test_everything_of_a_module_goes_through_its_image():
    read = image.decode(image.encode(FULL))
    assert same(read, FULL)
    assert list(read.executed.items()) == list(FULL.executed.items())
    activation, before = read.device.activation, FULL.device.activation
    assert activation is not None
    assert before is not None
    keys = {"nwk_s_key", "app_s_key"}
    for each in fields(Activation):
        if each.name not in keys:
            assert getattr(activation, each.name) == getattr(before, each.name)
    assert [getattr(activation, key).value for key in sorted(keys)] == [getattr(before, key).value for key in sorted(keys)]
    assert same(image.decode(image.encode(TwinMemory())), TwinMemory())


def test_the_fullest_image_fits_its_place():
    assert len(image.encode(FULL)) <= LAYOUT.images[Group.TWIN].size_bytes


@pytest.mark.parametrize("wire", [b"", b"\xc1", b"\x90", b"\x95\x01\x02\x03\x04\x80", image.encode(FULL)[:-1]])
def test_other_bytes_are_refused(wire):
    with pytest.raises(ForeignError, match="image of a module"):
        image.decode(wire)


def test_bodies_that_parity_is_made_of_are_in_the_image_and_those_that_have_no_room_begin_anew():
    assert image.decode(image.encode(FULL)).sent.parity(82, 488_907) == FULL.sent.parity(82, 488_907) is not None
    memory = TwinMemory()
    for number in range(488_889, 488_889 + 18):
        memory.sent.add(82, number, bytes(range(1, 31)))
    assert len(image.encode(memory)) < len(image.encode(FULL))
    assert image.decode(image.encode(memory)).sent.parity(82, 488_907) is None


def test_a_reserve_is_in_the_image_and_not_in_the_memory():
    memory = TwinMemory(DeviceMemory(1, 1, Activation(1, AesKey(bytes(16)), AesKey(bytes(16)), 7)))
    kept = image.decode(image.encode(memory, reserve=16)).device.activation
    assert kept is not None
    assert memory.device.activation is not None
    assert (kept.f_cnt_up, memory.device.activation.f_cnt_up) == (23, 7)


# -- on the wall


def talking(hold_up_bytes: int) -> Wall:
    """A twin that says much, is cut in the middle, and goes on."""
    wall = Wall(power_w=40_000)
    wall.join()
    for round_ in range(2):
        wall.run(HOUR_S + 400)
        wall.order(Command(2 * round_ + 1, Opcode.SWITCH_OPEN))
        wall.run(4)
        wall.order(Command(2 * round_ + 2, Opcode.SWITCH_CLOSE))
        wall.run(4)
        wall.order(Command(99, Opcode.READ, ("import_wh",)))
        wall.run(40)
        wall.twin.power(wall.now_us, on=False, hold_up_bytes=hold_up_bytes)
        wall.run(300)
        wall.power(on=True)
        wall.run(60)
    wall.order(Command(1, Opcode.SWITCH_OPEN))
    wall.run(HOUR_S)
    return wall


@pytest.mark.parametrize("hold_up_bytes", [0, 1, 700, 1_289, 1_290, 1_300, 1_815, 1_850, 1_900, 2_000, 2_100, HOLD_UP_BYTES])
def test_no_cut_turns_back_what_was_said(hold_up_bytes):
    wall = talking(hold_up_bytes)
    assert wall.twin.keeper.torn == (0 if hold_up_bytes == HOLD_UP_BYTES else 2)
    assert wall.joins == 1
    assert wall.counters == sorted(set(wall.counters))
    events = {event.number: event for event in wall.told(Event)}
    assert all(event in events.values() for event in wall.told(Event))  # a repeat says the same
    assert list(events) == sorted(events)
    assert [each.sequence for each in wall.executed] == [1, 2, 3, 4]
    registers = [said.values["import_wh"] for said in wall.told(Values) if "import_wh" in said.values]
    assert registers == sorted(registers)
    assert len(registers) >= 2
    assert wall.meter.total_wh(Channel.IMPORT) >= registers[-1]


def test_a_session_that_lost_its_last_save_goes_on_behind_the_reserve():
    wall = Wall()
    wall.join()
    wall.run(5 * HOUR_S)
    before = wall.counters[-1]
    wall.twin.power(wall.now_us, on=False, hold_up_bytes=0)
    assert wall.twin.mac.activation is not None
    assert before < wall.twin.mac.activation.f_cnt_up <= before + 1 + image.F_CNT_STEP


def test_the_number_of_an_event_that_nobody_heard_is_not_used_again():
    wall = Wall()
    wall.join()
    wall.listening = False
    numbers = []
    for _ in range(3):
        wall.power(on=True)
        wall.run(60)
        wall.twin.power(wall.now_us, on=False, hold_up_bytes=0)
        numbers.append(wall.twin.memory.event_number)
        wall.run(60)
    assert numbers == [0, 1, 2]


def test_a_nonce_is_used_up_in_the_memory_before_it_is_said():
    wall = Wall()
    wall.listening = False
    nonces = []
    join = wall._join

    def heard(sent, end_us):
        nonces.append(JoinRequest.decode(sent.phy).dev_nonce)
        join(sent, end_us)

    wall._join = heard  # type: ignore[method-assign]
    wall.twin.start(wall.now_us, 1)
    for _ in range(6):
        wall.run(30)
        wall.twin.power(wall.now_us, on=False, hold_up_bytes=0)
        wall.power(on=True)
    wall.run(100)
    assert len(nonces) > 6
    assert nonces == sorted(set(nonces))


def test_the_wear_of_a_module_that_speaks_every_minute_stays_within_its_life():
    wall = Wall()
    wall.join()
    device = wall.twin.keeper.devices["eeprom"]
    place, page = LAYOUT.images[Group.TWIN], device.part.page_bytes
    heads = [(place.address + slot * place.slot_bytes) // page for slot in range(place.slots)]
    before = sum(device.wear.get(head, 0) for head in heads)
    sent = wall.counters[-1]
    activation = wall.twin.mac.activation
    assert activation is not None
    for _ in range(320):
        activation.f_cnt_up += 1  # an uplink that nobody answers
        wall.twin.keep()
    saves = sum(device.wear.get(head, 0) for head in heads) - before
    assert saves == 320 // (image.F_CNT_STEP + 1)
    assert sent < activation.f_cnt_up
    assert image_cycles(place, 15 * 365.25) < device.part.endurance / 5
