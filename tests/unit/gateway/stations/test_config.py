"""What a station is told: the radio that hears every channel, and a region's name under which it sends."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.gateway.station import decode_from_server, encode
from nyala.gateway.station_config import (
    IF_MAX_HZ,
    STATION_REGIONS,
    default_region,
    router_config,
    station_region,
    sx1301_conf,
)
from nyala.lorawan.network.plan import NetworkPlan, indonesia
from nyala.vocab.errors import BadArgumentError, UnknownError
from tests.unit.gateway.datagrams import NOW_US

PLANS = {
    "indonesia": indonesia(),
    "indonesia-lbt": NetworkPlan.of("AS923-2", "indonesia-lbt"),
    "eu868": NetworkPlan.of("EU868", "eu868"),
}
KNOWN_TO_STATION_2_0_6 = {"EU868", "IL915", "KR920", "AS923-1", "US915", "AU915"}
"""s2e.c, J_region; any other name is region 0, and region 0 sends nothing."""


def test_the_table_has_the_names_that_fielded_stations_know():
    assert {row.name for row in STATION_REGIONS} == KNOWN_TO_STATION_2_0_6


@pytest.mark.parametrize("row", STATION_REGIONS, ids=lambda row: row.name)
def test_every_name_of_the_table_can_be_asked_for(row):
    config = router_config(PLANS["indonesia"], row.name, NOW_US)
    assert (config.region, station_region(row.name)) == (row.name, row)


@pytest.mark.parametrize("name", ["AS923-2", "AS923", "AS923_2", "as923-1", ""])
def test_a_name_under_which_a_station_drops_every_downlink_is_refused(name):
    with pytest.raises(UnknownError, match="AS923-1"):
        router_config(PLANS["indonesia"], name, NOW_US)


@pytest.mark.parametrize(("law", "name"), [("indonesia", "AU915"), ("indonesia-lbt", "KR920"), ("eu868", "EU868")])
def test_the_default_name_does_what_the_law_asks(law, name):
    plan, row = PLANS[law], default_region(PLANS[law])
    assert row.name == name
    assert row.carrier_sense == (plan.regulation.lbt is not None)
    assert row.max_eirp_dbm >= min(plan.gateway_eirp_dbm, 16)


@pytest.mark.parametrize(
    ("law", "flags"),
    [("indonesia", (True, True, True)), ("indonesia-lbt", (False, False, False)), ("eu868", (True, False, True))],
)
def test_carrier_sense_duty_cycle_and_dwell_are_off_where_the_law_has_none(law, flags):
    config = router_config(PLANS[law], None, NOW_US)
    assert (config.no_cca, config.no_duty_cycle, config.no_dwell) == flags


def test_the_configuration_for_indonesia_to_the_letter():
    said = json.loads(encode(router_config(PLANS["indonesia"], None, NOW_US)))
    conf = said.pop("sx1301_conf")
    assert said == {
        "msgtype": "router_config",
        "NetID": None,
        "JoinEui": None,
        "region": "AU915",
        "hwspec": "sx1301/1",
        "freq_range": [920000000, 923000000],
        "DRs": [*([sf, 125, 0] for sf in (12, 11, 10, 9, 8, 7)), [7, 250, 0], *[[-1, 0, 0]] * 9],
        "max_eirp": 16.0,
        "nocca": True,
        "nodc": True,
        "nodwell": True,
        "MuxTime": NOW_US / 1_000_000,
    }
    assert [conf[0]["radio_0"], conf[0]["radio_1"]] == [
        {"enable": True, "freq": 921700000},
        {"enable": True, "freq": 922500000},
    ]


@pytest.mark.parametrize("law", PLANS)
def test_the_configuration_reads_back(law):
    config = router_config(PLANS[law], None, NOW_US)
    assert decode_from_server(encode(config)) == config


def heard_by(conf):
    """The frequencies on which a concentrator of this configuration hears, as sx1301_hal places them."""
    channels = [conf[f"chan_multiSF_{index}"] for index in range(8)]
    used = [channel for channel in channels if channel["enable"]]
    assert all(conf[f"radio_{channel['radio']}"]["enable"] and abs(channel["if"]) <= IF_MAX_HZ for channel in used)
    return sorted(conf[f"radio_{channel['radio']}"]["freq"] + channel["if"] for channel in used)


@pytest.mark.parametrize("law", PLANS)
def test_every_channel_of_the_plan_is_heard(law):
    assert heard_by(sx1301_conf(PLANS[law].uplink_channels_hz)) == sorted(PLANS[law].uplink_channels_hz)


@given(
    st.integers(863_000_000, 868_000_000),
    st.integers(0, 2_000_000),
    st.sets(st.integers(0, 8), max_size=4),
    st.sets(st.integers(0, 8), min_size=1, max_size=4),
)
def test_channels_within_two_spans_of_800_khz_are_all_heard(low_hz, gap_hz, lower, upper):
    channels = {low_hz + 100_000 * step for step in lower} | {low_hz + gap_hz + 100_000 * step for step in upper}
    assert heard_by(sx1301_conf(list(channels))) == sorted(channels)


@pytest.mark.parametrize("channels", [[], [1] * 9, [0, 900_000, 1_800_000], range(0, 2_300_000, 300_001)])
def test_channels_that_no_concentrator_can_hear_are_refused(channels):
    with pytest.raises(BadArgumentError):
        sx1301_conf(channels)
