"""Campaigns and clocks at the centre: who may take part, what leaves and when, and what a restart makes of it."""

import asyncio
import sys
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

from nyala.headend.budget import PER_CENT, SHARE_PCT, UNKNOWN_US, Budget, Share
from nyala.headend.campaign_life import TRANSITIONS, CampaignEvent, CampaignState, Order
from nyala.headend.campaigns import (
    INTERVAL_MIN_US,
    POLL_US,
    RUNNING_MAX,
    Campaigns,
    targets_of,
)
from nyala.headend.service import RefusedTelegram
from nyala.lorawan.frame import DataFrame, FType, open_payload, seal
from nyala.lorawan.network.multicast import MC_ADDRS
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Downlink, GroupSent, Way
from nyala.lorawan.network.server import NetworkServer
from nyala.lorawan.network.sessions import Root, SessionRow, Sessions
from nyala.lorawan.packages import firmware_layouts as fw
from nyala.lorawan.packages import layouts as c
from nyala.lorawan.packages.campaign import LEAD_S, ORDERS_MAX, TRIES
from nyala.lorawan.packages.commands import TO_DEVICE, Open, PackagePort, decode, encode
from nyala.lorawan.packages.keys import gen_app_key
from nyala.telegram.blocks import Block, BlockKind
from nyala.telegram.firmware import VIRTUAL_SEED, Image, firmware_block, sign_image
from nyala.vocab.errors import BadArgumentError, ConflictError, FrameError, UnknownError
from nyala.vocab.time import US_PER_S, gps_from_utc_us
from tests.unit.headend.fleet import START_S
from tests.unit.headend.plant import APP_KEY, Plant, keys, played, reception

START_US = START_S * US_PER_S
PACE_US = UNKNOWN_US * PER_CENT // SHARE_PCT[Share.ORDERS]
"""Between two orders where no gateway is known."""
BLOCK = Block(BlockKind.CONFIGURATION, 3, bytes(250))
MC_KEY = bytes(range(16))
READY: dict[type, c.Command | Open] = {
    c.McSetupReq: c.McSetupAns(0, 0),
    c.FragSetupReq: c.FragSetupAns(0, 0, 0, 0, 0, 0, 0),
    c.McClassCSessionReq: Open(c.McClassCSessionAns(0, 0, 0, 0, 0), bytes(3)),
    c.FragStatusReq: c.FragStatusAns(3, 0, 0, 0),
}
"""What a meter answers that hears everything."""


class Office:
    """Campaigns over a network, and meters that answer at once; no air between them."""

    def __init__(self, meters: int = 3, *, snr_db: float = 5.0) -> None:
        self.now_us = START_US
        sessions = Sessions()
        for number in range(1, meters + 1):
            sessions.add_root(Root(number, 1, APP_KEY, number))
            sessions.restore(SessionRow(number, number, bytes(16), bytes(16), 0, 0, True, {"data_rate": 2}, ((7, snr_db),)))
        self.network = NetworkServer(indonesia(), sessions)
        self.campaigns = Campaigns()
        self.deaf: set[int] = set()
        self.orders: list[tuple[int, Downlink]] = []
        self.messages: list[tuple[int, int]] = []
        """(instant, number of the fragment)."""

    def start(self, *dev_euis: int, block: Block = BLOCK):
        return self.campaigns.start(self.network, block, dev_euis or (1, 2, 3), by="ani", mc_key=MC_KEY, now_us=self.now_us)

    def run(self, seconds: float) -> None:
        until_us = self.now_us + int(seconds * US_PER_S)
        for _ in range(20_000):
            for downlink in self.campaigns.poll(self.now_us):
                self.orders.append((self.now_us, downlink))
                self.answer(downlink)
            for message in self.campaigns.take_messages():
                [said] = decode(message.payload, TO_DEVICE[PackagePort.FRAGMENTATION, 1])
                assert isinstance(said, Open)
                assert isinstance(said.head, c.DataFragment)
                self.messages.append((self.now_us, said.head.number))
                self.campaigns.group_sent(GroupSent(message.mc_addr, message.token, 0, (7, 8), (), ()))
            due_us = self.campaigns.next_us
            if due_us is None or due_us > until_us:
                self.now_us = until_us
                return
            self.now_us = max(self.now_us, due_us)
        raise AssertionError("it turns on the spot")

    def answer(self, order: Downlink) -> None:
        if order.dev_eui not in self.deaf and order.port != PackagePort.CLOCK_SYNC:
            [said] = decode(order.payload, TO_DEVICE[PackagePort(order.port), 1])
            self.campaigns.uplink(order.dev_eui, order.port, encode([READY[type(said)]]), self.now_us)


def test_a_campaign_runs_from_its_orders_to_its_end():
    office = Office()
    row = office.start()
    assert office.campaigns.report(row.id)["phase"] == "set_up"
    office.run(1_000)
    [over] = office.campaigns.take_changes()
    assert (over.id, over.state, over.dev_euis) == (1, CampaignState.OVER, (1, 2, 3))
    assert over.report["devices"] == {"whole": 3}
    fragments = -(-len(row.plan.block) // row.plan.fragment_bytes)
    assert over.report["frames"]["emissions"] == 2 * over.report["fragments"] >= 2 * fragments
    assert over.report["orders"] == len(office.orders) == 3 * 4
    assert office.campaigns.take_ended() == [row.plan.mc_addr]
    assert office.campaigns.next_us is None
    with pytest.raises(UnknownError, match="running campaign"):
        office.campaigns.report(1)


def test_orders_and_fragments_leave_the_air_to_others():
    office = Office(30)
    row = office.start(*range(1, 31))
    office.run(2_000)
    assert all(other - one >= PACE_US for (one, _), (other, _) in pairwise(office.orders))
    assert row.plan.interval_us >= INTERVAL_MIN_US
    assert all(other - one >= row.plan.interval_us for (one, _), (other, _) in pairwise(office.messages))
    assert not any(order.confirmed for _, order in office.orders)


def test_meters_below_different_gateways_do_not_wait_for_each_other():
    office = Office(4)
    town = SimpleNamespace(way=lambda dev_eui, _bytes: Way(dev_eui % 2 + 7, UNKNOWN_US, UNKNOWN_US))
    office.campaigns = Campaigns(budget=Budget(town))
    office.start(1, 2, 3, 4)
    assert {order.dev_eui % 2 for order in office.campaigns.poll(office.now_us)} == {0, 1}
    assert office.campaigns.poll(office.now_us + PACE_US - 1) == []
    assert len(office.campaigns.poll(office.now_us + PACE_US)) == 2


def test_it_is_not_looked_at_all_the_time_while_orders_are_open():
    office = Office(30)
    office.deaf |= set(range(1, 31))
    office.start(*range(1, 31))
    office.campaigns.poll(office.now_us)
    assert office.campaigns.next_us is not None
    assert office.campaigns.next_us >= office.now_us + min(POLL_US, PACE_US)
    office.run(60)
    assert len({order.dev_eui for _, order in office.orders}) >= ORDERS_MAX


def test_a_meter_that_never_answers_fails_and_holds_nobody_up():
    office = Office()
    office.deaf = {2}
    office.start()
    office.run(4_000)
    [over] = office.campaigns.take_changes()
    assert over.report["devices"] == {"failed": 1, "whole": 2}
    assert over.report["failed"] == {f"{2:016x}": "no answer at step new"}
    assert sum(order.dev_eui == 2 for _, order in office.orders) == TRIES


@pytest.mark.parametrize(("snr_db", "data_rate"), [(9.0, 5), (-4.0, 4), (-6.0, 3), (-12.0, 5)])
def test_the_group_is_as_fast_as_its_members_hear(snr_db, data_rate):
    """At -12 dB not even RX2's rate has its margin: slower would not reach them either."""
    office = Office(snr_db=snr_db)
    plan = office.start().plan
    assert (plan.data_rate, plan.mc_addr in MC_ADDRS) == (data_rate, True)


def test_it_is_resumed_with_the_same_group_keys_and_session():
    office = Office()
    row = office.start()
    office.run(LEAD_S + 15)
    assert office.messages
    [stored] = office.campaigns.take_changes()
    kept = office.network.groups.take_changes()
    again = Office()
    again.network = NetworkServer(indonesia(), again.network.sessions, kept)
    again.campaigns = Campaigns(2)
    again.campaigns.resume(replace(stored), again.network)
    assert again.campaigns.report(1)["phase"] == "set_up"
    office.run(1_000)
    again.run(100)
    assert again.orders == [], "they listen for the group, and hear nothing else"
    again.run(2_000)
    first = [order.payload for _, order in office.orders[:3]]
    assert [order.payload for _, order in again.orders[:3]] == first
    [over] = again.campaigns.take_changes()
    assert (over.state, over.plan, over.report["devices"]) == (CampaignState.OVER, row.plan, {"whole": 3})


def test_what_the_network_does_not_take_is_counted():
    office = Office()
    row = office.start()
    while not (messages := office.campaigns.take_messages()):
        for order in office.campaigns.poll(office.now_us):
            office.answer(order)
        office.now_us = max(office.campaigns.next_us or 0, office.now_us)
    office.campaigns.not_taken(messages[0])
    assert office.campaigns.report(row.id)["frames"] == {"not_taken": 1}


# -- refusals


def test_a_meter_is_in_one_running_campaign_at_a_time():
    office = Office(5)
    office.start(1, 2)
    with pytest.raises(ConflictError, match="another running campaign"):
        office.start(2, 3)
    assert office.start(3, 3).dev_euis == (3,)
    office.run(2_000)
    office.start(2, 3)


def test_unknown_meters_none_at_all_and_too_many_campaigns_are_refused():
    office = Office(RUNNING_MAX + 1)
    with pytest.raises(UnknownError, match="device"):
        office.start(99)
    with pytest.raises(BadArgumentError, match="0 members"):
        office.campaigns.start(office.network, BLOCK, (), by="", mc_key=MC_KEY, now_us=START_US)
    for number in range(1, RUNNING_MAX + 1):
        office.start(number)
    with pytest.raises(ConflictError, match=f"{RUNNING_MAX} campaigns"):
        office.start(RUNNING_MAX + 1)


def test_a_block_that_leaves_no_numbers_for_parity_is_refused_and_leaves_no_group():
    office = Office()
    with pytest.raises(BadArgumentError, match="parity"):
        office.start(block=replace(BLOCK, body=bytes(1_600_000)))
    assert office.network.groups.take_changes() == []


def test_answers_of_no_campaign_are_counted_and_wrong_ones_refused():
    office = Office()
    office.campaigns.uplink(1, PackagePort.MULTICAST, encode([c.McSetupAns(0, 0)]), START_US)
    assert office.campaigns.counts["answers_of_no_campaign"] == 1
    office.start()
    with pytest.raises(FrameError):
        office.campaigns.uplink(1, PackagePort.MULTICAST, b"\xff", START_US)


def test_the_keys_of_a_meter_come_from_its_app_key():
    [target] = targets_of(Office().network, [2])
    assert (target.dev_eui, target.gen_app_key.value) == (2, gen_app_key(APP_KEY).value)


# -- through the ingest


@played()
async def test_a_clock_that_asks_is_answered_after_the_commit(plant: Plant):
    device_time = gps_from_utc_us(plant.now_us()) // US_PER_S - 9
    frame = DataFrame(FType.UNCONFIRMED_UP, 1, 0, f_port=202, payload=encode([c.AppTimeReq(device_time, 5, 0)]))
    plant.ingest.submit([reception(seal(frame, *keys(1)), plant.now_us())], lambda: None)
    await asyncio.sleep(10)
    [(sent, commits)] = plant.radio.left
    down = DataFrame.decode(sent.phy)
    assert (down.f_port, commits > 0) == (202, True)
    assert decode(open_payload(down, down.f_cnt, *keys(1)), TO_DEVICE[PackagePort.CLOCK_SYNC, 1]) == [c.AppTimeAns(9, 5)]
    assert plant.headend.counts["refused_TelegramError"] == 0


@played()
async def test_nonsense_on_a_packages_port_is_refused_and_kept_in_the_journal(plant: Plant):
    refused: list[RefusedTelegram] = []
    plant.headend.refused.append(refused.append)
    frame = DataFrame(FType.UNCONFIRMED_UP, 1, 0, f_port=201, payload=b"\xff")
    plant.headend.campaigns.start(plant.network, BLOCK, [0xD001], by="", mc_key=MC_KEY, now_us=plant.now_us())
    plant.ingest.submit([reception(seal(frame, *keys(1)), plant.now_us())], lambda: None)
    await asyncio.sleep(1)
    assert [(each.port, each.payload) for each in refused] == [(201, b"\xff")]


# -- people, and firmware to its end


IMAGE = firmware_block(sign_image(Image(1, 0x0101, bytes(range(1, 200))), VIRTUAL_SEED))
RUNS: dict[type, c.Command | Open] = {
    fw.DevUpgradeImageReq: Open(fw.DevUpgradeImageAns(3), (0x0101).to_bytes(4, "little")),
    fw.DevRebootTimeReq: fw.DevRebootTimeAns(600),
    fw.DevVersionReq: fw.DevVersionAns(0x0101, 1),
}


@pytest.fixture
def firmware(monkeypatch):
    """An office whose meters hold the image, take the instant, and run it."""
    monkeypatch.setattr(sys.modules[__name__], "READY", READY | RUNS)
    return Office()


def ordered(office, **said):
    order = Order(1, "all", "repair", **said)
    return office.campaigns.start(office.network, IMAGE, (1, 2, 3), by="ani", mc_key=MC_KEY, now_us=office.now_us, order=order)


@pytest.mark.parametrize("event", CampaignEvent)
@pytest.mark.parametrize("state", CampaignState)
def test_every_event_in_every_state_moves_as_the_table_has_it(state, event):
    office = Office()
    row = office.start()
    row.state, row.created_by = state, "budi"
    if (state, event) in TRANSITIONS:
        then = TRANSITIONS[state, event]
        ended = TRANSITIONS.get((then, CampaignEvent.END)) if then is CampaignState.CANCELLING else then
        assert office.campaigns.say(1, event, by="ani", now_us=START_US).state is ended
    else:
        with pytest.raises(ConflictError, match=f"cannot {event}"):
            office.campaigns.say(1, event, by="ani", now_us=START_US)


def test_what_awaits_approval_says_nothing_until_another_person_gives_it():
    office = Office()
    row = ordered(office, needs_approval=True)
    office.run(1_000)
    assert (office.orders, office.campaigns.next_us) == ([], None)
    with pytest.raises(ConflictError, match="another person than ani"):
        office.campaigns.say(row.id, CampaignEvent.APPROVE, by="ani", now_us=office.now_us)
    office.campaigns.say(row.id, CampaignEvent.APPROVE, by="budi", now_us=office.now_us)
    office.run(60)
    assert office.orders
    assert row.approved_by == "budi"


def test_firmware_is_brought_started_and_verified(firmware):
    row = ordered(firmware, activate_us=START_US + 7_200 * US_PER_S)
    firmware.run(1_000)
    [stored] = firmware.campaigns.take_changes()
    assert (stored.state, stored.report["phase"], stored.report["start_us"]) == (
        CampaignState.RUNNING,
        "activate",
        row.order.activate_us,
    )
    assert stored.report["devices"] == {"scheduled": 3}
    firmware.run(8_000)
    [over] = firmware.campaigns.take_changes()
    assert (over.state, over.report["devices"]) == (CampaignState.OVER, {"verified": 3})
    assert firmware.campaigns.take_ended() == [row.plan.mc_addr]


def test_an_activation_goes_on_after_a_restart_with_each_meter_where_it_was(firmware):
    ordered(firmware, activate_us=START_US + 7_200 * US_PER_S)
    firmware.run(1_000)
    [stored] = firmware.campaigns.take_changes()
    again = Office()
    again.now_us = firmware.now_us
    again.campaigns = Campaigns(2)
    again.campaigns.resume(replace(stored), again.network)
    again.campaigns.hello(2, 0x0101)
    again.run(10)
    assert again.orders == []
    again.run(8_000)
    [over] = again.campaigns.take_changes()
    assert (over.report["devices"], over.report["fragments"]) == ({"verified": 3}, stored.report["fragments"])
    assert {order.dev_eui for _, order in again.orders} == {1, 3}


def test_what_is_taken_back_before_its_instant_tells_the_meters(firmware, monkeypatch):
    row = ordered(firmware, activate_us=START_US + 7_200 * US_PER_S)
    firmware.run(1_000)
    monkeypatch.setitem(READY, fw.DevRebootTimeReq, fw.DevRebootTimeAns(fw.CANCEL_TIME))
    assert (
        firmware.campaigns.say(row.id, CampaignEvent.CANCEL, by="ani", now_us=firmware.now_us).state is CampaignState.CANCELLING
    )
    firmware.run(100)
    *_, over = firmware.campaigns.take_changes()
    assert (over.state, over.report["devices"]) == (CampaignState.CANCELLED, {"cancelled": 3})


def test_what_is_taken_back_while_it_is_brought_ends_at_once():
    office = Office()
    row = ordered(office)
    office.run(30)
    assert office.campaigns.say(row.id, CampaignEvent.CANCEL, by="ani", now_us=office.now_us).state is CampaignState.CANCELLED
    assert (office.campaigns.next_us, office.campaigns.brings(1)) == (None, None)
