"""The packages of a device: each command's effect and answer, what a group may not say, and blocks over a lossy air."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.packages import layouts as c
from nyala.lorawan.packages.blocks import BLOCK_MAX
from nyala.lorawan.packages.clock import PERIOD_SPREAD_S, PERIOD_UNIT_S
from nyala.lorawan.packages.commands import TO_SERVER, Open, PackagePort, decode, encode
from nyala.lorawan.packages.device import ANSWERS_MAX, BLOCK_TELLS, FROM_GROUPS, DevicePackages
from nyala.lorawan.packages.keys import data_block_key, mc_ke_key, mc_session_keys, wrap_mc_key
from nyala.lorawan.packages.parity import Fragmenter, block_mic
from nyala.lorawan.packages.state import (
    AskTime,
    BlockReady,
    ClockOff,
    GroupDropped,
    GroupSet,
    Listen,
    PackageEffect,
    PackagesMemory,
    Say,
)
from nyala.lorawan.region import region
from nyala.vocab.errors import FrameError
from nyala.vocab.time import GPS_EPOCH_S, GPS_LEAP_S, US_PER_S

GEN_APP_KEY = AesKey(bytes(range(16)))
REGION = region("AS923-2")
CLOCK_S = 1_790_000_000
NOW_US = 5_000 * US_PER_S
GPS_S = CLOCK_S - GPS_EPOCH_S + GPS_LEAP_S
MC_KEY = bytes(range(16, 32))
GROUP_SETUP = c.McSetupReq.of(1, 0x01FF0001, wrap_mc_key(mc_ke_key(GEN_APP_KEY), MC_KEY), (5, 500))
BLOCK = Random(3).randbytes(1_234)


class Device:
    """A device's packages, and what a server says to them."""

    def __init__(self, version=1, memory=None):
        self.version = version
        self.packages = DevicePackages(GEN_APP_KEY, REGION, memory or PackagesMemory(), Random(1), version=version)

    def hears(self, port, *commands, group=None, clock_s=CLOCK_S):
        return self.packages.receive(port, encode(commands), group, NOW_US, clock_s)

    @property
    def due_us(self) -> int:
        """When it has something to say."""
        due_us = self.packages.next_us
        assert due_us is not None
        return due_us

    def answers(self, port, *commands, group=None):
        """What it says at once to commands."""
        [said] = [each for each in self.hears(port, *commands, group=group) if isinstance(each, Say)]
        assert said.port is port
        return decode(said.payload, TO_SERVER[port, self.version])

    def setup(self, block=BLOCK, size=50, *, index=0, groups=0b0010, delay=0, **said):
        """A session for a block; answers its fragmenter."""
        fragmenter = Fragmenter(block, size, self.version)
        first = (groups, index, 0, len(fragmenter), size, delay, said.get("algorithm", 0))
        if self.version == 1:
            command: c.FragSetupReq | c.FragSetupReqV2 = c.FragSetupReq(*first, 0, fragmenter.padding, 7)
        else:
            count = said.get("count", 0)
            mic = block_mic(data_block_key(GEN_APP_KEY), count, index, 7, said.get("signed", block))
            command = c.FragSetupReqV2(*first, said.get("ack", 1), 0, fragmenter.padding, 7, count, mic)
        return self.answers(FRAG, command)[0], fragmenter


CLOCK, FRAG, MC = PackagePort.CLOCK_SYNC, PackagePort.FRAGMENTATION, PackagePort.MULTICAST


def fragment(fragmenter, number, index=0):
    return Open(c.DataFragment(number, index), fragmenter.fragment(number))


# -- any package


@pytest.mark.parametrize(("port", "identifier"), [(CLOCK, 1), (MC, 2), (FRAG, 3)])
@pytest.mark.parametrize("version", [1, 2])
def test_a_package_says_what_it_is(port, identifier, version):
    assert Device(version).answers(port, c.PackageVersionReq()) == [c.PackageVersionAns(identifier, version)]
    assert Device(version).answers(PackagePort.FIRMWARE, c.PackageVersionReq()) == [c.PackageVersionAns(4, 1)]


def test_several_commands_are_answered_in_one_message():
    answers = Device().answers(MC, GROUP_SETUP, c.McStatusReq(15), c.McDeleteReq(2))
    assert [type(getattr(each, "head", each)) for each in answers] == [c.McSetupAns, c.McStatusAns, c.McDeleteAns]


def test_what_is_no_message_of_a_package_is_refused():
    device = Device()
    with pytest.raises(FrameError):
        device.packages.receive(201, b"\x7f", None, NOW_US, CLOCK_S)
    with pytest.raises(ValueError, match="9 is not a valid PackagePort"):
        device.packages.receive(9, b"\x00", None, NOW_US, CLOCK_S)


@pytest.mark.parametrize(
    ("port", "command"),
    [
        (CLOCK, c.AppTimeAns(5, 0)),
        (CLOCK, c.PeriodicityReq(1)),
        (CLOCK, c.ForceResyncReq(1)),
        (MC, GROUP_SETUP),
        (MC, c.McDeleteReq(1)),
        (MC, c.McStatusReq(15)),
        (MC, c.McClassCSessionReq(1, 0, 0, GPS_S % 2**32, 6, 0, 9_214_000, 3)),
        (FRAG, c.FragSetupReq(2, 0, 0, 10, 50, 0, 0, 0, 0, 7)),
        (FRAG, c.FragDeleteReq(0)),
    ],
)
def test_a_group_may_say_nothing_that_changes_one_device(port, command):
    assert type(command) not in FROM_GROUPS
    device = Device()
    with pytest.raises(FrameError, match="from a group"):
        device.hears(port, command, group=1)
    assert device.packages.memory == PackagesMemory()


# -- clock


def test_the_clock_is_asked_and_corrected_once():
    device = Device()
    assert decode(device.packages.clock.request(CLOCK_S), TO_SERVER[CLOCK, 1]) == [c.AppTimeReq(GPS_S % 2**32, 0, 0)]
    assert device.hears(CLOCK, c.AppTimeAns(-3, 0)) == [ClockOff(-3)]
    assert device.hears(CLOCK, c.AppTimeAns(-3, 0)) == []  # the same answer again, or one to an older request
    assert decode(device.packages.clock.request(CLOCK_S, answer_required=True), TO_SERVER[CLOCK, 1]) == [
        c.AppTimeReq(GPS_S % 2**32, 1, 1)
    ]


def test_tokens_begin_again_after_fifteen():
    device = Device()
    for token in [*range(16), 0]:
        assert device.hears(CLOCK, c.AppTimeAns(1, token)) == [ClockOff(1)]


@pytest.mark.parametrize("period", [0, 7, 15])
def test_the_clock_is_asked_each_period(period):
    device = Device()
    assert device.answers(CLOCK, c.PeriodicityReq(period)) == [c.PeriodicityAns(0, 0, 0, GPS_S % 2**32)]
    for _ in range(3):
        due_us = device.due_us
        assert device.packages.poll(due_us - 1) == []
        assert device.packages.poll(due_us) == [AskTime()]
        ahead_s = (device.due_us - due_us) // US_PER_S
        assert abs(ahead_s - (PERIOD_UNIT_S << period)) <= PERIOD_SPREAD_S


def test_a_period_survives_a_power_cut():
    device = Device()
    device.hears(CLOCK, c.PeriodicityReq(3))
    again = Device(memory=device.packages.memory)
    assert again.packages.next_us is None
    assert again.packages.start(NOW_US) == []
    assert again.packages.next_us is not None


@pytest.mark.parametrize(("times", "effects"), [(0, []), (1, [AskTime()]), (7, [AskTime()])])
def test_the_clock_is_asked_when_the_server_wants_it(times, effects):
    assert Device().hears(CLOCK, c.ForceResyncReq(times)) == effects


# -- groups


def test_a_group_is_set_up_with_its_keys():
    network, app = mc_session_keys(AesKey(MC_KEY), 0x01FF0001)
    effects = Device().hears(MC, GROUP_SETUP)
    assert effects == [GroupSet(1, 0x01FF0001, network, app, 5, 500), Say(MC, encode([c.McSetupAns(1, 0)]))]


def test_a_group_is_there_again_after_a_power_cut():
    device = Device()
    [made, _] = device.hears(MC, GROUP_SETUP)
    assert Device(memory=device.packages.memory).packages.start(NOW_US) == [made]


def test_groups_are_told_and_forgotten():
    device = Device()
    device.hears(MC, GROUP_SETUP)
    there = Open(c.McStatusAns(0b0010, 1), bytes.fromhex("010100ff01"))
    assert device.answers(MC, c.McStatusReq(0b1111)) == [there]
    assert device.answers(MC, c.McStatusReq(0b1101)) == [c.McStatusAns(0, 1)]
    assert device.hears(MC, c.McDeleteReq(1)) == [GroupDropped(1), Say(MC, encode([c.McDeleteAns(1, 0)]))]
    assert device.answers(MC, c.McDeleteReq(1)) == [c.McDeleteAns(1, 1)]


@pytest.mark.parametrize("ahead_s", [-60, 0, 1, 3_600, 86_400 * 100])
def test_a_device_listens_for_a_group_at_its_time(ahead_s):
    device = Device()
    device.hears(MC, GROUP_SETUP)
    order = c.McClassCSessionReq(1, 0, 0, (GPS_S + ahead_s) % 2**32, 6, 0, 9_214_000, 3)
    listen, said = device.hears(MC, order)
    assert listen == Listen(1, CLOCK_S + ahead_s, CLOCK_S + ahead_s + 64, 921_400_000, 3)
    [answer] = decode(said.payload, TO_SERVER[MC, 1])
    assert answer == Open(c.McClassCSessionAns(1, 0, 0, 0, 0), max(ahead_s, 0).to_bytes(3, "little"))


@pytest.mark.parametrize(
    ("change", "bit"),
    [
        ({"data_rate": 9}, "data_rate_error"),
        ({"frequency_100hz": 9_300_000}, "frequency_error"),
        ({"group": 2}, "undefined"),
        ({"session_time": (GPS_S - 64) % 2**32}, "start_missed"),
    ],
)
def test_a_session_that_cannot_be_says_why(change, bit):
    device = Device()
    device.hears(MC, GROUP_SETUP)
    said = {"group": 1, "rfu": 0, "rfu_high": 0, "session_time": GPS_S % 2**32, "timeout": 6, "rfu_timeout": 0}
    effects = device.hears(MC, c.McClassCSessionReq(**(said | {"frequency_100hz": 9_214_000, "data_rate": 3} | change)))
    [said_back] = effects
    [answer] = decode(said_back.payload, TO_SERVER[MC, 1])
    assert isinstance(answer, c.McClassCSessionAns)
    bits = ("data_rate_error", "frequency_error", "undefined", "start_missed")
    assert [name for name in bits if getattr(answer, name)] == [bit]


# -- blocks


@pytest.mark.parametrize("version", [1, 2])
def test_a_block_comes_whole_through_a_lossy_group(version):
    device, air = Device(version), Random(5)
    answer, fragmenter = device.setup()
    assert answer == c.FragSetupAns(0, 0, 0, 0, 0, 0, 0)
    effects, number = list[PackageEffect](), 0
    while not effects:
        number += 1
        if air.random() > 0.2:
            effects = device.hears(FRAG, fragment(fragmenter, number), group=1)
    assert effects == [BlockReady(0, 7, BLOCK)]
    assert device.hears(FRAG, fragment(fragmenter, number), group=1) == []  # once


@given(st.integers(0, 24))
def test_a_power_cut_loses_no_fragment(cut):
    device = Device()
    _, fragmenter = device.setup()
    for number in range(1, cut + 1):
        device.hears(FRAG, fragment(fragmenter, number), group=1)
    again = Device(memory=device.packages.memory)
    effects = [again.hears(FRAG, fragment(fragmenter, number), group=1) for number in range(cut + 1, len(fragmenter) + 1)]
    assert effects[-1] == [BlockReady(0, 7, BLOCK)]


def test_a_setup_that_comes_again_throws_nothing_away():
    device = Device()
    _, fragmenter = device.setup()
    device.hears(FRAG, fragment(fragmenter, 1))
    device.setup()
    assert device.answers(FRAG, c.FragStatusReq(1, 0)) == [c.FragStatusAns(1, 0, len(fragmenter) - 1, 0)]


def test_only_those_with_gaps_answer_a_question_for_gaps():
    device = Device()
    _, fragmenter = device.setup(b"ab", 1)
    assert device.answers(FRAG, c.FragStatusReq(0, 0)) == [c.FragStatusAns(0, 0, 2, 0)]
    device.hears(FRAG, fragment(fragmenter, 1))
    device.hears(FRAG, fragment(fragmenter, 2))
    assert device.hears(FRAG, c.FragStatusReq(0, 0)) == []
    assert device.answers(FRAG, c.FragStatusReq(1, 0)) == [c.FragStatusAns(2, 0, 0, 0)]
    assert device.hears(FRAG, c.FragStatusReq(1, 3)) == []


@pytest.mark.parametrize("delay", [0, 3])
def test_answers_to_a_group_are_spread_over_its_delay(delay):
    due = []
    for seed in range(40):
        device = Device()
        device.packages = DevicePackages(GEN_APP_KEY, REGION, PackagesMemory(), Random(seed))
        device.setup(delay=delay)
        assert device.hears(FRAG, c.FragStatusReq(1, 0), group=1) == []
        due_us = device.due_us
        assert device.packages.poll(due_us - 1) == []
        [said] = device.packages.poll(due_us)
        assert isinstance(said, Say)
        assert said.port is FRAG
        due.append((due_us - NOW_US) / US_PER_S)
    assert 0 <= min(due) < max(due) < 2 ** (delay + 4)
    assert max(due) > 2 ** (delay + 3)


def test_a_storm_of_questions_leaves_a_bounded_number_of_answers():
    device = Device()
    device.setup()
    for _ in range(3 * ANSWERS_MAX):
        device.hears(FRAG, c.FragStatusReq(1, 0), group=1)
    assert len(device.packages.poll(NOW_US + 3_600 * US_PER_S)) == ANSWERS_MAX


@pytest.mark.parametrize("version", [1, 2])
def test_a_session_of_another_group_is_not_fed(version):
    device = Device(version)
    _, fragmenter = device.setup(b"ab", 1, groups=0b0001)
    device.hears(FRAG, fragment(fragmenter, 1), group=1)
    assert device.answers(FRAG, c.FragStatusReq(1, 0)) == [c.FragStatusAns(0, 0, 2, 0)]


def test_a_session_is_forgotten():
    device = Device()
    device.setup()
    assert device.answers(FRAG, c.FragDeleteReq(0)) == [c.FragDeleteAns(0, 0)]
    assert device.answers(FRAG, c.FragDeleteReq(0)) == [c.FragDeleteAns(0, 1)]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({"algorithm": 1}, c.FragSetupAns(1, 0, 0, 0, 0, 0, 0)),
        ({"block": bytes(BLOCK_MAX + 1), "size": 200}, c.FragSetupAns(0, 1, 0, 0, 0, 0, 0)),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_a_session_that_the_device_cannot_hold_says_why(version, said, answer):
    device = Device(version)
    assert device.setup(**said)[0] == answer
    assert not device.packages.memory.sessions


def test_a_session_of_no_size_is_refused():
    nothing = c.FragSetupReq(2, 0, 0, 10, 0, 0, 0, 0, 0, 7)
    assert Device().answers(FRAG, nothing) == [c.FragSetupAns(0, 1, 0, 0, 0, 0, 0)]


def test_an_old_session_of_version_2_is_not_played_again():
    device = Device(2)
    device.setup(count=5)
    for count, replayed in ((5, 1), (4, 1), (6, 0)):
        assert device.setup(b"another", 7, count=count)[0] == c.FragSetupAns(0, 0, 0, 0, replayed, 0, 0)


def test_a_block_of_version_2_that_was_forged_is_thrown_away_and_told():
    device = Device(2)
    _, fragmenter = device.setup(b"abcd", 2, signed=b"abce")
    assert device.hears(FRAG, fragment(fragmenter, 1)) == []
    assert device.hears(FRAG, fragment(fragmenter, 2)) == []
    said = device.packages.poll(NOW_US + 3_600 * US_PER_S)
    assert said == [Say(FRAG, encode([c.BlockReceivedReq(0, 1)]))] * BLOCK_TELLS
    assert not device.packages.memory.sessions


def test_a_whole_block_of_version_2_is_told_until_it_is_heard():
    device = Device(2)
    _, fragmenter = device.setup(b"abcd", 2)
    device.hears(FRAG, fragment(fragmenter, 1))
    assert device.hears(FRAG, fragment(fragmenter, 2)) == [BlockReady(0, 7, b"abcd")]
    assert device.packages.poll(device.due_us) == [Say(FRAG, encode([c.BlockReceivedReq(0, 0)]))]
    assert device.hears(FRAG, c.BlockReceivedAns(0)) == []
    assert device.packages.next_us is None


def test_a_block_whose_receipt_is_not_asked_for_is_not_told():
    device = Device(2)
    _, fragmenter = device.setup(b"abcd", 2, ack=0)
    device.hears(FRAG, fragment(fragmenter, 1))
    device.hears(FRAG, fragment(fragmenter, 2))
    assert device.packages.next_us is None


@given(st.sampled_from(PackagePort), st.binary(max_size=40), st.sampled_from([None, 0, 1]), st.sampled_from([1, 2]))
def test_any_bytes_have_an_effect_or_are_a_frame_error(port, payload, group, version):
    try:
        Device(version).packages.receive(port, payload, group, NOW_US, CLOCK_S)
    except FrameError:
        return
