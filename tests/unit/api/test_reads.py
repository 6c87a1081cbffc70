"""Scheduled reads over HTTP, and reads now of any quantity: planned once, run, listed with what they brought, ended."""

import pytest

from nyala.headend.ports import Changes, RegisterRow
from nyala.vocab.quantities import quantity
from tests.unit.api.estate import NOW_S, OUR_GROUP, OUR_READ, OURS, THEIR_GROUP, THEIRS, is_problem
from tests.unit.store.filled import write

PLAN = {"name": "night", "quantities": ["p_w", "max_import_w"], "rhythm": "daily 06:30", "group": OUR_GROUP}


def plan(estate, key="key-0001", who="operator", **said):
    return estate.ask("POST", "reads", who, json=PLAN | said, headers={"Idempotency-Key": key})


def test_a_plan_is_stored_with_its_first_instant_and_its_key_makes_it_once(estate):
    made = plan(estate)
    assert made.status_code == 201
    body = made.json()
    assert (body["group"], body["meter"], body["run_s"], body["created_by"]) == (OUR_GROUP, None, None, "operator")
    assert body["next_s"] == NOW_S + 20 * 3_600 + 1_800  # 10:00 in Jakarta now
    assert plan(estate, name="again").json() == body
    assert [each["id"] for each in estate.get("reads")["items"]] == [OUR_READ, body["id"]]


def test_a_run_now_orders_a_read_of_each_meter(estate):
    made = plan(estate, meter=OURS, group=None, spread_s=0).json()
    ran = estate.ask("POST", f"reads/{made['id']}/run", "operator").json()
    assert (ran["run_s"], ran["next_s"]) == (NOW_S, made["next_s"])
    estate.running.headend.reads.poll((NOW_S + 2) * 1_000_000)
    [newest, *_] = estate.running.headend.tracker.open
    assert (newest.kind, newest.quantities, newest.meter_id) == ("scheduled_read", ("p_w", "max_import_w"), OURS)


def test_what_the_last_run_brought_is_listed_by_meter(estate):
    brought = [RegisterRow(OURS, quantity("p_w").code, at_s, value) for at_s, value in ((NOW_S - 10**9, 1), (2 * 10**9, 2))]
    before = estate.get(f"reads/{OUR_READ}")["run_s"]
    write(estate.engine, Changes(registers=[*brought, RegisterRow(OURS, quantity("p_w").code, before + 5, -230)]))
    page = estate.get(f"reads/{OUR_READ}/values")
    assert page["items"] == [{"meter_id": OURS, "serial": "N00001", "values": {"p_w": {"value": -230, "at_s": before + 5}}}]
    assert page["next"] is None


def test_a_plan_that_ended_is_listed_no_more_and_says_so(estate):
    assert estate.ask("DELETE", f"reads/{OUR_READ}", "operator").json()["ended_s"] == NOW_S
    assert estate.get("reads")["items"] == []
    assert estate.get(f"reads/{OUR_READ}")["ended_s"] == NOW_S
    for method, path in (("DELETE", f"reads/{OUR_READ}"), ("POST", f"reads/{OUR_READ}/run")):
        assert is_problem(estate.ask(method, path, "operator"), 409, "conflict")["detail"] == f"read {OUR_READ} has ended"


@pytest.mark.parametrize(
    ("said", "status", "kind"),
    [
        ({"rhythm": "hourly"}, 422, "bad-argument"),
        ({"quantities": ["warp_w"]}, 422, "bad-argument"),
        ({"meter": OURS}, 422, "bad-argument"),
        ({"zone": "Mars/Olympus"}, 404, "unknown"),
        ({"group": THEIR_GROUP}, 404, "unknown"),
        ({"group": None, "meter": THEIRS}, 404, "unknown"),
    ],
)
def test_a_plan_that_is_not_right_is_refused(estate, said, status, kind):
    is_problem(plan(estate, **said), status, kind)
    assert len(estate.get("reads")["items"]) == 1


# -- reads now


def test_any_quantity_of_the_catalogue_is_read_now(estate):
    order = {"kind": "read", "quantities": ["max_import_w", "import_wh_t2"]}
    body = estate.ask("POST", f"meters/{OURS}/commands", "operator", json=order, headers={"Idempotency-Key": "key-0009"}).json()
    assert body["quantities"] == ["max_import_w", "import_wh_t2"]


@pytest.mark.parametrize("order", [{"kind": "read", "quantities": ["warp_w"]}, {"kind": "switch_open", "quantities": ["p_w"]}])
def test_what_is_no_quantity_or_no_read_is_refused(estate, order):
    answer = estate.ask("POST", f"meters/{OURS}/commands", "operator", json=order, headers={"Idempotency-Key": "key-0009"})
    is_problem(answer, 422, "bad-argument")
