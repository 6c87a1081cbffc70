"""The network brings a device to the plan by MAC commands: split over downlinks, asked until answered, left where refused."""

from dataclasses import replace
from itertools import pairwise

import pytest

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.device.commands import Outcome
from nyala.lorawan.device.effects import Received, TimeReceived, Window
from nyala.lorawan.frame import DataFrame, open_payload
from nyala.lorawan.network.asking import ADR_REFUSALS_MAX, ASKED_MAX, fitting, size, wanted
from nyala.lorawan.network.plan import NetworkPlan, indonesia
from nyala.lorawan.network.port import Reception, Refusal, Refused, Transmission
from nyala.lorawan.network.sessions import SessionRow
from nyala.vocab.time import gps_from_utc_us
from tests.unit.lorawan.harness import SECOND, START_US, Air, Copy

PLAN = indonesia()
DAY: int = 86_400 * SECOND


def asked(air: Air, first: int = 0) -> list[list[mac.Command]]:
    """The MAC commands of each data downlink, from FOpts or from port 0."""
    said = []
    for frame in air.heard(Transmission)[first:]:
        if frame.phy[0] == 0x20:
            continue
        heard = DataFrame.decode(frame.phy)
        data = heard.f_opts
        if heard.f_port == 0:
            data = open_payload(heard, heard.f_cnt, air.activation.nwk_s_key, air.activation.app_s_key)
        said.append(mac.decode(data, mac.DOWNLINK))
    return said


def settled(air: Air, uplinks: int = 8) -> Air:
    for _ in range(uplinks):
        air.send()
    air.run(5)
    return air


def changed(plan: NetworkPlan, *, join_with: NetworkPlan = PLAN, class_c: bool = True) -> Air:
    """A device that has joined and settled by one plan; then the network gets another."""
    air = Air(join_with, class_c=class_c)
    air.meet()
    air.plan = plan
    air.restart_server()
    return air


def test_six_channels_go_on_port_zero_in_one_downlink_where_the_data_rate_has_room():
    air = Air(replace(PLAN, channels_hz=()))
    air.up = lambda _: [Copy(snr_db=9)]
    air.meet()
    assert air.activation.data_rate == 5
    air.plan = PLAN
    air.restart_server()
    first = len(air.heard(Transmission))
    settled(air)
    (channels, *_) = asked(air, first)
    assert [command.index for command in channels if isinstance(command, mac.NewChannelReq)] == [2, 3, 4, 5, 6, 7]
    phy = air.heard(Transmission)[first].phy
    assert (DataFrame.decode(phy).f_port, DataFrame.decode(phy).f_opts) == (0, b"")
    assert sorted(air.activation.channels) == list(range(8))
    assert air.session.settings.channels == tuple(range(8))


def test_a_payload_of_the_application_goes_beside_what_f_opts_hold():
    air = Air(replace(PLAN, channels_hz=()), class_c=False)
    air.up = lambda _: [Copy(snr_db=9)]
    air.meet()
    air.plan = PLAN
    air.restart_server()
    air.order(b"app")
    first = len(air.heard(Transmission))
    settled(air)
    assert [each.payload for each in air.told(Received)] == [b"app"]
    assert [len(commands) for commands in asked(air, first)] == [2, 4]
    assert air.session.settings.channels == tuple(range(8))


def test_at_dr2_under_the_dwell_limit_each_downlink_has_two_channels():
    # lorawan.md section 7: 19 B of MACPayload are 12 B of commands
    air = Air(replace(PLAN, downlink_dwell=True, adr=False))
    air.up = lambda n: [] if n < 3 else [Copy()]  # it joins at DR2
    air.meet()
    channels = [[c for c in commands if isinstance(c, mac.NewChannelReq)] for commands in asked(air)]
    assert [len(each) for each in channels if each] == [1, 2, 2, 1]
    assert all(len(frame.phy) <= 24 for frame in air.heard(Transmission))


def test_the_answers_to_what_is_asked_at_once_fit_one_uplink():
    channels = [mac.NewChannelReq(index, 9_220_000, 0, 5) for index in range(2, 16)]
    taken = fitting(channels, 222, 12)
    assert len(taken) == 6
    assert fitting(channels, 11, 15) == tuple(channels[:1])
    assert fitting([channels[0], mac.DevStatusReq()], 3, 15) == (mac.DevStatusReq(),)
    assert size(taken) == 36


MOVED = {
    "RX2 data rate": {"rx2_data_rate": 3},
    "RX2 frequency": {"rx2_hz": 922_000_000},
    "RX1 offset": {"rx1_dr_offset": 2},
    "delay": {"rx_delay_s": 3},
    "duty cycle": {"max_duty_cycle": 4},
    "power": {"max_eirp_dbm": 14},
    "uplink dwell": {"uplink_dwell": False},
    "downlink dwell": {"downlink_dwell": True},
    "RX1 frequency": {"rx1_hz": ((0, 922_800_000), (3, 922_600_000))},
    "fewer channels": {"channels_hz": PLAN.channels_hz[:4]},
    "all at once": {
        "rx2_data_rate": 4,
        "rx2_hz": 922_000_000,
        "rx1_dr_offset": 1,
        "rx_delay_s": 2,
        "max_duty_cycle": 1,
        "max_eirp_dbm": 13,
        "rx1_hz": ((7, 921_400_000),),
    },
}


@pytest.mark.parametrize("settings", MOVED.values(), ids=MOVED)
@pytest.mark.parametrize("class_c", [True, False])
def test_a_plan_that_changed_is_brought_to_a_device_that_has_joined(settings, class_c):
    plan = replace(PLAN, **settings)
    air = settled(changed(plan, class_c=class_c))
    activation = air.activation
    assert (activation.rx2_data_rate, activation.rx2_hz) == (plan.rx2_data_rate, plan.rx2_hz)
    assert (activation.rx1_dr_offset, activation.rx_delay_s) == (plan.rx1_dr_offset, plan.rx_delay_s)
    assert (activation.max_duty_cycle, activation.downlink_dwell) == (plan.max_duty_cycle, plan.downlink_dwell)
    assert sorted(activation.channels) == list(range(len(plan.uplink_channels_hz)))
    for index, hz in enumerate(plan.uplink_channels_hz):
        assert activation.channels[index].downlink_hz == dict(plan.rx1_hz).get(index, hz)
    assert wanted(air.session, plan, air.now_us) == []
    # and it is heard in all its windows
    air.order(b"still there")
    air.run(3)
    air.send(b"up", confirmed=True)
    air.run(5)
    assert [each.payload for each in air.told(Received)] == [b"still there"]
    asking = len(asked(air))
    air.restart_server()
    air.send()
    assert len(asked(air)) == asking


def test_class_c_is_held_until_it_is_known_where_the_device_listens():
    air = changed(replace(PLAN, rx2_data_rate=4))
    air.send()  # the request goes out
    air.run(5)
    air.order(b"now")
    air.run(60)
    assert air.told(Received) == []
    air.send()  # the answer
    air.run(5)
    assert [(each.payload, each.window) for each in air.told(Received)] in (
        [(b"now", Window.RX1)],
        [(b"now", Window.RXC)],
    )
    air.order(b"again")
    air.run(3)
    assert air.told(Received)[-1] == Received(20, b"again", confirmed=False, window=Window.RXC)
    assert air.on_air[-1][2].data_rate == 4


def test_a_lost_answer_about_rx2_is_made_up_for_by_its_repetition():
    air = changed(replace(PLAN, rx2_data_rate=4))
    air.send()
    lost = len(air.sent)
    air.up = lambda n: [] if n == lost else [Copy()]
    air.send()
    air.order(b"now")
    air.send()
    air.run(10)
    assert [each.payload for each in air.told(Received)] == [b"now"]
    assert air.refusals == []


def test_no_class_c_downlink_carries_mac_commands():
    air = changed(replace(PLAN, max_duty_cycle=3))
    for n in range(3):
        air.order(bytes([n]))
        air.run(5)
    assert all(commands == [] for commands in asked(air, -3))
    assert [each.window for each in air.told(Received)] == [Window.RXC] * 3


def test_what_a_device_refuses_is_shown_once_and_not_asked_again():
    # the device knows no channel on 923.4 MHz: it is outside the band
    plan = replace(PLAN, channels_hz=(*PLAN.channels_hz, 923_400_000))
    air = settled(changed(plan), 12)
    assert air.refusals == ["mac_refused"]
    assert "NewChannelReq(index=8" in air.heard(Refused)[0].detail
    requests = [command for commands in asked(air) for command in commands if isinstance(command, mac.NewChannelReq)]
    assert [command.index for command in requests].count(8) == 1


def test_a_device_that_never_answers_is_asked_only_so_often(monkeypatch):
    air = Air(replace(PLAN, adr=False))
    air.join()
    monkeypatch.setattr(air.device, "_commands", lambda *_: Outcome())
    for _ in range(ASKED_MAX + 6):
        air.send()
    asking = [commands for commands in asked(air) if commands]
    assert len(asking) == ASKED_MAX + 1
    assert set(air.refusals) == {"mac_ignored"}
    assert air.server.refusals[Refusal.MAC_IGNORED] == len(asking[0])


def test_a_device_that_refuses_every_data_rate_is_left_alone():
    air = Air()
    air.join()
    air.up = lambda _: [Copy(snr_db=-6 + 3 * (len(air.sent) % 9))]
    air.activation.channels.clear()
    air.activation.settle(air.plan.region)  # only the two default channels are left
    for _ in range(80):
        air.send()
    asks = [c for commands in asked(air) for c in commands if isinstance(c, mac.LinkAdrReq)]
    assert len(asks) <= ADR_REFUSALS_MAX + ASKED_MAX


def test_an_answer_that_nobody_asked_for_is_shown_and_changes_nothing():
    air = Air()
    air.meet()
    before = SessionRow.of(air.session).settings
    air.device._answers._answers += [mac.encode([mac.NewChannelAns(1, 1)]), mac.encode([mac.DlChannelAns(1, 1)])]
    air.send()
    assert air.refusals == ["mac_unasked"]  # sticky answers are repeated and say nothing
    assert SessionRow.of(air.session).settings == before


def test_no_data_rate_is_asked_of_a_device_that_keeps_it_to_itself():
    air = Air()
    air.meet()
    air.session.adr = False
    air.session.settings.data_rate, air.session.settings.tx_power = 2, 0
    assert not any(isinstance(request, mac.LinkAdrReq) for request in wanted(air.session, air.plan, air.now_us))
    air.session.adr = True
    air.session.history = bytes([128 + 40, 0] * 20)
    assert any(isinstance(request, mac.LinkAdrReq) for request in wanted(air.session, air.plan, air.now_us))


@pytest.mark.parametrize(("uplinks", "hours", "asks"), [(5, 0, 0), (6, 0, 1), (1, 23.5, 0), (1, 24.1, 1)])
def test_the_status_is_asked_for_after_so_many_uplinks_or_a_day(uplinks, hours, asks):
    air = Air(replace(PLAN, dev_status_uplinks=20))
    air.meet(14)  # the first uplink begins the count
    air.send()
    air.run(hours * 3_600)
    for _ in range(uplinks):
        air.send()
    air.run(3)
    assert [mac.DevStatusReq() for commands in asked(air) if mac.DevStatusReq() in commands] == [mac.DevStatusReq()] * asks
    air.send()
    assert (air.session.settings.battery is not None) == bool(asks)


def test_the_status_is_asked_for_again_after_the_same_while_and_survives_a_restart():
    air = Air(replace(PLAN, dev_status_uplinks=15))
    air.meet(40)
    asks = sum(mac.DevStatusReq() in commands for commands in asked(air))
    assert asks == 2
    assert air.session.settings.margin_db == 7
    air.restart_server()
    settled(air, 3)
    assert sum(mac.DevStatusReq() in commands for commands in asked(air)) == asks


def test_no_status_is_asked_for_where_the_plan_says_so():
    air = Air(replace(PLAN, dev_status_uplinks=0, dev_status_us=1))
    air.meet(30)
    assert not any(mac.DevStatusReq() in commands for commands in asked(air))


def test_the_time_is_that_of_a_gateway_with_a_fix(monkeypatch):
    air = Air()
    air.meet()
    exact_us = gps_from_utc_us(START_US) + 123 * SECOND
    receive = air.server.receive

    def with_fix(reception: Reception, now_us: int) -> None:
        receive(replace(reception, gps_us=exact_us), now_us)

    monkeypatch.setattr(air.server, "receive", with_fix)
    air.device.ask_time()
    air.send()
    (told,) = air.told(TimeReceived)
    assert 0 <= gps_from_utc_us(told.utc_us) - exact_us + SECOND // 256 <= SECOND // 256


@pytest.mark.parametrize("data_rate", [0, 5])
def test_a_plan_of_europe_brings_a_device_to_its_channels(data_rate):
    plan = NetworkPlan.of("EU868", "eu868", range(867_100_000, 867_900_001, 200_000))
    air = Air(plan)
    air.up = lambda _: [Copy(snr_db=9 if data_rate else -19)]
    air.meet(14)
    assert sorted(air.activation.channels) == list(range(8))
    assert (air.activation.rx2_data_rate, air.activation.rx2_hz) == (0, 869_525_000)
    air.order(b"now")
    air.run(5)
    assert [each.payload for each in air.told(Received)] == [b"now"]
    assert air.on_air[-1][2].eirp_dbm == 29  # 869.4-869.65 MHz allows 500 mW ERP
    assert all(begin > end for (_, end, _), (begin, _, _) in pairwise(air.on_air))
