"""The reporting profile at the centre: what a meter has acknowledged is expected of it, and nothing before."""

from dataclasses import replace

import pytest

from nyala.headend.profile import PROFILE, acknowledged, channels_of, profile_of, report_s_of
from nyala.headend.registry import ConfigShadow, MeterState
from nyala.meter.settings_codec import encode_setting
from nyala.telegram.config import ConfigReport, Reported
from nyala.telegram.intervals import ChannelBlock, Intervals
from nyala.vocab.quantities import Channel
from nyala.vocab.reporting import REPORTED, ReportingSetting
from nyala.vocab.settings import Setting, SettingBlock, short_check
from nyala.vocab.time import DAY_S
from tests.unit.headend.fleet import FIRST, PERIOD_S, START_S, Centre, record

ALL = ReportingSetting(900, 3_600, tuple(Channel))


def shadow(value: ReportingSetting, version: int = 1) -> ConfigShadow:
    """What is wanted of a meter that has told nothing yet."""
    return ConfigShadow(version, encode_setting(value)[1])


def has(centre: Centre, value: ReportingSetting, version: int = 1) -> None:
    """The meter tells which block it has."""
    block = SettingBlock(version, encode_setting(value)[1])
    centre.says(ConfigReport((Reported(Setting.REPORTING, version, short_check(Setting.REPORTING, block)),)))


def told(first: int, count: int, channels: tuple[Channel, ...]) -> Intervals:
    return Intervals(first, PERIOD_S, {channel: ChannelBlock((1,) * count) for channel in channels})


def test_import_and_export_are_expected_of_a_meter_that_was_told_nothing():
    assert channels_of(record(), MeterState(1)) == PROFILE == profile_of(record())
    assert report_s_of(record(), MeterState(1)) == record().report_s


@pytest.mark.parametrize("channels", REPORTED)
def test_a_profile_is_expected_from_when_the_meter_has_it(channels):
    centre, value = Centre(), ReportingSetting(900, 3_600, channels)
    centre.state().config[Setting.REPORTING] = shadow(value)
    assert channels_of(record(), centre.state()) == PROFILE
    has(centre, value)
    assert (channels_of(record(), centre.state()), report_s_of(record(), centre.state())) == (channels, 900)


def test_a_profile_stays_expected_while_another_one_is_on_its_way():
    state = MeterState(1, config={Setting.REPORTING: shadow(ALL)})
    block = SettingBlock(1, encode_setting(ALL)[1])
    check = short_check(Setting.REPORTING, block)
    state.config[Setting.REPORTING] = replace(state.config[Setting.REPORTING], reported_version=1, reported_check=check)
    acknowledged(state)
    state.config[Setting.REPORTING] = shadow(ReportingSetting(3_600, 3_600, REPORTED[0]), 2)
    acknowledged(state)
    assert channels_of(record(), state) == tuple(Channel)


def test_what_is_expected_must_be_there_to_be_complete_and_is_asked_for():
    centre = Centre()
    centre.state().config[Setting.REPORTING] = shadow(ALL)
    has(centre, ALL)
    centre.says(told(FIRST, 8, PROFILE))
    assert centre.state().complete_to == FIRST
    centre.says(told(FIRST, 4, tuple(Channel)[2:]))
    assert centre.state().complete_to == FIRST + 4
    centre.now_s = START_S + DAY_S
    downlinks = centre.headend.backfill.poll(centre.now_us)
    assert len(downlinks) == 1


def test_import_alone_is_complete_alone():
    centre, value = Centre(), ReportingSetting(900, 3_600, REPORTED[0])
    centre.state().config[Setting.REPORTING] = shadow(value)
    has(centre, value)
    centre.says(told(FIRST, 4, REPORTED[0]))
    assert centre.state().complete_to == FIRST + 4
