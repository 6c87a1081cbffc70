"""Gaps and back-fill: what is asked for, when and how, in which order, and when it is given up."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.backfill import (
    ANSWER_US,
    ATTEMPTS_MAX,
    BACK_OFF_MAX_US,
    BEHIND,
    BEHIND_MAX_US,
    GRACE_S,
    HOLD_REPORTS,
    PATIENCE_REPORTS,
    REQUEST_BYTES,
    REQUEST_MAX,
    SCAN_US,
    Backfill,
    Need,
    expected_to,
)
from nyala.headend.budget import PER_CENT, SHARE_PCT, Budget, Share
from nyala.headend.profile import PROFILE
from nyala.headend.registry import Registry
from nyala.lorawan.network.port import Downlink, Urgency, Way
from nyala.mdm.book import Book
from nyala.telegram import messages
from nyala.telegram.kinds import Opcode, Port
from nyala.telegram.messages import MAP_BLOCKS
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, US_PER_S
from tests.unit.headend.fleet import FIRST, PERIOD_S, REPORT_S, START_S, record
from tests.unit.mdm.books import RAW, Shelf

DAY_AFTER_US = (START_S + DAY_S) * US_PER_S
EXPECTED = expected_to(PERIOD_S, REPORT_S, DAY_AFTER_US) - FIRST
"""Intervals that should have come by then."""
EACH = REPORT_S // PERIOD_S
SF10_US, SF7_US = 371_000, 62_000
HEARD_WELL = Way(7, SF7_US, SF10_US)
"""At a data rate that makes the windows the shorter way."""
HEARD_BADLY = Way(7, SF10_US, SF10_US)
TURN_US = -(-SF10_US * PER_CENT // SHARE_PCT[Share.BACKFILL])
"""Between two requests at SF10 of one gateway."""


class Fleet:
    """Meters, their book, and the back-fill; each request leaves at once unless `held`."""

    def __init__(self, meters: int = 1, way: Way = HEARD_BADLY) -> None:
        self.now_us = DAY_AFTER_US
        self.registry = Registry([record(number) for number in range(1, meters + 1)])
        self.book = Book(Shelf())
        self.ways = {0xD000 + number: way for number in range(1, meters + 1)}
        self.repairable: set[tuple[int, int]] = set()
        self.backfill = Backfill(self.registry, self.book, Budget(self), lambda *interval: interval in self.repairable)
        self.held = False
        for number in range(1, meters + 1):
            self.registry.state(number).last_heard_us = self.now_us

    def way(self, dev_eui: int, payload_bytes: int) -> Way:
        """How a meter is reached, whatever is said."""
        assert payload_bytes in {0, REQUEST_BYTES}
        return self.ways[dev_eui]

    def knows(self, number: int = 1, first: int = 0, count: int = 96, channels: Sequence[Channel] = PROFILE) -> None:
        """Intervals of a meter come, by their place after its installation."""
        for channel in channels:
            self.book.merge(number, channel, PERIOD_S, FIRST + first, [1] * count, [RAW] * count)
        state = self.registry.state(number)
        start = state.complete_to
        state.complete_to = min(self.book.first_missing(number, each, PERIOD_S, start, start + 10_000) for each in PROFILE)

    def poll(self) -> list[Downlink]:
        downlinks = self.backfill.poll(self.now_us)
        if not self.held:
            for downlink in downlinks:
                self.backfill.left(downlink.token, self.now_us)
        return downlinks

    def run(self, seconds: float) -> list[tuple[float, Downlink]]:
        """Lets time pass; answers (seconds since the call, request)."""
        start_us, until_us = self.now_us, self.now_us + int(seconds * US_PER_S)
        found: list[tuple[float, Downlink]] = []
        while self.now_us <= until_us:
            found += [((self.now_us - start_us) / US_PER_S, downlink) for downlink in self.poll()]
            assert self.backfill.next_us > self.now_us, "the back-fill turns on the spot"
            self.now_us = self.backfill.next_us
        self.now_us = until_us
        return found


def asked(downlink: Downlink) -> list[int]:
    """The intervals of a request, by their place after the installation."""
    command = messages.decode_command(downlink.payload)
    assert (command.opcode, command.period_s, downlink.port) == (Opcode.BACKFILL_MAP, PERIOD_S, Port.COMMAND)
    assert len(downlink.payload) == REQUEST_BYTES
    blocks = [block for block in range(MAP_BLOCKS) if command.blocks >> block & 1]
    return [command.first - FIRST + block * command.each + at for block in blocks for at in range(command.each)]


def spans(*runs: tuple[int, int]) -> list[int]:
    """The intervals of runs [first, end)."""
    return [at for first, end in runs for at in range(first, end)]


@pytest.fixture
def fleet():
    return Fleet()


# -- what is a gap


@pytest.mark.parametrize(
    ("late_s", "count"),
    [(0, 0), (2 * REPORT_S + GRACE_S - 1, 0), (2 * REPORT_S + GRACE_S, 4), (3 * REPORT_S + GRACE_S - 1, 4)],
)
def test_the_intervals_of_a_period_are_expected_some_grace_after_the_period_in_which_they_are_told(late_s, count):
    assert expected_to(PERIOD_S, REPORT_S, (START_S + late_s) * US_PER_S) <= FIRST + count
    assert max(expected_to(PERIOD_S, REPORT_S, (START_S + late_s) * US_PER_S) - FIRST, 0) == count


def test_where_all_has_come_nothing_is_asked(fleet):
    fleet.knows()
    assert fleet.run(DAY_S // 24) == []


def test_a_meter_that_was_never_heard_is_not_asked(fleet):
    fleet.registry.state(1).last_heard_us = 0
    assert fleet.run(3_600) == []


def test_one_request_names_many_gaps_in_whole_reports_and_nothing_that_is_there(fleet):
    fleet.knows(first=0, count=10)
    fleet.knows(first=13, count=7)
    fleet.knows(first=24, count=36)
    fleet.knows(first=62, count=EXPECTED - 62)
    [request] = fleet.poll()
    assert asked(request) == spans((8, 16), (20, 24), (60, 64))
    assert (request.dev_eui, request.confirmed) == (0xD001, False)


def test_what_came_is_not_asked_for_again(fleet):
    fleet.poll()
    fleet.knows(first=0, count=40)
    fleet.now_us += ANSWER_US
    [request] = fleet.poll()
    assert asked(request) == spans((40, EXPECTED))


def test_a_gap_in_one_channel_is_a_gap(fleet):
    fleet.knows(channels=[Channel.IMPORT])
    fleet.knows(first=0, count=80, channels=[Channel.EXPORT])
    assert [asked(each) for each in fleet.poll()] == [spans((80, EXPECTED))]


def test_one_request_asks_for_a_day_at_most(fleet):
    fleet.now_us += 3 * DAY_S * US_PER_S
    assert [asked(each) for each in fleet.poll()] == [spans((0, REQUEST_MAX))]


def test_gaps_that_are_far_apart_are_asked_for_one_after_the_other(fleet):
    fleet.now_us += 3 * DAY_S * US_PER_S
    fleet.knows(first=4, count=EACH * (MAP_BLOCKS - 1))
    fleet.knows(first=120, count=400)
    fleet.knows(first=0, count=0)
    [request] = fleet.poll()
    assert asked(request) == spans((0, 4))
    fleet.knows(first=0, count=4)
    fleet.now_us += ANSWER_US
    [request] = fleet.poll()
    assert asked(request) == spans((112, 120))


def test_what_is_not_expected_yet_is_not_asked(fleet):
    [request] = fleet.poll()
    assert asked(request) == spans((0, EXPECTED))


@given(st.lists(st.booleans(), min_size=EXPECTED, max_size=EXPECTED))
def test_a_request_covers_what_is_missing_and_no_report_that_is_whole(there):
    fleet = Fleet()
    for at in range(EXPECTED):
        if there[at]:
            fleet.knows(first=at, count=1)
    found = [each for request in fleet.poll() for each in asked(request)]
    missing = {at for at in range(EXPECTED) if not there[at]}
    assert {at // EACH for at in found} == {at // EACH for at in missing}
    assert missing <= set(found)


def test_meters_are_looked_at_every_five_minutes(fleet):
    fleet.knows(count=EXPECTED)
    assert fleet.poll() == []
    found = fleet.run(3_600)
    assert found
    assert found[0][0] % (SCAN_US // US_PER_S) == 0
    assert asked(found[0][1]) == spans((EXPECTED, EXPECTED + EACH))


# -- parity comes first


def test_what_parity_may_still_bring_is_not_asked_for_before_the_third_report_after_it(fleet):
    hour = EXPECTED // EACH - 1
    fleet.knows(count=hour * EACH)
    fleet.knows(first=EXPECTED, count=96)
    fleet.repairable = {(1, FIRST + at) for at in range(hour * EACH, EXPECTED)}
    seconds, request = fleet.run(3 * REPORT_S)[0]
    told_s = (hour + 2) * REPORT_S
    assert seconds == told_s + PATIENCE_REPORTS * REPORT_S + GRACE_S - DAY_S
    assert asked(request) == spans((hour * EACH, EXPECTED))


def test_what_parity_cannot_bring_is_asked_for_at_once(fleet):
    fleet.repairable = {(1, FIRST + at) for at in range(EXPECTED - EACH, EXPECTED)}
    assert [asked(each) for each in fleet.poll()] == [spans((0, EXPECTED - EACH))]


def test_what_parity_has_brought_is_never_asked_for(fleet):
    fleet.knows(count=EXPECTED - EACH)
    fleet.knows(first=EXPECTED, count=96)
    fleet.repairable = {(1, FIRST + at) for at in range(EXPECTED - EACH, EXPECTED)}
    assert fleet.run(2 * REPORT_S) == []
    fleet.knows(first=EXPECTED - EACH, count=EACH)
    assert fleet.run(REPORT_S) == []


# -- the way


def test_a_meter_that_is_heard_well_is_asked_in_the_windows_of_its_next_report():
    fleet = Fleet(way=HEARD_WELL)
    [request] = fleet.poll()
    assert request.urgency is Urgency.WITH_UPLINK
    assert request.with_uplink_until_us == fleet.now_us + HOLD_REPORTS * REPORT_S * US_PER_S


@pytest.mark.parametrize("way", [HEARD_BADLY, Way(7, SF10_US, SF7_US)])
def test_a_meter_whose_windows_are_no_shorter_is_asked_at_once(way):
    [request] = Fleet(way=way).poll()
    assert (request.urgency, request.with_uplink_until_us) == (Urgency.LATER, 0)


def test_a_meter_of_class_a_is_asked_in_its_windows():
    [request] = Fleet(way=Way(7, SF10_US, None)).poll()
    assert request.urgency is Urgency.WITH_UPLINK


# -- the budget, and the order


def test_meters_below_one_gateway_follow_each_other_within_its_share():
    fleet = Fleet(6)
    times_us = [round(seconds * US_PER_S) for seconds, _ in fleet.run(50)]
    assert times_us == [number * TURN_US for number in range(6)]


def test_meters_below_other_gateways_do_not_wait():
    fleet = Fleet(6)
    fleet.ways = {dev_eui: Way(dev_eui, SF10_US, SF10_US) for dev_eui in fleet.ways}
    assert len(fleet.poll()) == 6


def test_what_a_window_carries_takes_less_of_the_share():
    fleet = Fleet(6, HEARD_WELL)
    seconds = [at for at, _ in fleet.run(50)]
    assert seconds[-1] < 6 * TURN_US / US_PER_S * SF7_US / SF10_US + 0.01


def test_a_gap_that_closes_a_day_goes_before_one_that_does_not():
    fleet = Fleet(3)
    fleet.now_us += 4 * REPORT_S * US_PER_S
    fleet.knows(1, count=96)
    fleet.knows(2, count=92)
    fleet.knows(3, count=96)
    assert [request.dev_eui for _, request in fleet.run(10)] == [0xD002, 0xD001, 0xD003]


def test_of_two_gaps_the_one_that_gains_more_for_its_air_goes_first():
    fleet = Fleet(3)
    fleet.knows(1, count=EXPECTED - EACH)
    fleet.knows(2, count=EXPECTED - 4 * EACH)
    fleet.knows(3, count=EXPECTED - EACH)
    fleet.ways[0xD003] = HEARD_WELL
    assert [request.dev_eui - 0xD000 for _, request in fleet.run(10)] == [3, 2, 1]


needs = st.builds(Need, st.just(0), st.just(4), st.integers(1, 2**MAP_BLOCKS - 1), st.integers(1, 96), st.booleans())
ways = st.builds(Way, st.just(7), st.integers(30_000, 400_000), st.integers(30_000, 400_000))


@given(needs, ways, st.integers(0, 10**15))
def test_a_gap_is_moved_by_its_worth_and_never_beyond_the_limit(need, way, since_us):
    turn_us = need.turn_us(since_us, way)
    assert abs(turn_us - since_us) <= BEHIND_MAX_US
    assert (turn_us < since_us) == need.closes_day
    if not need.closes_day and turn_us < since_us + BEHIND_MAX_US:
        per_interval_us = way.window_us * (1 + f"{need.blocks:b}".count("1")) / need.missing
        assert turn_us - since_us == pytest.approx(per_interval_us * BEHIND, abs=BEHIND)


@given(needs, needs, ways, ways, st.integers(0, 10**15), st.integers(2 * BEHIND_MAX_US + 1, 10**15))
def test_nobody_starves(old, young, way, other, since_us, later_us):
    assert old.turn_us(since_us, way) < young.turn_us(since_us + later_us, other)


# -- trying again


def test_without_an_answer_the_pauses_grow_to_the_longest_and_the_gap_is_given_up(fleet):
    found = []
    while not fleet.backfill.given_up:
        found += [fleet.now_us] * len(fleet.poll())
        fleet.registry.state(1).complete_to = FIRST
        assert len(found) <= ATTEMPTS_MAX
        fleet.now_us = fleet.backfill.next_us
    pauses = [b - a for a, b in itertools.pairwise(found)]
    assert len(found) == ATTEMPTS_MAX
    assert pauses[0] == ANSWER_US
    assert pauses == sorted(pauses)
    assert max(pauses) == ANSWER_US + BACK_OFF_MAX_US
    assert sum(pauses) > 3 * DAY_S * US_PER_S


def test_a_gap_that_was_given_up_is_left_alone_for_long_and_then_tried_again(fleet):
    while not fleet.backfill.given_up:
        fleet.poll()
        fleet.now_us = fleet.backfill.next_us
    assert fleet.run(BACK_OFF_MAX_US // US_PER_S - 600) == []
    assert len(fleet.run(1_200)) >= 1


def test_while_a_meter_answers_its_requests_follow_each_other_without_a_pause(fleet):
    fleet.now_us += 9 * DAY_S * US_PER_S
    times = []
    for number in range(6):
        [request] = fleet.poll()
        times.append(fleet.now_us)
        first = asked(request)[0]
        assert first == 16 * number
        fleet.knows(first=first, count=16)
        fleet.backfill.progressed(1)
        fleet.now_us += ANSWER_US
    assert fleet.backfill.requests == 6


def test_progress_begins_the_count_of_attempts_anew(fleet):
    for _ in range(ATTEMPTS_MAX - 1):
        fleet.poll()
        fleet.now_us = fleet.backfill.next_us
        while not fleet.poll():
            fleet.now_us = fleet.backfill.next_us
    fleet.backfill.progressed(1)
    fleet.run(2 * DAY_S)
    assert fleet.backfill.given_up == 0


def test_progress_of_a_meter_without_a_gap_is_no_news(fleet):
    fleet.knows()
    fleet.backfill.progressed(1)
    assert fleet.run(600) == []


def test_a_gap_that_is_filled_is_forgotten(fleet):
    fleet.poll()
    fleet.knows()
    assert fleet.run(3_600) == []
    assert fleet.backfill.requests == 1


# -- the network


def test_a_request_that_still_waits_in_the_network_is_not_repeated(fleet):
    fleet.held = True
    [request] = fleet.poll()
    assert fleet.run(3_600) == []
    fleet.held = False
    fleet.backfill.left(request.token, fleet.now_us)
    assert [seconds for seconds, _ in fleet.run(ANSWER_US // US_PER_S + 10)] == [ANSWER_US // US_PER_S]


def test_a_request_that_the_network_does_not_take_is_made_again_later(fleet):
    fleet.held = True
    [request] = fleet.poll()
    fleet.backfill.left(request.token, fleet.now_us)
    assert [seconds for seconds, _ in fleet.run(ANSWER_US // US_PER_S + 1)] == [ANSWER_US // US_PER_S]


@pytest.mark.parametrize("token", [None, ("command", 1, 1), ("backfill", 99), "backfill"])
def test_fates_of_other_downlinks_are_ignored(fleet, token):
    fleet.held = True
    fleet.poll()
    fleet.backfill.left(token, fleet.now_us)
    assert fleet.run(ANSWER_US // US_PER_S * 3) == []


def test_requests_take_the_sequence_numbers_of_commands_which_wrap_past_nothing(fleet):
    fleet.registry.state(1).sequence = 65_535
    [request] = fleet.poll()
    assert messages.decode_command(request.payload).sequence == 1
    assert [state.sequence for state in fleet.registry.take_changes()] == [1]
