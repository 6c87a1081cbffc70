"""What waits for the windows of an uplink, and how the network says what each way to a device would cost."""

import pytest

from nyala.lorawan.device.effects import Received
from nyala.lorawan.network.downlink import DATA_OVERHEAD
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Downlink, Urgency, Way
from nyala.lorawan.network.server import NetworkServer
from nyala.lorawan.network.sessions import Sessions
from tests.unit.lorawan.harness import IDENTITY, Air, Gateway

SECOND = 1_000_000
PAYLOAD = b"back-fill 1"
HOLD_S = 300


@pytest.fixture
def air():
    air = Air()
    air.meet()
    air.events.clear()
    air.effects.clear()
    air.on_air.clear()
    return air


def ask(air: Air, payload: bytes = PAYLOAD) -> None:
    """Orders something that waits for an uplink."""
    until_us = air.now_us + HOLD_S * SECOND
    wait = Downlink(IDENTITY.dev_eui, 20, payload, token=payload, urgency=Urgency.WITH_UPLINK, with_uplink_until_us=until_us)
    air.server.enqueue(wait, air.now_us)


def heard(air: Air) -> list[bytes]:
    return [news.payload for news in air.told(Received) if news.port == 20]


def test_it_goes_in_the_window_of_the_next_uplink_at_the_data_rate_of_the_uplink(air):
    ask(air)
    air.run(60)
    assert heard(air) == []
    air.send()
    assert heard(air) == [PAYLOAD]
    [(_, _, frame)] = air.on_air
    assert frame.data_rate == air.activation.data_rate > air.plan.rx2_data_rate
    assert frame.delay_us is not None


def test_without_an_uplink_it_goes_by_class_c_when_its_time_is_over(air):
    ask(air)
    begin_us = air.now_us
    air.run(HOLD_S + 5)
    assert heard(air) == [PAYLOAD]
    [(at_us, _, frame)] = air.on_air
    assert (frame.data_rate, frame.delay_us) == (air.plan.rx2_data_rate, None)
    assert 0 <= at_us - begin_us - HOLD_S * SECOND < SECOND


def test_what_comes_after_it_and_is_not_to_wait_overtakes_it(air):
    ask(air)
    air.run(1)
    air.order(b"part of a setting")
    air.run(5)
    assert heard(air) == [b"part of a setting"]
    air.send()
    assert heard(air) == [b"part of a setting", PAYLOAD]


def test_a_device_of_class_a_hears_it_as_it_hears_all():
    air = Air(class_c=False)
    air.meet()
    ask(air)
    air.run(2 * HOLD_S)
    assert heard(air) == []
    air.send()
    assert heard(air) == [PAYLOAD]


def test_a_way_is_by_the_best_gateway_and_as_long_as_the_frame_is_on_the_air():
    air = Air(gateways=[Gateway(0xA1), Gateway(0xA2)])
    air.meet()
    way = air.server.way(IDENTITY.dev_eui, len(PAYLOAD))
    frame = bytes(DATA_OVERHEAD + len(PAYLOAD))
    assert way == Way(
        air.session.heard_by[0][0],
        air.airtime_us(frame, air.activation.data_rate, crc=False),
        air.airtime_us(frame, air.plan.rx2_data_rate, crc=False),
    )
    assert way.waits
    air.order(PAYLOAD)
    air.run(5)
    assert air.on_air[-1][1] - air.on_air[-1][0] == way.at_once_us


def test_of_a_device_of_class_a_there_is_no_way_at_once():
    air = Air(class_c=False)
    air.meet()
    way = air.server.way(IDENTITY.dev_eui, len(PAYLOAD))
    assert way is not None
    assert (way.at_once_us, way.waits) == (None, True)


def test_what_only_the_windows_hold_waits_for_them(air):
    way = air.server.way(IDENTITY.dev_eui, 200)
    assert way is not None
    assert (way.at_once_us, way.waits) == (None, True)


def test_there_is_no_way_to_a_device_that_was_never_heard_and_for_what_no_window_holds(air):
    assert NetworkServer(indonesia(), Sessions()).way(1, 11) is None
    assert air.server.way(IDENTITY.dev_eui, 243) is None
    air.session.heard_by = ()
    assert air.server.way(IDENTITY.dev_eui, 11) is None


@pytest.mark.parametrize(("at_once_us", "waits"), [(100, True), (99, False), (50, False), (None, True)])
def test_the_windows_are_waited_for_where_they_are_shorter(at_once_us, waits):
    assert Way(1, 99, at_once_us).waits is waits
