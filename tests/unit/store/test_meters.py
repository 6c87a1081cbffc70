"""Meters in the store: onboarding all or none, the list with its pages and search, what is missing."""

import pytest

from nyala.headend.backfill import expected_to
from nyala.headend.ports import Changes
from nyala.headend.registry import MeterRecord, MeterState
from nyala.store import meters
from nyala.store.engine import open_engine
from nyala.store.meters import MISSING_SPAN_S, PAGE_MAX
from nyala.vocab.errors import ConflictError, UnknownError
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, US_PER_S
from tests.unit.store.filled import DAY, START_S, counts, load_day, new_meter, onboard, state, write

# -- onboarding


def test_what_was_onboarded_is_loaded_again(engine):
    new = new_meter(7, customer="Ibu Sri", site="3", tariff="pln-r1-1300", ct_ratio=(200, 5), period_s=1_800)
    [record] = meters.onboard(engine, meters.tenant_id(engine, "t"), [new])
    assert record == MeterRecord(
        id=1,
        tenant_id=1,
        serial="N00007",
        model="single-phase",
        dev_eui=0xD0007,
        zone="Asia/Jakarta",
        period_s=1_800,
        report_s=3_600,
        installed_s=START_S,
        customer="Ibu Sri",
        site="3",
        tariff="pln-r1-1300",
        contracted_va=1_300,
        ct_ratio=(200, 5),
    )
    with engine.connect() as connection:
        assert meters.load_records(connection) == [record]
        [root] = meters.load_roots(connection)
        assert len(meters.load_sessions(connection)) == 0
    assert (root.dev_eui, root.join_eui, root.app_key.value) == (0xD0007, 1, (7).to_bytes(16, "big"))
    assert (root.dev_addr, root.dev_nonce, root.join_nonce, root.class_c) == (1, -1, 0, True)


def test_addresses_and_ids_go_on_where_they_ended(engine):
    onboard(engine, 3)
    tenant = meters.tenant_id(engine, "t")
    assert [record.id for record in meters.onboard(engine, tenant, [new_meter(8), new_meter(9)])] == [4, 5]
    with engine.connect() as connection:
        assert [root.dev_addr for root in meters.load_roots(connection, 4)] == [4, 5]


@pytest.mark.parametrize("clash", [{"serial": "N00001"}, {"dev_eui": 0xD0001}])
def test_a_meter_that_is_there_already_stops_all_of_a_file(engine, clash):
    onboard(engine, 2)
    before = counts(engine)
    with pytest.raises(ConflictError, match=r"there already: (N00001|00000000000d0001)$"):
        meters.onboard(engine, 1, [new_meter(8), new_meter(9, **clash)])
    assert counts(engine) == before


def test_so_many_clashes_are_named_and_the_others_counted(engine):
    onboard(engine, 9)
    new = [new_meter(number, dev_eui=99 + number) for number in range(1, 10)]
    with pytest.raises(ConflictError, match=r"there already: (N0000\d, ){4}N0000\d and 4 more"):
        meters.onboard(engine, 1, new)


def test_a_network_without_addresses_takes_no_more(engine, monkeypatch):
    monkeypatch.setattr(meters, "DEV_ADDR_LIMIT", 4)
    onboard(engine, 2)
    with pytest.raises(ConflictError, match="the network has 2 of 4 addresses in use"):
        meters.onboard(engine, 1, [new_meter(8), new_meter(9)])
    assert counts(engine)["meter"] == 2


def test_a_tenant_is_made_once(engine):
    first = meters.tenant_id(engine, "a")
    assert meters.tenant_id(engine, "b") != first
    assert meters.tenant_id(engine, "a") == first
    assert counts(engine) == {"tenant": 2}


def test_a_meter_of_a_neighbour_is_unknown(engine):
    onboard(engine, 1)
    other = meters.tenant_id(engine, "neighbour")
    with engine.connect() as connection:
        assert meters.meter_of_tenant(connection, 1, 1).serial == "N00001"
        for tenant, number in ((other, 1), (1, 2)):
            with pytest.raises(UnknownError, match=f"unknown meter: {number}"):
                meters.meter_of_tenant(connection, tenant, number)


def test_a_meter_that_was_never_heard_has_no_shadow(engine):
    onboard(engine, 2)
    write(engine, Changes(states=[state(1), MeterState(2)]))
    with engine.connect() as connection:
        assert meters.state_of_meter(connection, 1) == state(1)
        assert meters.state_of_meter(connection, 99) is None


# -- the list

MANY = 3_000
SPECIAL = {
    100: {"customer": "100% Solar_Panel", "site": "a/b"},
    200: {"customer": "100x Solar Panel", "site": "C\\D"},
    300: {"customer": "TOKO ANI", "site": "it's [x]"},
    400: {"customer": "toko budi", "site": "Jl. Melati"},
}


@pytest.fixture(scope="module")
def listed(make_store, tmp_path_factory):
    """Asks for pages of 3,000 meters, which nobody changes."""
    engine = open_engine(make_store(tmp_path_factory.mktemp("listed") / "store"), durable=False)
    tenant = meters.tenant_id(engine, "t")
    meters.onboard(engine, tenant, [new_meter(number, **SPECIAL.get(number, {})) for number in range(MANY, 0, -1)])
    meters.onboard(engine, meters.tenant_id(engine, "neighbour"), [new_meter(9_001, customer="toko x")])
    with engine.connect() as connection:
        yield lambda **said: meters.list_meters(connection, tenant, **said)
    engine.dispose()


def serials(page):
    return [line.serial for line in page.items]


def test_the_pages_show_every_meter_once_in_order(listed):
    found, after, pages = [], "", 0
    while True:
        page = listed(after=after, limit=PAGE_MAX)
        assert page.total == MANY
        found += serials(page)
        pages += 1
        if page.next is None:
            break
        after = page.next
    assert found == [f"N{number:05d}" for number in range(1, MANY + 1)]
    assert pages == MANY // PAGE_MAX


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (-5, 1), (1, 1), (7, 7), (PAGE_MAX + 1, PAGE_MAX), (10**6, PAGE_MAX)])
def test_a_page_is_as_long_as_was_asked_within_limits(listed, asked, given):
    page = listed(limit=asked)
    assert len(page.items) == given
    assert page.next == page.items[-1].serial


def test_behind_the_last_meter_is_nothing(listed):
    page = listed(after=f"N{MANY:05d}")
    assert (page.items, page.next, page.total) == ((), None, MANY)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("%", [100]),
        ("100%", [100]),
        ("_", [100]),
        ("solar_", [100]),
        ("solar", [100, 200]),
        ("a/b", [100]),
        ("/", [100]),
        ("c\\d", [200]),
        ("'", [300]),
        ("[x]", [300]),
        ("toko", [300, 400]),
        ("TOKO", [300, 400]),
        ("  melati  ", [400]),
        ("n00007", [7]),
        ("N0000", list(range(1, 10))),
        ("nobody", []),
        ("%%", []),
    ],
)
def test_search_looks_for_the_very_text_in_serial_customer_and_site(listed, search, found):
    page = listed(search=search)
    assert serials(page) == [f"N{number:05d}" for number in found]
    assert (page.total, page.next) == (len(found), None)


def test_a_search_has_pages_as_well(listed):
    first = listed(search="N001", limit=60)
    second = listed(search="N001", limit=60, after=first.next)
    assert serials(first) + serials(second) == [f"N00{number}" for number in range(100, 200)]
    assert (first.total, second.total, second.next) == (100, 100, None)


def test_an_empty_search_is_no_search(listed):
    assert listed(search="   ").total == MANY


def test_a_line_shows_what_the_shadow_says(engine):
    onboard(engine, 2)
    write(engine, Changes(states=[state(1)]))
    with engine.connect() as connection:
        first, second = meters.list_meters(connection, 1).items
    assert (first.switch_state, first.p_w, first.last_heard_us) == (1, -230, state().last_heard_us)
    assert (second.switch_state, second.p_w, second.last_heard_us, second.import_wh) == (None, None, None, None)
    assert first.ct_ratio == (1, 1)


# -- what is missing

NOW_US = (START_S + 2 * DAY_S) * US_PER_S
EXPECTED = expected_to(900, 3_600, NOW_US) - START_S // 900


def missing(engine, now_us=NOW_US):
    with engine.connect() as connection:
        return meters.missing_of(connection, [1, 2, 99], now_us)


def test_of_a_meter_that_never_reported_all_is_missing(engine):
    onboard(engine, 2)
    assert missing(engine) == {1: EXPECTED, 2: EXPECTED}
    assert missing(engine, START_S * US_PER_S) == {}


def test_what_is_there_or_not_expected_yet_is_not_missing(engine):
    onboard(engine, 2)
    first = START_S // 900
    days = [load_day([1] * 10), load_day([1] * 96, day=DAY + 1), load_day([1] * 96, meter_id=2)]
    days += [load_day([0] * 96, meter_id=2, day=DAY + 1, quality=Quality.LINEAR), load_day([1] * 96, channel=Channel.EXPORT)]
    write(engine, Changes(load_days=days, states=[MeterState(1, complete_to=first + 10), MeterState(2, complete_to=first)]))
    assert missing(engine) == {1: 86}


def test_only_the_last_weeks_are_counted(engine):
    onboard(engine, 1)
    late_us = NOW_US + 400 * DAY_S * US_PER_S
    assert missing(engine, late_us) == {1: MISSING_SPAN_S // 900}


def test_a_day_of_another_period_counts_as_missing(engine):
    onboard(engine, 1)
    write(engine, Changes(load_days=[load_day([1] * 24, period_s=3_600)]))
    assert missing(engine) == {1: EXPECTED}
