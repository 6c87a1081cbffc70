"""Command campaigns over the API: once per key, two people for a disconnection, and one order per meter over restarts."""

import pytest

from nyala.store import commands
from tests.unit.api.estate import CT_METER, OUR_GROUP, OURS, SILENT, THEIR_GROUP, THEIRS, is_problem, opened


def order(estate, kind="read", who="operator", *, key="key-0001", group=OUR_GROUP, **said):
    body = {"group": group, "kind": kind, "reason": "audit"} | said
    return estate.ask("POST", "campaigns", who, json=body, headers={"Idempotency-Key": key})


def say(estate, campaign, event, who):
    return estate.ask("POST", f"campaigns/{campaign}/{event}", who, json={"reason": "so"})


def group_of(estate, *meters, **said):
    made = estate.ask("POST", "groups", "operator", json={"name": "some", "meters": list(meters)} | said)
    assert made.status_code == 201, made.text
    return made.json()["id"]


def settle(estate):
    """The ingest has worked off what is due."""
    estate.client.portal.call(estate.running.ingest.stored)


def of_bulk(estate, campaign):
    with estate.engine.connect() as connection:
        found = [c for meter in (OURS, CT_METER, SILENT) for c in commands.commands_of(connection, meter)]
    return [c for c in found if c.key is not None and c.key.startswith(f"bulk:{campaign}:")]


def test_the_same_key_orders_once(estate):
    first, again = order(estate), order(estate)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    settle(estate)
    assert len(of_bulk(estate, first.json()["id"])) == 1
    is_problem(order(estate, "demand_reset"), 409, "conflict")


def test_a_disconnection_orders_nothing_until_another_person_approves(estate):
    made = order(estate, "switch_open").json()
    assert made["state"] == "awaiting"
    is_problem(say(estate, made["id"], "approve", "operator"), 409, "not-allowed")
    settle(estate)
    assert of_bulk(estate, made["id"]) == []
    is_problem(say(estate, made["id"], "approve", "viewer"), 403, "may-not")
    is_problem(say(estate, made["id"], "approve", "neighbour"), 404, "unknown")
    done = say(estate, made["id"], "approve", "admin").json()
    assert (done["state"], done["approved_by"]) == ("running", "admin")
    settle(estate)
    assert [c.meter_id for c in of_bulk(estate, made["id"])] == [OURS]


def test_what_was_rejected_is_never_ordered(estate):
    made = order(estate, "switch_open").json()
    assert say(estate, made["id"], "reject", "admin").json()["state"] == "rejected"
    is_problem(say(estate, made["id"], "approve", "admin"), 409, "conflict")
    settle(estate)
    assert of_bulk(estate, made["id"]) == []


def test_a_campaign_is_paused_goes_on_and_is_ended(estate):
    made = order(estate, group=group_of(estate, OURS, SILENT), pace=1).json()
    for event, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert say(estate, made["id"], event, "operator").json()["state"] == state
    shown = estate.get(f"campaigns/{made['id']}")
    assert shown["counts"]["waiting"] == 0
    assert [step["state"] for step in shown["history"]] == ["running", "paused", "running", "cancelled"]


def test_a_campaign_goes_on_after_the_process_is_killed_and_orders_nobody_twice(estate):
    made = order(estate, group=group_of(estate, OURS, SILENT), pace=60).json()
    settle(estate)
    before = of_bulk(estate, made["id"])
    assert len(before) == 1
    folder = estate.engine.url.database.rsplit("/", 1)[0]
    with opened(folder) as again:
        again.now_us = estate.now_us
        settle(again)
        assert [c.id for c in of_bulk(again, made["id"])] == [before[0].id]
        again.later(2)
        settle(again)
        assert sorted(c.meter_id for c in of_bulk(again, made["id"])) == [OURS, SILENT]
        counts = again.get(f"campaigns/{made['id']}")["counts"]
        assert counts["ordered"] == 2
        items = again.get(f"campaigns/{made['id']}/meters?state=ordered")["items"]
        assert [item["serial"] for item in items] == ["N00001", "N00003"]


def test_a_meter_without_a_switch_fails_by_itself_and_says_why(estate):
    made = order(estate, "switch_close", group=group_of(estate, CT_METER)).json()
    settle(estate)
    [item] = estate.get(f"campaigns/{made['id']}/meters")["items"]
    assert (item["state"], "no supply switch" in item["text"]) == ("failed", True)
    assert estate.get(f"campaigns/{made['id']}")["state"] == "done"


def test_a_filter_chooses_the_meters_that_fit_when_it_is_used(estate):
    wanted = estate.ask("POST", "groups", "operator", json={"name": "A-1", "site": "A-1"}).json()
    assert (wanted["fixed"], wanted["meters"]) == (False, 2)
    assert order(estate, group=wanted["id"]).json()["meters"] == 2


@pytest.mark.parametrize("meter", [THEIRS, 999])
def test_a_group_holds_no_meter_of_a_neighbour(estate, meter):
    body = {"name": "mixed", "meters": [OURS, meter]}
    is_problem(estate.ask("POST", "groups", "operator", json=body), 404, "unknown")
    assert [group["name"] for group in estate.get("groups")["items"]] == ["all"]


def test_a_campaign_of_a_neighbours_group_is_refused(estate):
    is_problem(order(estate, group=THEIR_GROUP), 404, "unknown")


def test_who_may_not_switch_orders_no_campaign_of_switching(estate, monkeypatch):
    from nyala.api.permissions import ROLES, Permission

    monkeypatch.setitem(ROLES, "operator", ROLES["operator"] - {Permission.SWITCH})
    is_problem(order(estate, "switch_close"), 403, "may-not")


def look(estate, what="campaigns", **said):
    return estate.ask("POST", f"{what}/look", "operator", json=said)


def test_a_campaign_is_said_of_a_site_or_of_listed_meters_and_is_looked_at_before(estate):
    assert look(estate, kind="switch_open", site="A-1").json() == {"meters": 2, "unable": 0, "needs_approval": True}
    listed = {"meters": [OURS, CT_METER], "group": None}
    assert look(estate, kind="switch_close", **listed).json() == {"meters": 2, "unable": 1, "needs_approval": False}
    assert look(estate, kind="read", **listed).json()["unable"] == 0
    assert look(estate, kind="read", site="nowhere").json()["meters"] == 0
    made = order(estate, **listed).json()
    assert (made["name"], made["meters"], made["moves"]) == ("N00001 + 1", 2, ["pause", "cancel"])
    assert order(estate, key="key-0002", group=None, site="A-1").json()["name"] == "A-1"
    assert len(estate.get("campaigns")["items"]) == 3


def test_who_saw_another_number_of_meters_orders_nothing(estate):
    detail = is_problem(order(estate, expected=2), 409, "conflict")["detail"]
    assert detail == "2 meters were seen, 1 are there now: look again"
    assert order(estate, expected=1).status_code == 201


@pytest.mark.parametrize("said", [{}, {"group": 1, "site": "A-1"}, {"site": "A-1", "meters": [1]}])
def test_a_campaign_is_said_of_one_thing_only(estate, said):
    body = is_problem(look(estate, kind="read", **said), 422, "bad-argument")
    assert "say a group, a site or meters" in body["detail"]


@pytest.mark.parametrize("meter", [THEIRS, 999])
def test_a_list_with_a_meter_of_nobody_or_a_neighbour_is_refused(estate, meter):
    is_problem(look(estate, kind="read", meters=[OURS, meter]), 404, "unknown")
    is_problem(order(estate, group=None, meters=[OURS, meter]), 404, "unknown")


def test_a_member_says_what_became_of_its_command(estate):
    made = order(estate).json()
    settle(estate)
    estate.later(3_700)
    estate.running.ingest.nudge()
    settle(estate)
    [item] = estate.get(f"campaigns/{made['id']}/meters")["items"]
    assert (item["serial"], item["text"]) == ("N00001", "its time is over")


def test_a_pasted_list_is_looked_at_and_says_which_serial_numbers_nobody_has(estate):
    pasted = {"name": "row", "serials": ["N00003", "N00001", "N00003", "N00004", "X"]}
    assert look(estate, "groups", **pasted).json() == {"meters": 2, "unknown": ["N00004", "X"]}
    detail = is_problem(estate.ask("POST", "groups", "operator", json=pasted), 404, "unknown")["detail"]
    assert detail == "unknown meter: N00004"
    made = estate.ask("POST", "groups", "operator", json=pasted | {"serials": ["N00003", "N00001"]}).json()
    assert (made["fixed"], made["meters"]) == (True, 2)
    assert look(estate, "groups", name="by model", model="three-phase-ct").json() == {"meters": 1, "unknown": []}


def test_the_list_of_meters_shows_those_of_a_group(estate):
    group = group_of(estate, OURS, CT_METER)
    page = estate.get(f"meters?group={group}")
    assert ([item["serial"] for item in page["items"]], page["total"]) == (["N00001", "N00002"], 2)
    assert [item["serial"] for item in estate.get(f"meters?group={group}&search=Pabrik")["items"]] == ["N00002"]
    is_problem(estate.ask("GET", f"meters?group={THEIR_GROUP}"), 404, "unknown")
