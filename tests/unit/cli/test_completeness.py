"""`nyala completeness` and `nyala meters place`."""

import csv
import json

import pytest

from nyala.headend.ports import Changes
from nyala.store import meters, places
from nyala.store.engine import open_engine, upgrade
from nyala.vocab.time import day_text
from tests.unit.store.filled import DAY, load_day, new_meter, write

SPAN = ("--from", day_text(DAY), "--to", day_text(DAY))


@pytest.fixture
def store(tmp_path):
    engine = open_engine(str(tmp_path))
    upgrade(engine)
    meters.onboard(engine, meters.tenant_id(engine, "demo"), [new_meter(1, site="Kota"), new_meter(2, site="Monas")])
    write(engine, Changes(load_days=[load_day([5] * 90), load_day([5] * 96, meter_id=2)]))
    engine.dispose()
    return str(tmp_path)


def test_a_table_as_csv_the_worst_first(nyala, store):
    run = nyala("completeness", *SPAN, "--db", store)
    assert run.code == 0
    assert list(csv.reader(run.out.splitlines())) == [
        ["site", "meters", "silent", "day", "expected", "received", "estimated", "missing"],
        ["Kota", "1", "0", day_text(DAY), "96", "90", "0", "6"],
        ["Monas", "1", "0", day_text(DAY), "96", "96", "0", "0"],
    ]


def test_one_line_opens_into_meters(nyala, store):
    run = nyala("completeness", "--by", "meter", "--within", "site=Kota", *SPAN, "--db", store, "--json")
    said = json.loads(run.out)
    assert (said["total"], said["days"]) == (1, [day_text(DAY)])
    assert said["lines"][0] == {
        "name": "N00001",
        "meters": 1,
        "silent": 0,
        "missing": 6,
        "expected": [96],
        "received": [90],
        "estimated": [0],
    }


@pytest.mark.parametrize("said", [("--by", "street"), ("--within", "street=Kota")])
def test_another_kind_of_line_is_refused(nyala, store, said):
    run = nyala("completeness", *said, *SPAN, "--db", store)
    assert (run.code, "street" in run.err) == (2, True)


def test_a_site_is_put_on_the_map(nyala, store):
    run = nyala("meters", "place", "Kota", "--lat", "-6.137645", "--lon", "106.814214", "--db", store)
    assert (run.code, run.out) == (0, "Kota is at -6.137645, 106.814214\n")
    engine = open_engine(store)
    with engine.connect() as connection:
        assert [line.place is not None for line in places.sites_of(connection, 1)] == [True, False]
    engine.dispose()


@pytest.mark.parametrize(("site", "lat"), [("Nowhere", "0"), ("Kota", "north"), ("Kota", "91")])
def test_what_is_no_site_or_no_place_is_refused(nyala, store, site, lat):
    assert nyala("meters", "place", site, "--lat", lat, "--lon", "0", "--db", store).code == 2
