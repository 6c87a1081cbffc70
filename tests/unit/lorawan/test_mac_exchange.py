"""Device and network server settle the radio by MAC commands."""

from dataclasses import replace

import pytest

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.device.effects import LinkChecked, TimeReceived
from nyala.lorawan.frame import DataFrame
from nyala.lorawan.network.plan import NetworkPlan, indonesia
from nyala.lorawan.network.port import Transmission
from nyala.lorawan.network.sessions import SessionRow
from tests.unit.lorawan.harness import IDENTITY, Air, Copy, Gateway


def weak(snr_db: float):
    """The weather of a device far away."""
    return lambda _: [Copy(snr_db=snr_db)]


def requests(air: Air) -> list[list[mac.Command]]:
    """The MAC requests of each data downlink."""
    frames = [DataFrame.decode(frame.phy) for frame in air.heard(Transmission) if frame.phy[0] != 0x20]
    return [mac.decode(frame.f_opts, mac.DOWNLINK) for frame in frames]


def test_all_eight_channels_stand_after_the_first_uplink():
    air = Air()
    air.join()
    air.send()
    air.send()
    frequencies = [air.activation.channels[index].frequency_hz for index in range(8)]
    assert frequencies == list(indonesia().uplink_channels_hz)
    assert frequencies == [921_400_000 + 200_000 * index for index in range(8)]
    assert air.session.settings.channels == tuple(range(8))
    answer_of_sticky: list[mac.Command] = []
    assert requests(air) == [[mac.TxParamSetupReq(5, 1, 0), mac.NewChannelReq(7, 9_228_000, 0, 5)], answer_of_sticky]


def test_a_sticky_answer_is_answered_so_that_it_costs_no_further_room():
    air = Air()
    air.join()
    air.send()
    air.send()
    assert air.activation.sticky == {}
    assert air.device.room == air.activation.room(air.plan.region, 0)


def test_a_device_uses_all_its_channels():
    air = Air()
    air.meet()
    first = len(air.sent)
    for _ in range(60):
        air.send(b"")
    assert {frame.frequency_hz for frame in air.sent[first:]} == set(air.plan.uplink_channels_hz)


def test_tx_param_setup_is_asked_until_it_is_answered():
    air = Air()
    air.join()
    joined = len(air.on_air)
    air.down = lambda n: n >= joined + 2
    for _ in range(4):
        air.send()
    asked = [mac.TxParamSetupReq(5, 1, 0) in commands for commands in requests(air)]
    assert asked == [True, True, True, False]
    assert air.session.settings.tx_params_known


@pytest.mark.parametrize(("dbm", "code"), [(8, 0), (15, 4), (16, 5), (22, 8), (40, 15)])
def test_the_power_code_is_the_highest_within_the_limit(dbm, code):
    air = Air(replace(indonesia(), max_eirp_dbm=dbm))
    air.meet()
    assert air.session.settings.max_eirp_code == code
    assert air.activation.max_eirp_dbm == mac.MAX_EIRP_DBM[code] <= dbm


def test_under_the_downlink_dwell_limit_the_channels_come_one_by_one_and_no_frame_is_too_long():
    air = Air(replace(indonesia(), downlink_dwell=True))
    air.up = weak(-14)
    air.join()
    for _ in range(12):
        air.send()
    assert sorted(air.activation.channels) == list(range(8))
    assert air.session.settings.channels == tuple(range(8))
    assert air.activation.downlink_dwell
    assert all(end_us - begin_us <= 400_000 for begin_us, end_us, _ in air.on_air)
    assert all(len(frame.phy) != 33 for _, _, frame in air.on_air)


def test_under_the_downlink_dwell_limit_six_channels_need_at_most_four_downlinks():
    # lorawan.md section 7: 12 bytes of commands in a frame without port are two NewChannelReq
    air = Air(replace(indonesia(), downlink_dwell=True, adr=False))
    air.meet()
    assert sorted(air.activation.channels) == list(range(8))
    assert len([commands for commands in requests(air) if commands]) <= 4


def test_link_adr_raises_the_data_rate_on_a_good_link():
    air = Air()
    air.up = lambda n: [] if n < 3 else [Copy(snr_db=9)]
    air.join()
    assert air.activation.data_rate == 2
    for _ in range(5):
        air.send()
    assert air.activation.data_rate == 5
    assert air.sent[-1].data_rate == 5
    assert (air.session.settings.data_rate, air.session.settings.tx_power) == (5, air.activation.tx_power)


def test_link_adr_lowers_the_power_after_ten_uplinks_of_a_very_good_link():
    air = Air(replace(indonesia(), adr_algorithm="margin"))
    air.up = weak(12)
    air.join()
    for _ in range(9):
        air.send()
    assert air.activation.tx_power == 0
    for _ in range(4):
        air.send()
    assert air.activation.tx_power == 3  # 12 + 7.5 - 10 dB leaves 9.5 dB: three steps of 3 dB
    assert air.session.settings.tx_power == 3


def test_a_weak_link_is_left_as_it_is():
    air = Air()
    air.up = lambda n: [] if n < 3 else [Copy(snr_db=-11)]
    air.join()
    for _ in range(8):
        air.send()
    assert (air.activation.data_rate, air.activation.tx_power) == (2, 0)
    assert not any(isinstance(command, mac.LinkAdrReq) for commands in requests(air) for command in commands)


def test_no_link_adr_is_asked_where_the_plan_says_so():
    air = Air(replace(indonesia(), adr=False))
    air.up = lambda n: [] if n < 3 else [Copy(snr_db=9)]
    air.join()
    for _ in range(6):
        air.send()
    assert air.activation.data_rate == 2


def test_a_link_adr_that_the_device_refuses_is_not_asked_again():
    air = Air()
    air.up = lambda n: [] if n < 3 else [Copy(snr_db=9)]
    air.join()
    air.activation.channels.pop(3)  # it has lost a channel that the network believes in
    for _ in range(10):
        air.send()
    asked = [command for commands in requests(air) for command in commands if isinstance(command, mac.LinkAdrReq)]
    assert len(set(asked)) == len(asked)


def test_a_device_time_answer_sets_the_time_at_the_end_of_the_uplink_that_asked():
    air = Air()
    air.meet()
    air.device.ask_time()
    air.send()
    (told,) = air.told(TimeReceived)
    assert told.at_us == air.ended_us[-1]
    # the network's time is that of the arrival, 20 ms later, cut to 1/256 s
    assert 0 <= told.at_us + 20_000 - told.utc_us < 1_000_000 / 256


def test_a_device_time_answer_is_asked_once():
    air = Air()
    air.meet()
    air.device.ask_time()
    air.device.ask_time()
    air.send()
    air.send()
    assert len(air.told(TimeReceived)) == 1


def test_a_link_check_tells_margin_and_gateways():
    air = Air(gateways=(Gateway(1), Gateway(2), Gateway(3)))
    air.meet()
    air.up = lambda _: [Copy(0, snr_db=-2), Copy(1, snr_db=4.6), Copy(2, snr_db=-9)]
    air.device.check_link()
    air.send()
    floor = -7.5
    assert air.sent[-1].data_rate == 5
    assert air.told(LinkChecked) == [LinkChecked(int(4.6 - floor), 3)]


def test_a_link_below_the_floor_has_no_margin():
    air = Air()
    air.meet()
    air.up = weak(-12)
    air.device.check_link()
    air.send()
    assert air.told(LinkChecked) == [LinkChecked(0, 1)]


def test_the_battery_that_a_device_tells_is_kept():
    air = Air()
    air.meet()
    air.session.asked += (mac.DevStatusReq(),)
    air.device._answers.add([mac.DevStatusAns(200, 5)], {})
    air.send()
    assert air.session.settings.battery == 200
    assert air.store.rows[IDENTITY.dev_eui].settings["battery"] == 200


def test_answers_that_nobody_asked_for_change_nothing():
    air = Air()
    air.meet()
    before = SessionRow.of(air.session).settings
    answers = [
        mac.LinkAdrAns(1, 1, 1),
        mac.NewChannelAns(1, 1),
        mac.TxParamSetupAns(),
        mac.RxTimingSetupAns(),
        mac.DlChannelAns(1, 1),
    ]
    air.device._answers.add(answers, {})
    air.send()
    assert SessionRow.of(air.session).settings == before


def test_settled_settings_survive_a_restart_and_nothing_is_asked_again():
    air = Air()
    air.meet()
    asked = len(requests(air))
    row = SessionRow.of(air.session)
    air.restart_server()
    assert SessionRow.of(air.session) == row
    for _ in range(3):
        air.send()
    assert len(requests(air)) == asked


def test_a_rejoin_asks_for_everything_again():
    air = Air()
    air.meet()
    air.device.start_join(air.now_us)
    air.run(10)
    assert len(air.activation.channels) == 7
    air.send()
    air.send()
    assert sorted(air.activation.channels) == list(range(8))


def test_a_plan_without_more_channels_asks_for_none():
    air = Air(NetworkPlan.of("AS923-2", "indonesia"))
    air.meet()
    assert sorted(air.activation.channels) == [0, 1]
    assert not any(isinstance(command, mac.NewChannelReq) for commands in requests(air) for command in commands)
