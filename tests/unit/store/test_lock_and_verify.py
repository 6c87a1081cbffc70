"""One centre per store, and the check of a whole store: it finds what was planted."""

import os

import numpy as np
import pytest
from sqlalchemy import delete, select, update

from nyala.headend.ports import Changes
from nyala.mdm.load_day import encode_values
from nyala.store import schema, verify
from nyala.store.engine import open_engine, writing
from nyala.store.lock import CentreLock
from nyala.vocab.errors import SurroundingsError
from nyala.vocab.quantities import Channel
from nyala.vocab.time import day_text
from tests.unit.store.filled import DAY, load_day, write

TABLE, HISTORY = schema.load_day, schema.load_day_history
WHO = f"meter 1 IMPORT {day_text(DAY)}"


# -- the lock


def test_a_second_centre_on_the_same_store_is_refused(engine, where):
    second = open_engine(where)
    with CentreLock(engine), pytest.raises(SurroundingsError, match=r"another nyala .*runs on") as error, CentreLock(second):
        pass
    assert "\n" not in str(error.value)
    if engine.dialect.name == "sqlite":
        assert f"(process {os.getpid()})" in str(error.value)
    second.dispose()


def test_the_lock_ends_when_its_holder_leaves(engine, where):
    second = open_engine(where)
    with pytest.raises(ZeroDivisionError), CentreLock(engine):
        _ = 1 / 0
    with CentreLock(second):
        pass
    second.dispose()


def test_who_was_refused_does_not_take_the_lock_away(engine, where):
    second = open_engine(where)
    with CentreLock(engine):
        for _ in range(2):
            with pytest.raises(SurroundingsError), CentreLock(second):
                pass
    second.dispose()


def test_the_lock_does_not_keep_readers_and_tools_from_the_store(engine):
    with CentreLock(engine):
        write(engine, Changes(load_days=[load_day([1])]))
        assert verify.verify(engine).load_days == 1


# -- verification


@pytest.fixture
def healthy(engine):
    """Three days that their registers prove, one of them with two earlier versions."""
    days = [
        load_day([10] * 96, open_wh=0, close_wh=960),
        load_day([20] * 96, day=DAY + 1, open_wh=960, close_wh=2_880, version=3),
        load_day([5], day=DAY + 2, open_wh=2_880),
        load_day([0] * 96, channel=Channel.EXPORT, open_wh=7, close_wh=7),
    ]
    history = [load_day([20] * number, day=DAY + 1, version=number) for number in (1, 2)]
    write(engine, Changes(load_days=days, superseded=history))
    return engine


def plant(engine, statement):
    with writing(engine) as connection:
        assert connection.execute(statement).rowcount >= 1


def wrong(engine):
    return verify.verify(engine).wrong


def change(day=DAY, **said):
    return update(TABLE).where(TABLE.c.meter_id == 1, TABLE.c.day == day, TABLE.c.channel == 0).values(**said)


def test_an_empty_store_is_right(engine):
    assert verify.verify(engine) == verify.Verified()


def test_a_right_store_is_right_and_says_what_is_proven(healthy):
    found = verify.verify(healthy)
    assert (found.load_days, found.proven, found.wrong) == (4, 3, [])


def test_a_changed_value_is_found_by_the_registers(healthy):
    plant(healthy, change(intervals=encode_values(np.array([10] * 95 + [11], np.int64))))
    assert wrong(healthy) == [f"{WHO}: values sum to 961 Wh, registers say 960 Wh"]


def test_a_changed_register_is_found_by_the_values_and_the_neighbour(healthy):
    plant(healthy, change(close_wh=961))
    assert wrong(healthy) == [
        f"{WHO}: values sum to 960 Wh, registers say 961 Wh",
        f"meter 1 IMPORT {day_text(DAY + 1)}: opens at 960 Wh, the day before closed at 961 Wh",
    ]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"intervals": b"\x01\x02"}, "value block of 2 bytes for 96 intervals of width 1"),
        ({"intervals": b""}, "value block of 0 bytes"),
        ({"intervals": b"\x03" + bytes(288)}, "width 3"),
        ({"qualities": b"\x01\x01"}, "quality block of 2 bytes"),
        ({"qualities": b"\xff"}, "quality block with code 255"),
        ({"period_s": 3_600}, "value block of 97 bytes for 24 intervals"),
    ],
)
def test_a_broken_block_is_found_and_the_other_days_are_read(healthy, said, why):
    plant(healthy, change(**said))
    found = verify.verify(healthy)
    assert (found.load_days, found.proven) == (4, 2)
    assert [line.startswith(f"{WHO}: ") and why in line for line in found.wrong] == [True]


def test_a_version_that_is_lost_is_found(healthy):
    plant(healthy, delete(HISTORY).where(HISTORY.c.version == 1))
    assert wrong(healthy) == [f"meter 1 IMPORT {day_text(DAY + 1)}: version 3 with 1 earlier ones"]


def test_a_version_that_was_overwritten_is_found(healthy):
    plant(healthy, change(version=2))
    assert wrong(healthy) == [f"{WHO}: version 2 with 0 earlier ones"]


def test_days_of_other_meters_and_channels_are_no_neighbours(engine):
    days = [
        load_day([1], close_wh=5),
        load_day([1], meter_id=2, day=DAY + 1, open_wh=9),
        load_day([1], channel=Channel.EXPORT, day=DAY + 1, open_wh=9),
        load_day([1], day=DAY + 2, open_wh=9),
    ]
    write(engine, Changes(load_days=days))
    assert wrong(engine) == []


def test_a_day_with_gaps_is_not_held_against_its_registers(engine):
    write(engine, Changes(load_days=[load_day([1] * 95, open_wh=0, close_wh=9_999)]))
    assert verify.verify(engine) == verify.Verified(1, 0, [])


def test_so_many_findings_are_spelled_out(engine, monkeypatch):
    monkeypatch.setattr(verify, "WRONG_MAX", 3)
    write(engine, Changes(load_days=[load_day([1], meter_id=number, version=2) for number in range(1, 9)]))
    found = verify.verify(engine)
    assert (found.load_days, len(found.wrong)) == (8, 3)


def test_verification_only_reads(healthy):
    def everything():
        with healthy.connect() as connection:
            return connection.execute(select(TABLE)).all(), connection.execute(select(HISTORY)).all()

    before = everything()
    verify.verify(healthy)
    assert everything() == before
