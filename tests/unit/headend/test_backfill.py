"""Gaps and back-fill: what is asked for, when, within which budget, and when it is given up."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend import backfill
from nyala.headend.backfill import (
    ANSWER_US,
    ATTEMPTS_MAX,
    BACK_OFF_MAX_US,
    GRACE_S,
    OPEN_MAX,
    REQUEST_MAX,
    SCAN_US,
    Backfill,
    expected_to,
)
from nyala.headend.registry import Registry
from nyala.lorawan.network.port import Downlink
from nyala.mdm.book import Book
from nyala.telegram import messages
from nyala.telegram.kinds import Opcode, Port
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, US_PER_S
from tests.unit.headend.fleet import FIRST, PERIOD_S, REPORT_S, START_S, record
from tests.unit.mdm.books import RAW, Shelf

DAY_AFTER_US = (START_S + DAY_S) * US_PER_S
EXPECTED = expected_to(PERIOD_S, REPORT_S, DAY_AFTER_US) - FIRST
"""Intervals that should have come by then."""


class Fleet:
    """Meters, their book, and the back-fill; each request leaves at once unless `held`."""

    def __init__(self, meters: int = 1) -> None:
        self.now_us = DAY_AFTER_US
        self.registry = Registry([record(number) for number in range(1, meters + 1)])
        self.book = Book(Shelf())
        self.backfill = Backfill(self.registry, self.book)
        self.held = False
        for number in range(1, meters + 1):
            self.registry.state(number).last_heard_us = self.now_us

    def knows(self, number: int = 1, first: int = 0, count: int = 96, channels=backfill.PROFILE) -> None:
        """Intervals of a meter come, by their place after its installation."""
        for channel in channels:
            self.book.merge(number, channel, PERIOD_S, FIRST + first, [1] * count, [RAW] * count)
        state = self.registry.state(number)
        start = state.complete_to
        state.complete_to = min(
            self.book.first_missing(number, each, PERIOD_S, start, start + 10_000) for each in backfill.PROFILE
        )

    def poll(self) -> list[Downlink]:
        downlinks = self.backfill.poll(self.now_us)
        if not self.held:
            for downlink in downlinks:
                self.backfill.sent(downlink.token)
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


def asked(downlink: Downlink) -> tuple[int, int]:
    """(first, count) of a request, by the place after the installation."""
    command = messages.decode_command(downlink.payload)
    assert (command.opcode, command.period_s, downlink.port) == (Opcode.BACKFILL, PERIOD_S, Port.COMMAND)
    return command.first - FIRST, command.count


@pytest.fixture
def fleet():
    return Fleet()


# -- what is a gap


@pytest.mark.parametrize(
    ("late_s", "count"), [(0, 0), (2 * REPORT_S + GRACE_S + PERIOD_S - 1, 0), (2 * REPORT_S + GRACE_S + PERIOD_S, 1)]
)
def test_an_interval_is_expected_two_reports_and_some_grace_after_its_end(late_s, count):
    assert expected_to(PERIOD_S, REPORT_S, (START_S + late_s) * US_PER_S) <= FIRST + count
    assert max(expected_to(PERIOD_S, REPORT_S, (START_S + late_s) * US_PER_S) - FIRST, 0) == count


def test_where_all_has_come_nothing_is_asked(fleet):
    fleet.knows()
    assert fleet.run(DAY_S // 24) == []


def test_a_meter_that_was_never_heard_is_not_asked(fleet):
    fleet.registry.state(1).last_heard_us = 0
    assert fleet.run(3_600) == []


def test_the_oldest_run_that_is_missing_is_asked_for(fleet):
    fleet.knows(first=0, count=10)
    fleet.knows(first=13, count=4)
    [request] = fleet.poll()
    assert asked(request) == (10, 3)
    assert (request.dev_eui, request.confirmed) == (0xD001, False)
    fleet.knows(first=10, count=3)
    fleet.now_us += ANSWER_US
    assert [asked(each) for each in fleet.poll()] == [(17, EXPECTED - 17)]


def test_a_gap_in_one_channel_is_a_gap(fleet):
    fleet.knows(channels=[Channel.IMPORT])
    fleet.knows(first=0, count=90, channels=[Channel.EXPORT])
    assert [asked(each) for each in fleet.poll()] == ([(90, EXPECTED - 90)] if EXPECTED > 90 else [])
    fleet.now_us += 2 * REPORT_S * US_PER_S
    assert [asked(each)[0] for each in fleet.poll()] == [90]


def test_one_request_asks_for_a_day_at_most(fleet):
    fleet.now_us += 3 * DAY_S * US_PER_S
    assert [asked(each) for each in fleet.poll()] == [(0, REQUEST_MAX)]


def test_what_is_not_expected_yet_is_not_asked(fleet):
    [request] = fleet.poll()
    assert asked(request) == (0, min(EXPECTED, REQUEST_MAX))


def test_meters_are_looked_at_every_five_minutes(fleet):
    fleet.knows(count=EXPECTED)
    assert fleet.poll() == []
    found = fleet.run(3_600)
    assert found
    assert found[0][0] % (SCAN_US // US_PER_S) == 0
    assert asked(found[0][1])[0] == EXPECTED


# -- the budget


def test_so_many_requests_are_open_at_once_and_no_more():
    fleet = Fleet(OPEN_MAX + 4)
    assert len(fleet.poll()) == OPEN_MAX
    fleet.now_us += US_PER_S
    assert fleet.poll() == []


def test_when_requests_end_the_next_meters_have_their_turn():
    fleet = Fleet(OPEN_MAX + 4)
    first = {request.dev_eui for request in fleet.poll()}
    for dev_eui in first:
        fleet.knows(dev_eui - 0xD000)
    rest = {request.dev_eui for _, request in fleet.run(2 * ANSWER_US // US_PER_S)}
    assert rest == {0xD001 + number for number in range(OPEN_MAX + 4)} - first


@given(st.integers(1, 20), st.lists(st.tuples(st.integers(1, 20), st.integers(0, 96)), max_size=30))
def test_the_budget_is_never_exceeded(meters, answers):
    fleet = Fleet(meters)
    open_until: dict[int, int] = {}
    for number, count in answers:
        for request in fleet.poll():
            assert open_until.get(request.dev_eui, 0) <= fleet.now_us
            open_until[request.dev_eui] = fleet.now_us + ANSWER_US
        assert sum(1 for until_us in open_until.values() if until_us > fleet.now_us) <= OPEN_MAX
        if number <= meters:
            fleet.knows(number, 0, count) if count else None
            fleet.backfill.progressed(number)
        fleet.now_us = max(fleet.backfill.next_us, fleet.now_us + US_PER_S)


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
        first, _ = asked(request)
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
    fleet.backfill.sent(request.token)
    assert len(fleet.run(10)) == 1


def test_a_request_that_the_network_does_not_take_costs_no_budget():
    fleet = Fleet(OPEN_MAX + 2)
    fleet.held = True
    refused = fleet.poll()
    for request in refused:
        fleet.backfill.sent(request.token, taken=False)
    fleet.held = False
    fleet.now_us += 2 * US_PER_S
    assert {request.dev_eui for request in fleet.poll()} == {0xD001 + OPEN_MAX, 0xD001 + OPEN_MAX + 1}


def test_a_request_that_the_network_does_not_take_is_made_again(fleet):
    fleet.held = True
    [request] = fleet.poll()
    fleet.backfill.sent(request.token, taken=False)
    assert len(fleet.run(ANSWER_US // US_PER_S + 1)) == 1


@pytest.mark.parametrize("token", [None, ("command", 1, 1), ("backfill", 99), "backfill"])
def test_fates_of_other_downlinks_are_ignored(fleet, token):
    fleet.held = True
    fleet.poll()
    fleet.backfill.sent(token)
    fleet.backfill.sent(token, taken=False)
    assert fleet.run(ANSWER_US // US_PER_S * 3) == []


def test_requests_take_the_sequence_numbers_of_commands_which_wrap_past_nothing(fleet):
    fleet.registry.state(1).sequence = 65_535
    [request] = fleet.poll()
    assert messages.decode_command(request.payload).sequence == 1
    assert [state.sequence for state in fleet.registry.take_changes()] == [1]
