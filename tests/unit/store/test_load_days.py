"""Load days in the store: by key, of a meter, as they were at a version, and their sums."""

import pytest

from nyala.headend.ports import Changes
from nyala.mdm.book import Book
from nyala.mdm.closing import estimate_gaps, reconcile
from nyala.mdm.load_day import Key, from_row
from nyala.store import load_days, meters
from nyala.store.load_days import METERS_PER_QUERY, DaySum, LoadDays
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S
from tests.unit.store.filled import DAY, load_day, new_meter, onboard, write

IMPORT, EXPORT = Channel.IMPORT, Channel.EXPORT


def versions(engine, *wanted):
    with engine.connect() as connection:
        return load_days.of_versions(connection, [(Key(1, DAY, IMPORT), version) for version in wanted])


def test_every_version_of_a_day_can_be_read_again(engine):
    book = Book(LoadDays(engine))
    for value in (5, 6, 7):
        book.merge(1, IMPORT, 900, DAY * 96, [value, 1], [Quality.LINEAR, Quality.RAW])
        rows, superseded = book.take_changes()
        write(engine, Changes(load_days=rows, superseded=superseded))
    found = versions(engine, 1, 2, 3)
    assert [(row.version, from_row(row).values.tolist()[:3]) for row in found] == [
        (1, [5, 1, 0]),
        (2, [6, 1, 0]),
        (3, [7, 1, 0]),
    ]


def test_versions_that_came_and_went_in_one_unit_are_kept(engine):
    book = Book(LoadDays(engine))
    for value in (5, 6, 7):
        book.merge(1, IMPORT, 900, DAY * 96, [value], [Quality.LINEAR])
    rows, superseded = book.take_changes()
    write(engine, Changes(load_days=rows, superseded=superseded))
    assert [int(from_row(row).values[0]) for row in versions(engine, 1, 2, 3)] == [5, 6, 7]


def test_a_book_goes_on_with_what_the_one_before_stored(engine):
    write(engine, Changes(load_days=[load_day([1, 2], version=4, open_wh=100)]))
    book = Book(LoadDays(engine))
    assert book.merge(1, IMPORT, 900, DAY * 96, [1, 9, 3], [Quality.RAW] * 3) == 2
    day = book.day(Key(1, DAY, IMPORT))
    assert day is not None
    assert (day.version, day.open_wh, day.values.tolist()[:4]) == (5, 100, [1, 9, 3, 0])


def test_estimates_of_a_book_that_is_gone_are_scaled_again_by_the_next(engine):
    book = Book(LoadDays(engine))
    book.set_register(1, IMPORT, 900, DAY * DAY_S, 0)
    book.merge(1, IMPORT, 900, DAY * 96, [10] * 48, [Quality.RAW] * 48)
    book.set_register(1, IMPORT, 900, (DAY + 1) * DAY_S, 960)
    estimate_gaps(book, 1, IMPORT, 900, DAY * 96, DAY * 96 + 72)  # what is missing behind it may still come
    rows, superseded = book.take_changes()
    write(engine, Changes(load_days=rows, superseded=superseded))
    book = Book(LoadDays(engine))
    book.merge(1, IMPORT, 900, DAY * 96 + 72, [2] * 24, [Quality.RAW] * 24)
    reconcile(book, Key(1, DAY, IMPORT))
    [row] = book.take_changes()[0]
    assert (row.energy_wh, row.missing, row.estimated, row.version) == (960, 0, 24, 2)


def test_days_are_found_by_meter_day_and_channel(engine):
    rows = [
        load_day([number], meter_id=number, day=day, channel=channel)
        for number in (1, 2)
        for day in (DAY, DAY + 1)
        for channel in (IMPORT, EXPORT)
    ]
    write(engine, Changes(load_days=rows))
    wanted = [Key(1, DAY, IMPORT), Key(2, DAY + 1, EXPORT), Key(3, DAY, IMPORT), Key(1, DAY + 2, IMPORT)]
    assert set(LoadDays(engine).load_days(wanted)) == set(wanted[:2])
    assert LoadDays(engine).load_days([]) == {}


def test_more_meters_than_one_question_takes_are_asked_in_several(engine):
    count = METERS_PER_QUERY + 3
    write(engine, Changes(load_days=[load_day([1], meter_id=number) for number in range(1, count + 1)]))
    found = LoadDays(engine).load_days(Key(number, DAY, IMPORT) for number in range(1, count + 10))
    assert len(found) == count


def test_of_a_meter_come_the_asked_channels_and_days_in_order(engine):
    rows = [load_day([day - DAY], day=day, channel=channel) for channel in (EXPORT, IMPORT) for day in range(DAY, DAY + 4)]
    write(engine, Changes(load_days=[*rows, load_day([1], channel=Channel.Q1), load_day([1], meter_id=2)]))
    with engine.connect() as connection:
        found = load_days.of_meter(connection, 1, [IMPORT, EXPORT], DAY + 1, DAY + 3)
        everyone = load_days.of_days(connection, [DAY], IMPORT)
    assert [(row.key.channel, row.key.day) for row in found] == [(c, d) for c in (IMPORT, EXPORT) for d in (DAY + 1, DAY + 2)]
    assert {row.key.meter_id for row in everyone} == {1, 2}


def test_sums_of_days_are_primary_and_of_one_tenant(engine):
    tenant, other = meters.tenant_id(engine, "t"), meters.tenant_id(engine, "neighbour")
    meters.onboard(engine, tenant, [new_meter(1), new_meter(2, ct_ratio=(200, 5))])
    meters.onboard(engine, other, [new_meter(3)])
    days = [
        load_day([10, 20]),
        load_day([1, 2, 3], meter_id=2),
        load_day([7], meter_id=2, channel=EXPORT),
        load_day([9] * 4, quality=Quality.LINEAR, day=DAY + 1),
        load_day([999], meter_id=3),
    ]
    write(engine, Changes(load_days=days))
    with engine.connect() as connection:
        assert load_days.day_sums(connection, tenant, DAY, DAY + 2) == [
            DaySum(DAY, IMPORT, 5, 30 + 6 * 40, 0),
            DaySum(DAY, EXPORT, 1, 7 * 40, 0),
            DaySum(DAY + 1, IMPORT, 4, 36, 4),
        ]
        assert load_days.day_sums(connection, other, DAY, DAY + 1) == [DaySum(DAY, IMPORT, 1, 999, 0)]
        assert load_days.day_sums(connection, tenant, DAY + 2, DAY + 9) == []


@pytest.mark.parametrize("ratio", [(7, 3), (1_000_000, 1)])
def test_a_primary_sum_is_cut_to_whole_watt_hours_per_day(engine, ratio):
    tenant = meters.tenant_id(engine, "t")
    meters.onboard(engine, tenant, [new_meter(1, ct_ratio=ratio), new_meter(2, ct_ratio=ratio)])
    write(engine, Changes(load_days=[load_day([5]), load_day([4], meter_id=2)]))
    with engine.connect() as connection:
        [found] = load_days.day_sums(connection, tenant, DAY, DAY + 1)
    assert found.energy_wh == 5 * ratio[0] // ratio[1] + 4 * ratio[0] // ratio[1]


def test_load_days_need_no_meter_row_to_be_read(engine):
    onboard(engine, 1)
    write(engine, Changes(load_days=[load_day([1], meter_id=77)]))
    with engine.connect() as connection:
        assert [row.key.meter_id for row in load_days.of_days(connection, [DAY], IMPORT)] == [77]
