"""`nyala reads`: planned, listed, run and removed where no centre runs."""

import json

import pytest

from nyala.store import groups_of_meters, meters, reads
from nyala.store.engine import open_engine, upgrade
from nyala.store.groups_of_meters import Group
from nyala.store.lock import CentreLock
from tests.unit.store.filled import new_meter

PLAN = ("--quantity", "p_w", "--quantity", "max_import_w", "--rhythm", "daily 06:30")


@pytest.fixture
def store(tmp_path):
    engine = open_engine(str(tmp_path))
    upgrade(engine)
    tenant = meters.tenant_id(engine, "demo")
    meters.onboard(engine, tenant, [new_meter(1), new_meter(2)])
    groups_of_meters.add_group(engine, Group(0, tenant, "all", fixed=False), [], by="ani", now_us=0)
    engine.dispose()
    return str(tmp_path)


def listed(nyala, store):
    return json.loads(nyala("reads", "list", "--json", "--tenant", "demo", "--db", store).out)["reads"]


def add(nyala, store, *said):
    return nyala("reads", "add", "night", *PLAN, *said, "--tenant", "demo", "--db", store)


def test_a_plan_for_a_group_and_one_for_a_meter_are_listed(nyala, store):
    assert "plan 1 'night' runs first at" in add(nyala, store, "--group", "all").out
    assert add(nyala, store, "--meter", "N00002").code == 0
    group, meter = listed(nyala, store)
    assert (group["group_id"], group["meter_id"], group["quantities"]) == (1, None, ["p_w", "max_import_w"])
    assert (meter["group_id"], meter["meter_id"], meter["run_s"]) == (None, 2, 0)
    assert "has not run" in nyala("reads", "list", "--tenant", "demo", "--db", store).out


def test_a_plan_is_run_and_removed_by_its_number(nyala, store):
    add(nyala, store, "--group", "all")
    before = listed(nyala, store)[0]["next_s"]
    assert nyala("reads", "run", "1", "--db", store).code == 0
    assert listed(nyala, store)[0]["next_s"] < before
    assert nyala("reads", "remove", "1", "--db", store).code == 0
    assert listed(nyala, store) == []
    assert nyala("reads", "remove", "1", "--db", store).code == 2


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (("--meter", "N00009"), "unknown meter: N00009"),
        (("--group", "none"), "unknown group: none"),
        ((), "a plan is for a meter or for a group"),
        (("--group", "all", "--spread-s", "-1"), "spread over"),
    ],
)
def test_what_is_not_right_is_said_in_one_line_and_stored_nowhere(nyala, store, said, words):
    run = add(nyala, store, *said)
    assert run.code == 2
    assert words in run.err
    assert listed(nyala, store) == []


def test_where_a_centre_runs_nothing_is_changed_here(nyala, store):
    engine = open_engine(store)
    with CentreLock(engine):
        assert add(nyala, store, "--group", "all").code == 2
    with engine.connect() as connection:
        assert reads.running(connection) == []
    engine.dispose()
