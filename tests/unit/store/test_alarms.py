"""The history of alarms in the store: one row for each time that one went on, whatever is repeated or comes late."""

import pytest

from nyala.headend.ports import AlarmCleared, AlarmDated, AlarmRaised, Changes
from nyala.store import alarms
from nyala.store.alarms import AlarmLine, Which
from nyala.store.meters import PAGE_MAX
from nyala.vocab.errors import BadArgumentError, ConflictError, UnknownError
from tests.unit.store.filled import NOW_US, START_S, onboard, write

T = START_S


def raised(at_s, *, meter=1, bit=4, value=120, source="event", cleared_s=None, tenant=1):
    return AlarmRaised(tenant, meter, bit, at_s, value, source, NOW_US, cleared_s)


def shown(at_s):
    return raised(at_s, value=None, source="state")


def cleared(at_s, before_s=None, *, bit=4):
    return AlarmCleared(1, bit, at_s, at_s + 1 if before_s is None else before_s)


@pytest.fixture
def store(engine):
    onboard(engine, 3)
    return engine


def rows(store, **said):
    with store.connect() as connection:
        page = alarms.list_alarms(connection, 1, Which.ALL, **said)
    return [(line.raised_s, line.cleared_s, line.value, line.source) for line in page.items]


def test_an_occurrence_is_written_once(store):
    unit = Changes(alarms=[raised(T)])
    write(store, unit, unit, Changes(alarms=[raised(T, value=7)]))
    assert rows(store) == [(T, None, 120, "event")]


def test_an_end_belongs_to_the_newest_occurrence_before_it(store):
    write(store, Changes(alarms=[raised(T), raised(T + 50), raised(T + 20, bit=5), cleared(T + 30)]))
    assert rows(store) == [(T + 50, None, 120, "event"), (T + 20, None, 120, "event"), (T, T + 30, 120, "event")]


def test_an_end_may_only_move_to_an_earlier_instant(store):
    write(store, Changes(alarms=[raised(T), cleared(T + 30)]), Changes(alarms=[cleared(T + 40)]))
    assert rows(store)[0][1] == T + 30
    write(store, Changes(alarms=[cleared(T + 20)]), Changes(alarms=[cleared(T + 25)]))
    assert rows(store)[0][1] == T + 20


def test_an_end_at_the_instant_of_the_next_beginning_is_of_the_one_before(store):
    write(store, Changes(alarms=[raised(T), cleared(T + 9, T + 9), raised(T + 9)]))
    assert rows(store) == [(T + 9, None, 120, "event"), (T, T + 9, 120, "event")]


def test_an_end_without_an_occurrence_is_nothing(store):
    write(store, Changes(alarms=[cleared(T), cleared(T + 1, bit=9)]))
    assert rows(store) == []


def test_what_only_a_state_showed_is_dated_once(store):
    write(store, Changes(alarms=[shown(T + 60)]))
    assert rows(store) == [(T + 60, None, None, "state")]
    write(store, Changes(alarms=[AlarmDated(1, 4, T + 60, T + 9, 150)]))
    assert rows(store) == [(T + 9, None, 150, "event")]
    write(store, Changes(alarms=[AlarmDated(1, 4, T + 9, T, 1)]))
    assert rows(store) == [(T + 9, None, 150, "event")]


def test_one_unit_may_hold_a_whole_life(store):
    write(store, Changes(alarms=[shown(T + 60), AlarmDated(1, 4, T + 60, T, 150), cleared(T + 70), raised(T + 80)]))
    assert rows(store) == [(T + 80, None, 120, "event"), (T, T + 70, 150, "event")]


# -- the list


@pytest.fixture
def many(store):
    """Alarms of three meters, two in each second; every third is over, every fifth acknowledged."""
    write(store, Changes(alarms=[raised(T + n // 2, meter=n % 3 + 1, bit=n % 2, value=n) for n in range(60)]))
    write(store, Changes(alarms=[AlarmCleared(n % 3 + 1, n % 2, T + 900, T + n // 2 + 1) for n in range(0, 60, 3)]))
    for n in range(0, 60, 5):
        alarms.acknowledge(store, 1, n + 1, by="ani", note="", key=f"1:{n}", now_us=NOW_US)
    return store


@pytest.mark.parametrize("limit", [1, 7, 60, 10 * PAGE_MAX])
@pytest.mark.parametrize("which", Which)
def test_the_pages_show_each_row_once_and_the_newest_first(many, which, limit):
    seen: list[AlarmLine] = []
    after: str | None = ""
    total: int | None = None
    while after is not None:
        with many.connect() as connection:
            page = alarms.list_alarms(connection, 1, which, after=after, limit=limit)
        assert total in {None, page.total}
        seen += page.items
        after, total = page.next, page.total
    wanted = [line for line in seen if which is not Which.ACTIVE or line.cleared_s is None]
    wanted = [line for line in wanted if which is not Which.OPEN or line.acknowledged_us is None]
    assert wanted == seen == sorted(seen, key=lambda line: (-line.raised_s, -line.id))
    assert len({line.id for line in seen}) == len(seen) == total == {"active": 40, "open": 48, "all": 60}[which.value]


def test_bits_and_meter_narrow_the_list(many):
    assert len(rows(many, bits=[1], limit=99)) == 30
    assert len(rows(many, bits=[1], meter_id=2, limit=99)) == 10
    assert rows(many, bits=[]) == []


def test_alarms_that_are_on_are_counted_by_bit(many):
    with many.connect() as connection:
        assert alarms.counts(connection, 1) == {0: 20, 1: 20}
        assert alarms.counts(connection, 2) == {}


@pytest.mark.parametrize("after", ["x", "1", "1-", "-1", "1-2-3", "1- 2"])
def test_a_cursor_that_is_none_is_refused(store, after):
    with store.connect() as connection, pytest.raises(BadArgumentError, match="not a cursor"):
        alarms.list_alarms(connection, 1, after=after)


# -- acknowledgement


def acknowledge(store, number=1, *, tenant=1, key="1:key", by="ani", note="seen"):
    return alarms.acknowledge(store, tenant, number, by=by, note=note, key=key, now_us=NOW_US)


def test_an_acknowledgement_is_kept(store):
    write(store, Changes(alarms=[raised(T)]))
    line = acknowledge(store)
    assert (line.acknowledged_us, line.acknowledged_by, line.note) == (NOW_US, "ani", "seen")
    assert acknowledge(store, by="budi", note="other") == line
    write(store, Changes(alarms=[raised(T), cleared(T + 9)]))
    with store.connect() as connection:
        assert alarms.alarm_by_id(connection, 1, 1).acknowledged_by == "ani"


def test_a_second_acknowledgement_and_a_used_key_are_refused(store):
    write(store, Changes(alarms=[raised(T), raised(T + 1)]))
    acknowledge(store)
    with pytest.raises(ConflictError, match="alarm 1 was acknowledged already, by ani"):
        acknowledge(store, key="1:other")
    with pytest.raises(ConflictError, match="used for another alarm"):
        acknowledge(store, 2)


def test_an_alarm_of_a_neighbour_is_unknown(store):
    write(store, Changes(alarms=[raised(T)]))
    for tenant, number in ((2, 1), (1, 9)):
        with pytest.raises(UnknownError, match=f"unknown alarm: {number}"):
            acknowledge(store, number, tenant=tenant)
