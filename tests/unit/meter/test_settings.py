"""Settings as bytes: every kind in pairs, what is refused, the room in the memory, and images that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.calendar_tables import CALENDARS, calendar_named
from nyala.meter.credit_plan import Emergency
from nyala.meter.limiter import QUANTITIES, Limit, LimiterPlan
from nyala.meter.memory.layout import Group, standard_layout
from nyala.meter.settings_codec import (
    IMAGE_MAX,
    BillingSetting,
    CalendarSetting,
    CreditSetting,
    Settings,
    ZoneSetting,
    decode_setting,
    decode_settings,
    encode_setting,
    encode_settings,
)
from nyala.telegram.frame_coder import CHANNEL_SETS
from nyala.vocab.errors import BadArgumentError, ForeignError, TelegramError
from nyala.vocab.quantities import Channel
from nyala.vocab.reporting import REPORTED, ReportingSetting, ReportingSlot
from nyala.vocab.settings import BODY_MAX, VERSION_MAX, Setting, SettingBlock, checksum

u32 = st.integers(0, 2**32 - 1)
thresholds = st.integers(1, 2**32 - 1).map(lambda value: value / 1000)
limits = st.builds(
    Limit, st.sampled_from(list(QUANTITIES)), thresholds, st.integers(0, 86_400), st.integers(0, 86_400), st.none() | thresholds
)
VALUES = st.one_of(
    st.builds(CalendarSetting, st.sampled_from(CALENDARS).map(calendar_named), u32),
    st.builds(
        LimiterPlan,
        st.lists(limits, max_size=4, unique_by=lambda limit: limit.quantity).map(tuple),
        st.integers(1, 86_400),
        st.integers(0, 24),
        st.integers(0, 24),
    ),
    st.builds(BillingSetting, st.integers(0, 28), st.integers(0, 23)),
    st.builds(
        CreditSetting,
        st.lists(st.integers(0, 10**15), max_size=5).map(tuple),
        st.none() | st.builds(Emergency, st.integers(1, 10**15), st.integers(0, 10**15), st.booleans()),
    ),
    st.builds(
        ReportingSetting,
        st.sampled_from([900, 1_800, 3_600]),
        st.just(7_200),
        st.sampled_from(REPORTED),
        st.booleans(),
        st.none() | st.builds(ReportingSlot, st.integers(0, 899_999), st.integers(0, 15)),
    ),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: ZoneSetting(minutes * 60)),
)


@given(VALUES)
def test_what_can_be_said_reads_back(value):
    kind, body = encode_setting(value)
    assert decode_setting(kind, body) == value


@given(st.sampled_from(Setting), st.binary(max_size=60))
def test_any_bytes_are_a_setting_that_writes_back_the_same_or_a_telegram_error(kind, body):
    try:
        value = decode_setting(kind, body)
    except TelegramError:
        return
    assert encode_setting(value) == (kind, body)


@pytest.mark.parametrize(
    "value",
    [
        CalendarSetting(calendar_named("flat"), 1 << 32),
        CalendarSetting(calendar_named("flat"), -1),
        LimiterPlan((), groups=frozenset({1})),
        LimiterPlan((Limit(next(iter(QUANTITIES)), 1e-9, 1, 1),)),
        LimiterPlan((Limit(next(iter(QUANTITIES)), 1e9, 1, 1),)),
    ],
)
def test_what_bytes_cannot_say_is_refused(value):
    with pytest.raises(BadArgumentError):
        encode_setting(value)


@given(st.binary(min_size=1, max_size=50), st.integers(1, VERSION_MAX), st.sampled_from(Setting))
def test_a_checksum_is_of_kind_version_and_bytes(body, version, kind):
    block = SettingBlock(version, body)
    others = [
        (kind % 6 + 1, block),
        (kind, SettingBlock(version % VERSION_MAX + 1, body)),
        (kind, SettingBlock(version, body + b"x")),
    ]
    assert checksum(kind, block) not in [checksum(*other) for other in others]


@pytest.mark.parametrize(("version", "size"), [(0, 1), (VERSION_MAX + 1, 1), (1, 0), (1, BODY_MAX + 1)])
def test_a_block_without_a_version_or_of_the_wrong_size_is_refused(version, size):
    with pytest.raises(BadArgumentError):
        SettingBlock(version, bytes(size))


def test_two_of_the_largest_and_some_small_blocks_fit_the_memory_and_more_are_refused():
    assert standard_layout().images[Group.SETTINGS].size_bytes == IMAGE_MAX
    large, small = SettingBlock(1, bytes(BODY_MAX)), SettingBlock(1, bytes(60))
    full = Settings({Setting.CALENDAR: large}, large)
    for kind in (Setting.LIMITER, Setting.BILLING, Setting.CREDIT, Setting.REPORTING, Setting.ZONE):
        full = full.having(kind, small, full.before)
    assert len(encode_settings(full)) <= IMAGE_MAX
    with pytest.raises(BadArgumentError):
        full.having(Setting.LIMITER, large, full.before)


def test_an_image_reads_back_and_other_bytes_are_refused():
    kind, body = encode_setting(ZoneSetting(3_600))
    kept = Settings({kind: SettingBlock(3, body)})
    assert decode_settings(encode_settings(kept)) == kept
    for image in (b"", b"\xc1", encode_settings(kept)[:-1], encode_settings(Settings({kind: SettingBlock(3, b"x")}))):
        with pytest.raises(ForeignError):
            decode_settings(image)


def test_what_is_reported_together_is_what_frames_have_tables_for():
    assert tuple(CHANNEL_SETS[number] for number in sorted(CHANNEL_SETS)) == REPORTED


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (ReportingSetting(3_600, 7_200), "00 00 0e 10 00 00 1c 20"),  # as before there were channels
        (ReportingSetting(3_600, 7_200, REPORTED[0]), "00 00 0e 10 00 00 1c 20 00 01"),
        (ReportingSetting(3_600, 7_200, parity=False), "00 00 0e 10 00 00 1c 20 01 00"),
        (ReportingSetting(3_600, 7_200, tuple(Channel)), "00 00 0e 10 00 00 1c 20 03 01"),
        (ReportingSetting(3_600, 7_200, slot=ReportingSlot(3_599_999, 15)), "00 00 0e 10 00 00 1c 20 01 01 00 36 ee 7f 0f"),
    ],
)
def test_a_reporting_profile_says_more_only_where_it_is_not_that_of_the_factory(value, wire):
    assert encode_setting(value) == (Setting.REPORTING, bytes.fromhex(wire))
    assert decode_setting(Setting.REPORTING, bytes.fromhex(wire)) == value


@pytest.mark.parametrize(
    "rest", ["01 01", "04 01", "00 02", "00", "00 01 00", "01 01 00 36 ee 80 00", "01 01 00 00 00 00 10", "01 01 00 00 00 00"]
)
def test_no_other_channels_no_other_parity_and_no_other_form_of_the_same(rest):
    with pytest.raises(TelegramError):
        decode_setting(Setting.REPORTING, bytes.fromhex("00 00 0e 10 00 00 1c 20" + rest))


def test_channels_that_no_frame_has_together_are_no_profile():
    with pytest.raises(BadArgumentError, match="EXPORT"):
        ReportingSetting(3_600, 7_200, (Channel.EXPORT,))
