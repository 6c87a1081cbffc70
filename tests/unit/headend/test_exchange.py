"""Exchanging a meter: energy is conserved to the watt-hour over the exchange, or the exchange is refused (law 1)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.exchange import Exchange, exchange, leads_to, weighed
from nyala.headend.lifecycle import Life, LifeRow, Lives
from nyala.headend.registry import Registry
from nyala.mdm.book import Book
from nyala.mdm.load_day import Key
from nyala.vocab.errors import CallerError, ConflictError
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import US_PER_S
from tests.unit.headend.fleet import DAY, FIRST, START_S, record
from tests.unit.mdm.books import Shelf

OLD, NEW = 1, 2
EACH = 900
OPEN_WH = 1_000


class Place:
    """A meter that has reported, another in stock, and what the first one's register says."""

    def __init__(self, values, heard):
        self.registry = Registry([record(OLD, customer="Sri", site="A-1", tariff="t", feeder="F7"), record(NEW)])
        self.book, self.lives = Book(Shelf()), Lives([LifeRow(NEW, Life.IN_STOCK, 0)])
        self.book.set_register(OLD, Channel.IMPORT, EACH, START_S, OPEN_WH)
        self.book.set_register(OLD, Channel.EXPORT, EACH, START_S, 0)
        for at, (value, came) in enumerate(zip(values, heard, strict=True)):
            if came:
                self.book.merge(OLD, Channel.IMPORT, EACH, FIRST + at, [value], [Quality.RAW])
        self.book.merge(OLD, Channel.EXPORT, EACH, FIRST, [0] * len(values), [Quality.RAW] * len(values))
        self.final_wh, self.at_s = OPEN_WH + sum(values), START_S + EACH * len(values)

    def exchange(self, **said):
        return exchange(self.registry, self.book, self.lives, self.asked(**said))

    def asked(self, **said):
        plain: dict[str, Any] = {
            "old": self.registry.meter(OLD),
            "new": self.registry.meter(NEW),
            "at_s": self.at_s,
            "final": {"import_wh": self.final_wh, "export_wh": 0},
            "start": {"import_wh": 5, "export_wh": 0},
            "recorded_us": (self.at_s + 60) * US_PER_S,
            "by": "ani",
            "reason": "broken",
        }
        return Exchange(**(plain | said))

    def sums(self, meter, count):
        """(Wh, missing, estimated) of a meter's import over whole days."""
        days = [self.book.day(Key(meter, DAY + at, Channel.IMPORT)) for at in range(count // 96 + 1)]
        known = [day for day in days if day is not None]
        wh = sum(int(day.values.sum()) for day in known)
        codes = [int(code) for day in known for code in day.qualities][:count]
        return wh, codes.count(Quality.MISSING), codes.count(Quality.LINEAR)


@given(st.lists(st.tuples(st.integers(0, 500), st.booleans()), min_size=1, max_size=200))
def test_the_intervals_of_the_old_meter_sum_to_its_registers_and_what_was_guessed_is_marked(said):
    values, heard = [value for value, _ in said], [came for _, came in said]
    place = Place(values, heard)
    place.exchange()
    wh, missing, estimated = place.sums(OLD, len(values))
    assert (wh, missing, estimated) == (place.final_wh - OPEN_WH, 0, heard.count(False))


def test_the_new_meter_begins_where_the_old_one_ends_and_has_its_customer():
    place = Place([5] * 10, [True] * 10)
    done = place.exchange()
    assert (done.new.installed_s, done.new.customer, done.new.site, done.new.tariff) == (place.at_s, "Sri", "A-1", "t")
    assert done.new.feeder == "F7"
    assert (place.lives.of(OLD).state, place.lives.of(OLD).ended_s) == (Life.REPLACED, place.at_s)
    assert place.lives.of(NEW).state is Life.ACTIVE
    assert [each.id for each in place.registry] == [NEW]
    assert {place.registry.state(n).complete_to for n in (OLD, NEW)} == {FIRST + 10}


def test_a_final_register_that_the_intervals_do_not_lead_to_is_refused_and_nothing_has_changed():
    place = Place([5] * 10, [True] * 10)
    with pytest.raises(ConflictError, match="final import_wh 1049 Wh, but its intervals lead to 1050 Wh"):
        place.exchange(final={"import_wh": place.final_wh - 1, "export_wh": 0})
    assert place.lives.take_changes() == ([], [])
    assert len(list(place.registry)) == 2


REFUSED: dict[str, dict[str, Any]] = {
    "inside an interval": {"at_s": START_S + 901},
    "was installed, or to come": {"recorded_us": START_S * US_PER_S},
    "lack export_wh": {"final": {"import_wh": 5}},
    "below 0": {"start": {"import_wh": -1, "export_wh": 0}},
    "two tenants": {"new": record(NEW, tenant_id=2)},
    "its own place": {"new": record(OLD)},
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_is_refused_and_says_why(why):
    place = Place([5] * 10, [True] * 10)
    with pytest.raises(CallerError, match=why):
        place.exchange(**REFUSED[why])
    assert place.lives.take_changes() == ([], [])


def test_no_meter_is_exchanged_twice():
    place = Place([5] * 10, [True] * 10)
    place.exchange()
    with pytest.raises(ConflictError, match="no replace"):
        place.exchange()


@given(st.lists(st.tuples(st.integers(0, 500), st.booleans()), min_size=1, max_size=100))
def test_what_is_weighed_is_what_is_done_and_weighing_changes_nothing(said):
    place = Place([value for value, _ in said], [came for _, came in said])
    asked = weighed(place.book, place.lives, place.asked())
    assert asked == {"import_wh": [came for _, came in said].count(False), "export_wh": 0}
    assert (place.lives.take_changes(), place.lives.of(OLD).state) == (([], []), Life.ACTIVE)
    place.exchange()
    assert place.sums(OLD, len(said))[2] == asked["import_wh"]


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_refused_is_refused_as_well_where_it_is_only_weighed(why):
    place = Place([5] * 10, [True] * 10)
    with pytest.raises(CallerError, match=why):
        weighed(place.book, place.lives, place.asked(**REFUSED[why]))


def test_a_meter_that_is_gone_is_not_weighed():
    place = Place([5] * 10, [True] * 10)
    place.exchange()
    with pytest.raises(ConflictError, match="no replace"):
        weighed(place.book, place.lives, place.asked())


@pytest.mark.parametrize(("heard", "wh"), [([True] * 4, OPEN_WH + 20), ([True, True, True, False], None)])
def test_intervals_lead_to_a_register_where_none_is_missing(heard, wh):
    place = Place([5] * 4, heard)
    assert leads_to(place.book, place.registry.meter(OLD), Channel.IMPORT, place.at_s) == wh


def test_where_no_register_was_ever_read_the_intervals_lead_nowhere():
    book = Book(Shelf())
    book.merge(NEW, Channel.IMPORT, EACH, FIRST, [5], [Quality.RAW])
    assert leads_to(book, record(NEW), Channel.IMPORT, START_S + EACH) is None
