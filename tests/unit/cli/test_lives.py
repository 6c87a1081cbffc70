"""`nyala meters`: replacing a meter and activating one, where no centre runs."""

import pytest

from nyala.headend.lifecycle import Life
from nyala.store import lifecycle, meters
from nyala.store.engine import open_engine, upgrade
from nyala.vocab.time import iso
from tests.unit.store.filled import START_S, new_meter

AT_S = START_S + 9_000
FINAL = ("--final", "import_wh=10", "--final", "export_wh=0")
START = ("--start", "import_wh=3", "--start", "export_wh=0")


@pytest.fixture
def store(tmp_path):
    engine = open_engine(str(tmp_path))
    upgrade(engine)
    tenant = meters.tenant_id(engine, "t")
    meters.onboard(engine, tenant, [new_meter(1, customer="Ibu Sri", site="A-1"), new_meter(2, life=Life.COMMISSIONING)])
    engine.dispose()
    return str(tmp_path)


def lives(store):
    engine = open_engine(store)
    with engine.connect() as connection:
        found = {r.serial: lifecycle.life_of(connection, r.id).state for r in meters.load_records(connection)}
        records = {r.serial: r for r in meters.load_records(connection)}
    engine.dispose()
    return found, records


def replaced(nyala, store, *more, at=AT_S):
    said = ("--at", iso(at), *FINAL, *START, "--reason", "broken", "--db", store)
    return nyala("meters", "replace", "N00001", "N00002", *said, *more)


def test_a_meter_takes_the_place_of_another_one(nyala, store):
    assert replaced(nyala, store).code == 0
    states, records = lives(store)
    assert states == {"N00001": Life.REPLACED, "N00002": Life.ACTIVE}
    assert (records["N00002"].customer, records["N00002"].installed_s) == ("Ibu Sri", AT_S)


def test_an_instant_inside_an_interval_changes_nothing(nyala, store):
    run = replaced(nyala, store, at=AT_S + 1)
    assert run.code == 2
    assert "inside an interval" in run.err
    assert lives(store)[0] == {"N00001": Life.ACTIVE, "N00002": Life.COMMISSIONING}


def test_a_register_is_written_name_equals_wh(nyala, store):
    run = replaced(nyala, store, "--final", "import_wh")
    assert (run.code, "import_wh=1234" in run.err) == (2, True)


def test_a_meter_is_activated_once(nyala, store):
    said = ("meters", "activate", "N00002", "--reason", "tested", "--db", store)
    assert nyala(*said).code == 0
    assert lives(store)[0]["N00002"] is Life.ACTIVE
    assert nyala(*said).code == 2
