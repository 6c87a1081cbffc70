"""Parity and its recovery: small cases exhaustively, the window, restarts, and how much is repaired at which loss."""

from functools import cache
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram.frame_header import COUNTS, RAW, REACH, Header
from nyala.telegram.kept import BODY_MAX, ENTRY_HEAD, read
from nyala.telegram.parity import (
    DISTANCES,
    FUTURE_S,
    LEADS_MAX,
    SENT_LEADS_MAX,
    SENT_MAX,
    WINDOW_BLOCKS_LEAST,
    Body,
    Recovery,
    SentBodies,
    xor,
)
from nyala.vocab.errors import TelegramError

LEAD = Header(1, 1, COUNTS.index(4), 0, 0).lead
HOUR_S = 3_600
BORN = 488_889
bodies = st.binary(max_size=9).map(lambda body: body.rstrip(b"\0"))


@cache
def body_of(number: int) -> bytes:
    """A body of 1 to 6 bytes that is like no other."""
    draw = Random(number)
    return draw.randbytes(draw.randint(0, 5)) + bytes([draw.randint(1, 255)])


@cache
def parity_of(number: int) -> bytes | None:
    """What block `number` carries; none before the meter has sent so many."""
    if number < BORN + SENT_MAX:
        return None
    return xor(body_of(number - distance) for distance in DISTANCES)


def known(side: Recovery | SentBodies) -> dict[tuple[int, int], bytes]:
    """What a side keeps: bodies by lead and number."""
    return {
        (lead, number): said[ENTRY_HEAD:] for lead, its in read(side.kept())[0].items() for number, said in its.bodies.items()
    }


def hear(recovery: Recovery, number: int, *, late: int = 0, parity: bool = True) -> dict[int, bytes]:
    """Bodies by number that the frame of a block brings, heard `late` hours after its end."""
    received_s = (number + 1 + late) * HOUR_S + 7
    found = recovery.take(Body(LEAD, number, body_of(number)), parity_of(number) if parity else None, received_s)
    assert len({each.number for each in found}) == len(found), "given twice"
    assert all(each.body == body_of(each.number) for each in found)
    return {each.number: each.body for each in found}


# -- the sum


@given(st.lists(bodies, min_size=1, max_size=3))
def test_the_sum_gives_each_body_back_from_the_others(parts):
    total = xor(parts)
    assert len(total) <= max(map(len, parts))
    for at, part in enumerate(parts):
        assert xor([total, *parts[:at], *parts[at + 1 :]]) == part


def test_a_sum_of_known_bytes():
    assert xor([b"\x01\x02\x03", b"\x01\x01"]) == b"\x00\x03\x03"
    assert xor([b"\x07\x09", b"\x06\x09"]) == b"\x01"
    assert xor([]) == b""


# -- the meter's side


def test_a_meter_gives_parity_only_where_it_knows_all_three_bodies():
    sent = SentBodies()
    for number in range(BORN, BORN + 30):
        assert (sent.parity(LEAD, number) is None) == (number < BORN + SENT_MAX)
        sent.add(LEAD, number, body_of(number))
    assert sent.parity(LEAD, BORN + 30) == parity_of(BORN + 30)
    assert sent.parity(LEAD ^ 64, BORN + 30) is None
    assert len(known(sent)) == SENT_MAX + 1


def test_a_meter_whose_clock_went_back_keeps_nothing_of_the_future():
    sent = SentBodies()
    sent.add(LEAD, BORN + 10**6, b"\1")
    sent.add(LEAD, BORN, b"\2")
    assert known(sent) == {(LEAD, BORN): b"\2"}


def test_a_meter_keeps_bodies_of_its_last_leads_only_and_through_a_restart():
    sent = SentBodies()
    for lead in range(SENT_LEADS_MAX + 1):
        sent.add(lead, BORN, b"\1")
    assert {lead for lead, _ in known(sent)} == set(range(1, SENT_LEADS_MAX + 1))
    assert SentBodies(sent.kept()).kept() == sent.kept()


def test_a_meter_with_little_memory_keeps_the_lead_that_it_used_last():
    sent = SentBodies()
    for number in range(BORN, BORN + 20):
        sent.add(LEAD ^ 64, number, body_of(number))
        sent.add(LEAD, number, body_of(number))
    most = len(sent.kept()) - 1
    assert {lead for lead, _ in known(SentBodies(sent.kept(most)))} == {LEAD}
    assert SentBodies(sent.kept(most)).parity(LEAD, BORN + 20) == sent.parity(LEAD, BORN + 20)
    assert known(SentBodies(sent.kept(20))) == {}


def test_a_body_that_is_too_long_to_be_kept_is_in_no_parity():
    sent = SentBodies()
    for number in range(BORN, BORN + 18):
        sent.add(LEAD, number, b"\1" * (BODY_MAX + (number == BORN)))
    assert (sent.parity(LEAD, BORN + 17), sent.parity(LEAD, BORN + 18)) == (None, b"\1" * BODY_MAX)


# -- recovery


@pytest.mark.parametrize("size", [1, 2, 3])
def test_every_loss_of_up_to_three_of_eighteen_blocks_is_repaired(size):
    places = range(SENT_MAX + 18 + SENT_MAX)
    for lost in combinations(range(SENT_MAX, SENT_MAX + 18), size):
        recovery, found = Recovery(900), dict[int, bytes]()
        for place in places:
            if place not in lost:
                found |= hear(recovery, BORN + place)
        assert sorted(found) == [BORN + place for place in places], lost


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_arrival_does_not_matter(seed):
    draw = Random(seed)
    heard = [place for place in range(44) if draw.random() > 0.25]
    results = []
    for _ in range(4):
        recovery, found = Recovery(900), set[int]()
        for place in heard + draw.sample(heard, 9):
            got = recovery.take(Body(LEAD, BORN + place, body_of(BORN + place)), parity_of(BORN + place), (BORN + 44) * HOUR_S)
            assert found.isdisjoint(each.number for each in got)
            found |= {each.number for each in got}
        results.append(sorted(found))
        draw.shuffle(heard)
    assert all(each == results[0] for each in results)


def test_a_body_is_told_as_recovered_and_is_not_given_again_when_it_is_heard():
    recovery = Recovery(900)
    for number in range(BORN, BORN + 20):
        if number != BORN + 10:
            assert (BORN + 10 in hear(recovery, number)) == (number == BORN + 17)
    assert hear(recovery, BORN + 10, late=10) == {}


def test_a_repaired_body_says_so():
    recovery = Recovery(900)
    for number in range(BORN, BORN + 17):
        if number != BORN + 14:
            hear(recovery, number, parity=False)
    (heard, repaired) = recovery.take(Body(LEAD, BORN + 17, body_of(BORN + 17)), parity_of(BORN + 17), (BORN + 18) * HOUR_S)
    assert (heard.recovered, repaired.recovered, repaired.number) == (False, True, BORN + 14)


def test_a_block_that_left_the_window_is_not_given_out():
    recovery = Recovery(900)
    hear(recovery, BORN)
    hear(recovery, BORN + WINDOW_BLOCKS_LEAST + 1)
    assert hear(recovery, BORN, late=WINDOW_BLOCKS_LEAST + 1) == {}
    assert (LEAD, BORN) not in known(recovery)


def test_a_block_that_left_the_window_is_not_repaired_by_a_late_frame_and_the_oldest_in_it_is():
    for passed, repaired in ((WINDOW_BLOCKS_LEAST - 1, {BORN}), (WINDOW_BLOCKS_LEAST, set())):
        recovery = Recovery(900)
        for number in range(BORN + 1, BORN + 17):
            hear(recovery, number)
        hear(recovery, BORN + passed, parity=False)
        assert hear(recovery, BORN + 17, late=passed - 17).keys() == {BORN + 17} | repaired


def test_a_parity_whose_oldest_body_left_the_window_solves_nothing():
    recovery = Recovery(900)
    hear(recovery, BORN)
    hear(recovery, BORN + 17)
    hear(recovery, BORN + WINDOW_BLOCKS_LEAST, parity=False)
    for number in (BORN + 10, BORN + 14):
        assert hear(recovery, number, late=WINDOW_BLOCKS_LEAST - 10).keys() == {number}


def test_a_block_of_the_future_is_refused():
    with pytest.raises(TelegramError, match="of the future"):
        Recovery(900).take(Body(LEAD, BORN, b"\1"), None, (BORN + 1) * HOUR_S - FUTURE_S - 1)


def test_a_parity_that_its_bodies_contradict_is_counted():
    recovery = Recovery(900)
    for number in range(BORN, BORN + 17):
        hear(recovery, number)
    recovery.take(Body(LEAD, BORN + 17, b"\1"), b"\x77", (BORN + 18) * HOUR_S)
    assert recovery.contradictions == 1


def test_what_is_heard_stands_against_what_a_wrong_parity_gave():
    recovery = Recovery(900)
    for number in range(BORN, BORN + 17):
        if number != BORN + 10:
            hear(recovery, number)
    (_, wrong) = recovery.take(Body(LEAD, BORN + 17, b"\1"), b"\x77", (BORN + 18) * HOUR_S)
    assert (wrong.number, wrong.recovered) == (BORN + 10, True)
    assert hear(recovery, BORN + 10, late=8) == {BORN + 10: body_of(BORN + 10)}
    assert hear(recovery, BORN + 10, late=8) == {}
    assert recovery.contradictions == 1


def test_a_block_heard_twice_with_other_values_is_counted_and_given_once():
    recovery = Recovery(900)
    hear(recovery, BORN)
    assert recovery.take(Body(LEAD, BORN, b"\x42"), None, (BORN + 1) * HOUR_S) == []
    assert recovery.contradictions == 1


def test_blocks_of_other_sizes_and_tables_do_not_mix():
    recovery, other = Recovery(900), LEAD ^ 64
    for number in range(BORN, BORN + 17):
        if number != BORN + 10:
            recovery.take(Body(other, number, b"\x55"), None, (number + 1) * HOUR_S)
    assert list(hear(recovery, BORN + 17)) == [BORN + 17]


def test_a_body_that_is_too_long_to_be_kept_is_given_as_it_is_heard():
    long = Body(LEAD, BORN, b"\1" * (BODY_MAX + 1))
    recovery = Recovery(900)
    assert recovery.take(long, None, (BORN + 1) * HOUR_S) == [long]
    assert known(recovery) == {}


def test_raw_bodies_of_one_block_are_given_once_by_channel():
    recovery, lead = Recovery(900), Header(0, RAW, 2, 0, 0).lead
    first, second = Body(lead, BORN, b"\x01\x04"), Body(lead, BORN, b"\x02\x04")
    at_s = (BORN + 1) * HOUR_S
    assert [recovery.take(each, None, at_s) for each in (first, second, first, second)] == [[first], [second], [], []]


def test_the_state_of_a_meter_is_bounded():
    recovery, draw = Recovery(60), Random(3)
    for number in range(3_000):
        lead = draw.randrange(1, 32) << 3
        recovery.take(Body(lead, number, b"\1"), b"\2", (number + 1) * 60)
    assert len({lead for lead, _ in known(recovery)}) <= LEADS_MAX
    assert len(known(recovery)) <= LEADS_MAX * (REACH + 1)


def test_two_days_of_hours_are_kept_in_three_hundred_bytes():
    recovery = Recovery(900)
    for number in range(BORN, BORN + 200):
        if number % 10:
            hear(recovery, number)
    assert len(recovery.kept()) < 300


# -- how much is repaired


def incomplete(hears: list[bool]) -> float:
    """Share of the blocks that neither are heard nor repaired."""
    recovery, found = Recovery(900), 0
    for place, heard in enumerate(hears):
        if heard:
            found += len(hear(recovery, BORN + place))
    return 1 - found / len(hears)


def test_at_ten_per_cent_independent_loss_one_block_in_nine_thousand_stays_open():
    """`telegrams.md` section 3: 0.011 %."""
    draw = Random(1)
    share = incomplete([draw.random() >= 0.1 for _ in range(40_000)])
    assert 0.00002 < share < 0.0003


@pytest.mark.parametrize(("loss", "most"), [(0.05, 0.0002), (0.168, 0.0025)])
def test_at_other_losses_the_table_is_met(loss, most):
    draw = Random(2)
    assert incomplete([draw.random() >= loss for _ in range(10_000)]) <= most


def test_in_bursts_of_five_at_ten_per_cent_loss_six_in_a_thousand_stay_open():
    """`telegrams.md` section 3: 0.6 %."""
    draw, hears = Random(4), []
    lost = False
    for _ in range(40_000):
        lost = draw.random() >= 0.2 if lost else draw.random() < 0.2 / 9
        hears.append(not lost)
    assert 0.003 < incomplete(hears) < 0.010
    assert hears.count(False) / len(hears) == pytest.approx(0.1, abs=0.01)


# -- what may still be repaired


def lacking(*lost: int, until: int) -> Recovery:
    """A window of a meter that always carries parity, without some of its blocks."""
    recovery = Recovery(900)
    for number in range(BORN, BORN + until):
        if number - BORN not in lost:
            hear(recovery, number)
    return recovery


@pytest.mark.parametrize(
    ("lost", "until", "may"),
    [
        ((30,), 31, True),
        ((30,), 33, True),
        ((30, 33), 34, True),  # the parity of 37 has 30, 34 and 20
        ((30, 33, 37), 38, True),  # and that of 47 has 30, 40 and 44
        ((30, 23, 20), 31, True),  # that of 47 alone
        ((30, 33, 37, 40, 43), 47, False),  # 47 lacks 40 too
    ],
)
def test_a_block_may_be_repaired_while_a_parity_that_can_is_to_come(lost, until, may):
    assert lacking(*lost, until=until).may_repair(4 * (BORN + lost[0])) is may


def test_what_is_known_or_without_parity_or_of_another_time_is_not_to_be_repaired():
    recovery = lacking(30, until=32)
    assert not recovery.may_repair(4 * (BORN + 29))
    assert not recovery.may_repair(4 * (BORN - WINDOW_BLOCKS_LEAST))
    for number in range(BORN + 32, BORN + 36):
        hear(recovery, number, parity=False)
    assert not recovery.may_repair(4 * (BORN + 30))
    assert not Recovery(900).may_repair(0)
