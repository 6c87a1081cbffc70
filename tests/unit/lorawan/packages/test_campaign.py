"""A block on its way to many devices that lose what they are sent, say nothing, or refuse."""

import itertools
from heapq import heappop, heappush
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.packages import campaign as module
from nyala.lorawan.packages import layouts as c
from nyala.lorawan.packages.campaign import (
    MOVES,
    ORDERS_MAX,
    TRIES,
    Campaign,
    Phase,
    Plan,
    Step,
    Target,
    ToDevice,
    clock_answer,
)
from nyala.lorawan.packages.commands import TO_SERVER, PackagePort, decode, encode
from nyala.lorawan.packages.device import DevicePackages
from nyala.lorawan.packages.state import BlockReady, Listen, PackagesMemory, Say
from nyala.lorawan.region import region
from nyala.vocab.errors import BadArgumentError, FrameError
from nyala.vocab.time import US_PER_S, gps_from_utc_us

START_US = 1_790_000_000 * US_PER_S
BLOCK = Random(9).randbytes(900)
PLAN: dict[str, Any] = {
    "block": BLOCK,
    "descriptor": 0x0102,
    "fragment_bytes": 45,
    "mc_addr": 0x01FF0001,
    "mc_key": bytes(range(16)),
    "f_cnt_min": 0,
    "frequency_hz": 921_400_000,
    "data_rate": 3,
    "interval_us": 2 * US_PER_S,
}


class Estate:
    """Devices with their packages, and an air that loses messages in both directions."""

    def __init__(self, count, *, loss=0.0, version=1, seed=1, **plan):
        self.random, self.loss, self.now_us = Random(seed), loss, START_US
        targets = [Target(n, AesKey(n.to_bytes(16, "big"))) for n in range(1, count + 1)]
        self.devices = {
            t.dev_eui: DevicePackages(t.gen_app_key, region("AS923-2"), PackagesMemory(), Random(t.dev_eui), version=version)
            for t in targets
        }
        self.campaign = Campaign(Plan(**(PLAN | {"version": version} | plan)), targets)
        self.blocks, self.silent, self.late = {}, set(), set()
        self.listens = {}
        self.open_orders = 0

    def run(self, limit_s=7 * 86_400):
        """Until it is over."""
        timers: list[int] = []
        while self.campaign.phase is not Phase.OVER:
            assert self.now_us < START_US + limit_s * US_PER_S, self.campaign.report()
            sent = self.campaign.poll(self.now_us)
            self.open_orders = max(self.open_orders, sum(isinstance(each, ToDevice) for each in sent))
            for each in sent:
                receivers = [each.dev_eui] if isinstance(each, ToDevice) else list(self.devices)
                for dev_eui in receivers:
                    self._deliver(dev_eui, each)
            due = self.campaign.next_us
            for device in self.devices.values():
                if device.next_us is not None:
                    heappush(timers, device.next_us)
            later = [due] if due is not None else []
            while timers and timers[0] <= self.now_us:
                heappop(timers)
            later += timers[:1]
            self.now_us = max(min(later, default=self.now_us), self.now_us + 1)
            for dev_eui, device in self.devices.items():
                self._says(dev_eui, device.poll(self.now_us))
        return self.campaign.report()

    def _deliver(self, dev_eui, each):
        if self.random.random() < self.loss or dev_eui in self.silent:
            return
        group = None if isinstance(each, ToDevice) else 0
        if group is not None:
            listen = self.listens.get(dev_eui)
            if listen is None or not listen.start_s * US_PER_S <= self.now_us < listen.end_s * US_PER_S:
                if self.campaign.step_of(dev_eui) is Step.LISTENING:
                    self.late.add(dev_eui)
                return
        clock_s = self.now_us // US_PER_S
        self._says(dev_eui, self.devices[dev_eui].receive(each.port, each.payload, group, self.now_us, clock_s))

    def _says(self, dev_eui, effects):
        for effect in effects:
            match effect:
                case BlockReady(block=block):
                    assert dev_eui not in self.blocks
                    self.blocks[dev_eui] = block
                case Listen():
                    self.listens[dev_eui] = effect
                case Say(port=port, payload=payload):
                    if self.random.random() >= self.loss:
                        self.campaign.answer(dev_eui, port, payload)


@pytest.mark.parametrize("version", [1, 2])
def test_every_device_has_the_block_over_a_perfect_air(version):
    estate = Estate(5, version=version)
    report = estate.run()
    assert report.steps == {Step.WHOLE: 5}
    assert estate.blocks == dict.fromkeys(range(1, 6), BLOCK)
    assert report.orders <= 5 * 4  # group, session, listening time, and a question where the device does not tell by itself


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("loss", [0.1, 0.3])
def test_every_device_has_the_block_over_a_lossy_air(version, loss):
    estate = Estate(20, loss=loss, version=version)
    report = estate.run()
    assert report.steps == {Step.WHOLE: 20}, report
    assert set(estate.blocks.values()) == {BLOCK}
    assert not estate.late


@settings(max_examples=25)
@given(st.floats(0, 0.5), st.integers(1, 8), st.integers(0, 10**6), st.sampled_from([1, 2]))
def test_whatever_is_lost_it_ends_and_says_who_has_the_block(loss, count, seed, version):
    estate = Estate(count, loss=loss, seed=seed, version=version)
    report = estate.run()
    assert sum(report.steps.values()) == count
    assert set(report.steps) <= {Step.WHOLE, Step.FAILED}
    whole = {dev_eui for dev_eui in estate.devices if dev_eui not in report.failed}
    assert whole <= set(estate.blocks)
    assert all(block == BLOCK for block in estate.blocks.values())
    assert all(report.failed.values())


def test_a_silent_device_is_given_up_and_holds_nobody_up():
    estate = Estate(6)
    estate.silent = {3}
    report = estate.run()
    assert report.steps == {Step.WHOLE: 5, Step.FAILED: 1}
    assert report.failed == {3: "no answer at step new"}


def test_a_device_that_goes_silent_late_is_named():
    estate = Estate(3)
    original = estate.campaign.poll

    def poll(now_us):
        if estate.campaign.phase is Phase.SEND:
            estate.silent = {2}
        return original(now_us)

    estate.campaign.poll = poll  # type: ignore[method-assign]
    report = estate.run()
    assert report.failed == {2: "its block was never whole"}


def test_a_device_without_room_says_why():
    report = Estate(2, block=bytes(97 * 1024), fragment_bytes=200, interval_us=US_PER_S).run()
    assert report.failed == {1: "memory", 2: "memory"}


def test_a_campaign_of_nobody_is_over():
    estate = Estate(0)
    assert estate.run().steps == {}


def test_orders_are_open_a_few_at_a_time():
    estate = Estate(ORDERS_MAX + 10)
    assert estate.run().steps == {Step.WHOLE: ORDERS_MAX + 10}
    assert estate.open_orders <= ORDERS_MAX


def test_old_and_foreign_answers_change_nothing():
    campaign = Estate(1).campaign
    campaign.answer(1, 201, encode([c.FragStatusAns(5, 0, 0, 0)]))  # not asked for yet
    campaign.answer(1, 200, encode([c.McSetupAns(3, 0)]))  # another group
    campaign.answer(7, 200, encode([c.McSetupAns(0, 0)]))  # another device
    assert campaign.report().steps == {Step.NEW: 1}
    with pytest.raises(FrameError):
        campaign.answer(1, 200, b"\x7f")


def test_every_move_of_the_table_is_an_answer_of_a_package():
    answers = {cls for table in TO_SERVER.values() for cls in table.values()}
    assert {answer for _, answer in MOVES} <= answers
    assert {step for step, _ in MOVES} | set(MOVES.values()) == set(Step) - {Step.FAILED}


def test_tries_are_spaced_further_and_further():
    estate = Estate(1)
    estate.silent = {1}
    asked = []
    campaign = estate.campaign
    while campaign.phase is not Phase.OVER:
        if campaign.poll(estate.now_us):
            asked.append(estate.now_us)
        estate.now_us = max(campaign.next_us or 0, estate.now_us + 1)
    gaps = [after - before for before, after in itertools.pairwise(asked)]
    assert len(asked) == TRIES
    assert gaps == [module.ORDER_US << n for n in range(TRIES - 1)]


def test_a_block_that_leaves_no_numbers_for_parity_is_refused():
    with pytest.raises(BadArgumentError, match="no numbers for parity"):
        Estate(1, block=bytes(16_000), fragment_bytes=1)


# -- TS003 at the server


@pytest.mark.parametrize(("off_s", "required", "answered"), [(0, 0, False), (0, 1, True), (-3, 0, True), (90_000, 0, True)])
def test_a_clock_that_is_off_is_corrected(off_s, required, answered):
    gps_s = gps_from_utc_us(START_US) // US_PER_S
    said = clock_answer(encode([c.AppTimeReq((gps_s + off_s) % 2**32, 5, required)]), START_US)
    if not answered:
        assert said is None
        return
    assert said is not None
    [answer] = decode(said, {1: c.AppTimeAns})
    assert answer == c.AppTimeAns(-off_s, 5)


def test_what_is_no_message_of_a_clock_is_refused():
    with pytest.raises(FrameError):
        clock_answer(b"\x09", START_US)
    assert clock_answer(encode([c.PeriodicityAns(0, 0, 0, 7)]), START_US) is None


def test_ports_are_those_of_the_packages():
    assert [int(port) for port in PackagePort] == [200, 201, 202, 203]
