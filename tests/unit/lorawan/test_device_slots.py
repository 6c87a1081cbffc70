"""An uplink with a channel of its own goes out there if it can do so at once, and like any other after that."""

import pytest

from nyala.lorawan.device.listening import BACK_OFF_US
from nyala.lorawan.device.procedure import Message
from nyala.lorawan.device.state import Channel
from nyala.lorawan.regulation import regulation
from tests.unit.lorawan.harness import SECOND
from tests.unit.lorawan.lone import Lone, due
from tests.unit.lorawan.test_device_law import answer, listener, senses

FIRST_HZ, STEP_HZ = 921_400_000, 200_000


def said_on(device: Lone, channel: int) -> int:
    """The channel on which a message that was given one began."""
    before = len(device.sent)
    device.now_us = max(device.now_us, device.device.free_us)
    device.did(device.device.send(Message(10, b"x", channel=channel), device.now_us))
    frequency_hz = device.sent[before].frequency_hz
    device.finish()
    return (frequency_hz - FIRST_HZ) // STEP_HZ


def test_it_goes_out_on_its_channel_each_time():
    device = Lone()
    for index in range(2, 8):
        device.activation.channels[index] = Channel(FIRST_HZ + STEP_HZ * index, 0, 5)
    assert [said_on(device, 6) for _ in range(8)] == [6] * 8
    assert len({said_on(device, 9) for _ in range(30)}) > 3  # it has no such channel
    device.activation.channels[6] = Channel(FIRST_HZ + 6 * STEP_HZ, 0, 5, enabled=False)
    assert 6 not in {said_on(device, 6) for _ in range(30)}


def test_it_listens_on_its_channel_alone_and_after_the_slot_on_all():
    device = listener()
    device.did(device.device.send(Message(10, b"x", channel=5), device.now_us))
    assert [sense.frequency_hz for sense in senses(device)] == [FIRST_HZ + 5 * STEP_HZ]
    answer(device, free=False)
    assert BACK_OFF_US[0] <= due(device.device) - device.now_us <= BACK_OFF_US[1]
    device.now_us = due(device.device)
    device.did(device.device.poll(device.now_us))
    for _ in range(7):
        answer(device, free=False)
    assert len({sense.frequency_hz for sense in senses(device)[1:]}) == 8


@pytest.mark.parametrize("seed", range(3))
def test_a_duty_cycle_that_is_used_up_ends_the_slot(seed):
    device = listener(seed=seed, regulation=regulation("indonesia-lbt"))
    device.device.law.book(FIRST_HZ, 36 * SECOND, device.now_us)
    device.did(device.device.send(Message(10, b"x", channel=5), device.now_us))
    assert not device.effects
    device.now_us = due(device.device)
    device.did(device.device.poll(device.now_us))
    for _ in range(7):
        answer(device, free=False)
    assert len({sense.frequency_hz for sense in senses(device)}) == 8
