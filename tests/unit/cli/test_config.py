"""`nyala config`: wanted, shown, and the list of what is not in step, where no centre runs."""

import json
from dataclasses import replace

import pytest

from nyala.headend.ports import Changes
from nyala.store import config_orders, groups_of_meters, meters
from nyala.store.engine import open_engine, upgrade
from nyala.store.groups_of_meters import Group
from nyala.store.lock import CentreLock
from nyala.vocab.settings import Setting, SettingBlock, short_check
from tests.unit.store.filled import new_meter, write

BILLING, CALENDAR = '{"kind": "billing", "day": 1}', '{"kind": "calendar", "named": "pln-wbp-18"}'


@pytest.fixture
def store(tmp_path):
    engine = open_engine(str(tmp_path))
    upgrade(engine)
    tenant = meters.tenant_id(engine, "demo")
    meters.onboard(engine, tenant, [new_meter(1, site="A-1"), new_meter(2)])
    groups_of_meters.add_group(engine, Group(0, tenant, "all", fixed=False), [], by="ani", now_us=0)
    engine.dispose()
    return str(tmp_path)


def ordered(nyala, store, *said):
    return nyala("config", "set", *said, "--tenant", "demo", "--db", store)


def shown(nyala, store, serial="N00001"):
    told = json.loads(nyala("config", "show", serial, "--json", "--tenant", "demo", "--db", store).out)
    return {item["kind"]: item for item in told["items"]}, told["history"]


def test_a_setting_for_one_meter_is_wanted_and_shown_with_who_and_why(nyala, store):
    assert "order 1 for 1 meters is running" in ordered(nyala, store, BILLING, "--meter", "N00001", "--reason", "move").out
    items, history = shown(nyala, store)
    assert (items["billing"]["state"], items["billing"]["wanted"]["value"]) == ("sending", {"day": 1, "hour": 0})
    assert items["zone"]["state"] == "unmanaged"
    assert [(each["kind"], each["by"], each["reason"]) for each in history] == [("billing", "command line", "move")]
    said = nyala("config", "show", "N00001", "--tenant", "demo", "--db", store).out
    assert "version 1 wanted by command line; never reported" in said
    assert "zone       unmanaged  nothing is wanted" in said
    assert "order 1" in said


def test_a_file_for_a_group_or_a_site_waits_in_an_order_until_a_centre_runs(nyala, store, tmp_path):
    file = tmp_path / "settings.json"
    file.write_text(f"[{BILLING}, {CALENDAR}]", encoding="utf-8")
    assert "order 1 for 2 meters is running" in ordered(nyala, store, f"@{file}", "--group", "all").out
    assert "order 2 for 1 meters is running" in ordered(nyala, store, BILLING, "--site", "A-1").out
    limit = '{"kind": "limiter", "limits": [{"quantity": "power", "normal": 900}]}'
    assert "order 3 for 2 meters is awaiting" in ordered(nyala, store, limit, "--group", "all").out
    engine = open_engine(store)
    with engine.connect() as connection:
        assert [(order.id, len(order.members)) for order in config_orders.running(connection)] == [(1, 2), (2, 1), (3, 2)]
    engine.dispose()


def test_what_is_not_in_step_is_listed(nyala, store):
    assert "0 of 0 settings" in nyala("config", "drift", "--tenant", "demo", "--db", store).out
    for serial in ("N00001", "N00002"):
        ordered(nyala, store, BILLING, "--meter", serial)
    engine = open_engine(store)
    with engine.connect() as connection:
        state = meters.state_of_meter(connection, 1)
    assert state is not None
    shadow = state.config[Setting.BILLING]
    check = short_check(Setting.BILLING, SettingBlock(1, shadow.wanted))
    state.config[Setting.BILLING] = replace(shadow, reported_version=1, reported_check=check, reported_us=1)
    write(engine, Changes(states=[state]))
    engine.dispose()
    told = json.loads(nyala("config", "drift", "--json", "--tenant", "demo", "--db", store).out)
    assert (told["settings"], told["in_step"]) == (2, 1)
    assert [(each["serial"], each["state"]) for each in told["items"]] == [("N00002", "sending")]
    said = nyala("config", "drift", "--tenant", "demo", "--db", store).out
    assert "1 of 2 settings are in step" in said
    assert "N00002" in said


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ((BILLING, "--meter", "N00009"), "unknown meter: N00009"),
        ((BILLING, "--group", "none"), "unknown group: none"),
        ((BILLING,), "say --meter, --group or --site"),
        (('{"kind": "billing", "day": 29}', "--meter", "N00001"), "billing day 29"),
        (('{"kind": "billing"}', "--meter", "N00001"), "billing.day: Field required"),
        ((BILLING, BILLING, "--meter", "N00001"), "ordered twice"),
        (("{", "--meter", "N00001"), "setting {:"),
        (("@nowhere.json", "--meter", "N00001"), "nowhere.json"),
    ],
)
def test_what_is_not_right_is_said_in_one_line_and_stored_nowhere(nyala, store, said, words):
    run = ordered(nyala, store, *said)
    assert run.code == 2
    assert words in run.err
    assert shown(nyala, store)[1] == []


def test_where_a_centre_runs_nothing_is_changed_here(nyala, store):
    engine = open_engine(store)
    with CentreLock(engine):
        assert ordered(nyala, store, BILLING, "--group", "all").code == 2
    engine.dispose()
    assert shown(nyala, store)[1] == []
