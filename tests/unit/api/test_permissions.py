"""Every route asks for a permission, every role is held to it, and tenants are walls."""

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from nyala.api.application import PREFIX
from nyala.api.permissions import ROLES, Permission, permissions_of
from tests.unit.api.estate import (
    CT_METER,
    IMAGE,
    MONTH,
    OUR_ALARM,
    OUR_BILL,
    OUR_BLOCK,
    OUR_CAMPAIGN,
    OUR_COMMAND,
    OUR_CONFIG,
    OUR_GROUP,
    OUR_INCIDENT,
    OUR_MESSAGE,
    OUR_READ,
    OUR_TARGET,
    OURS,
    THEIR_ALARM,
    THEIR_BILL,
    THEIR_BLOCK,
    THEIR_CAMPAIGN,
    THEIR_COMMAND,
    THEIR_CONFIG,
    THEIR_INCIDENT,
    THEIR_MESSAGE,
    THEIR_READ,
    THEIR_TARGET,
    THEIRS,
    is_problem,
)

PROFILE = "from=2025-10-01T00:00:00Z&to=2025-10-02T00:00:00Z"
KEY = {"Idempotency-Key": "key-0001"}
ZONE = {"settings": [{"kind": "zone", "offset": "+07:00"}]}
EXCHANGE = {
    "new_meter_id": CT_METER,
    "at_s": 1_760_000_400,
    "final": {"import_wh": 5, "export_wh": 0},
    "start": {"import_wh": 0, "export_wh": 0},
    "reason": "broken",
}
READ = {"name": "night", "quantities": ["p_w"], "rhythm": "daily 06:30", "meter": OURS}
ASKED: dict[tuple[str, str], tuple[Permission, str, object]] = {
    ("GET", "/fleet"): (Permission.READ_FLEET, "", None),
    ("GET", "/gateways"): (Permission.READ_FLEET, "", None),
    ("GET", "/completeness"): (Permission.READ_FLEET, "from=2025-10-01&to=2025-10-02", None),
    ("GET", "/meters/{meter_id}/health"): (Permission.READ_METERS, "", None),
    ("GET", "/clocks"): (Permission.READ_METERS, "", None),
    ("GET", "/sites"): (Permission.READ_FLEET, "", None),
    ("PUT", "/sites/place"): (Permission.MANAGE_METERS, "", {"site": "A-1", "lat": -6.175, "lon": 106.827}),
    ("GET", "/live"): (Permission.READ_FLEET, "", None),
    ("GET", "/meters"): (Permission.READ_METERS, "", None),
    ("GET", "/meters/{meter_id}"): (Permission.READ_METERS, "", None),
    ("GET", "/meters/{meter_id}/face"): (Permission.READ_METERS, "", None),
    ("GET", "/meters/{meter_id}/profile"): (Permission.READ_METERS, PROFILE, None),
    ("GET", "/meters/{meter_id}/events"): (Permission.READ_METERS, "", None),
    ("GET", "/meters/{meter_id}/lorawan"): (Permission.READ_METERS, "", None),
    ("POST", "/meters/{meter_id}/lorawan/readmit"): (Permission.READMIT, "", None),
    ("GET", "/meters/{meter_id}/configuration"): (Permission.READ_METERS, "", None),
    ("PUT", "/meters/{meter_id}/configuration"): (Permission.CONFIGURE, "", ZONE),
    ("GET", "/meters/{meter_id}/configuration/history"): (Permission.READ_METERS, "", None),
    ("POST", "/meters/{meter_id}/configuration/{kind}/accept"): (Permission.CONFIGURE, "", {}),
    ("GET", "/configuration"): (Permission.READ_METERS, "", None),
    ("GET", "/configuration/choices"): (Permission.READ_METERS, "", None),
    ("GET", "/configuration/meters"): (Permission.READ_METERS, "state=drift", None),
    ("POST", "/configuration/look"): (Permission.CONFIGURE, "", {"meters": [OURS], **ZONE}),
    ("GET", "/configurations"): (Permission.READ_METERS, "", None),
    ("POST", "/configurations"): (Permission.CONFIGURE, "", {"meters": [OURS], "reason": "move", **ZONE}),
    ("GET", "/configurations/{configuration_id}"): (Permission.READ_METERS, "", None),
    ("GET", "/configurations/{configuration_id}/meters"): (Permission.READ_METERS, "", None),
    ("POST", "/configurations/{configuration_id}/approve"): (Permission.APPROVE, "", {}),
    ("POST", "/configurations/{configuration_id}/reject"): (Permission.APPROVE, "", {}),
    ("POST", "/configurations/{configuration_id}/pause"): (Permission.CONFIGURE, "", {}),
    ("POST", "/configurations/{configuration_id}/resume"): (Permission.CONFIGURE, "", {}),
    ("POST", "/configurations/{configuration_id}/cancel"): (Permission.CONFIGURE, "", {}),
    ("GET", "/meters/{meter_id}/commands"): (Permission.READ_COMMANDS, "", None),
    ("POST", "/meters/{meter_id}/commands"): (Permission.READ_NOW, "", {"kind": "read"}),
    ("GET", "/commands/{command_id}"): (Permission.READ_COMMANDS, "", None),
    ("POST", "/commands/{command_id}/cancel"): (Permission.SWITCH, "", None),
    ("GET", "/models"): (Permission.READ_METERS, "", None),
    ("GET", "/models/{name}/datasheet"): (Permission.READ_METERS, "", None),
    ("GET", "/alarms"): (Permission.READ_ALARMS, "state=all", None),
    ("POST", "/alarms/{alarm_id}/acknowledge"): (Permission.ACKNOWLEDGE, "", {"note": "seen"}),
    ("GET", "/incidents"): (Permission.READ_ALARMS, "ended=true", None),
    ("GET", "/incidents/{incident_id}"): (Permission.READ_ALARMS, "", None),
    ("GET", "/targets"): (Permission.READ_NOTIFICATIONS, "", None),
    ("POST", "/targets"): (Permission.MANAGE_NOTIFICATIONS, "", {"name": "b", "kind": "email", "address": "b@utility.example"}),
    ("POST", "/targets/{target_id}/test"): (Permission.MANAGE_NOTIFICATIONS, "", None),
    ("DELETE", "/targets/{target_id}"): (Permission.MANAGE_NOTIFICATIONS, "", None),
    ("GET", "/messages"): (Permission.READ_NOTIFICATIONS, "state=dead", None),
    ("POST", "/messages/{message_id}/resend"): (Permission.RESEND, "", None),
    ("GET", "/meters/{meter_id}/life"): (Permission.READ_METERS, "", None),
    ("POST", "/meters/{meter_id}/life"): (Permission.MANAGE_METERS, "", {"event": "resume", "reason": "back"}),
    ("POST", "/meters/{meter_id}/exchange"): (Permission.MANAGE_METERS, "", EXCHANGE),
    ("POST", "/meters/{meter_id}/exchange/look"): (
        Permission.MANAGE_METERS,
        "",
        {"new_serial": "N00002", "at_s": 1_760_000_400},
    ),
    ("POST", "/meters/import"): (Permission.MANAGE_METERS, "", {"text": "serial,model,dev_eui,join_eui,app_key"}),
    ("GET", "/groups"): (Permission.READ_METERS, "", None),
    ("POST", "/groups"): (Permission.MANAGE_METERS, "", {"name": "site A", "site": "A-1"}),
    ("POST", "/groups/look"): (Permission.MANAGE_METERS, "", {"name": "site A", "site": "A-1"}),
    ("GET", "/templates"): (Permission.READ_METERS, "", None),
    ("POST", "/templates"): (Permission.MANAGE_METERS, "", {"name": "flat"}),
    ("GET", "/campaigns"): (Permission.READ_COMMANDS, "", None),
    ("POST", "/campaigns"): (Permission.ORDER_MANY, "", {"group": OUR_GROUP, "kind": "read", "reason": "audit"}),
    ("POST", "/campaigns/look"): (Permission.ORDER_MANY, "", {"group": OUR_GROUP, "kind": "read"}),
    ("GET", "/campaigns/{campaign_id}"): (Permission.READ_COMMANDS, "", None),
    ("GET", "/campaigns/{campaign_id}/meters"): (Permission.READ_COMMANDS, "", None),
    ("POST", "/campaigns/{campaign_id}/approve"): (Permission.APPROVE, "", {}),
    ("POST", "/campaigns/{campaign_id}/reject"): (Permission.APPROVE, "", {}),
    ("POST", "/campaigns/{campaign_id}/pause"): (Permission.ORDER_MANY, "", {}),
    ("POST", "/campaigns/{campaign_id}/resume"): (Permission.ORDER_MANY, "", {}),
    ("POST", "/campaigns/{campaign_id}/cancel"): (Permission.ORDER_MANY, "", {}),
    ("GET", "/blocks"): (Permission.READ_COMMANDS, "", None),
    ("POST", "/blocks/firmware"): (Permission.SEND_BLOCKS, "", {"meters": [OURS], "image": IMAGE, "reason": "repair"}),
    ("POST", "/blocks/table"): (
        Permission.SEND_BLOCKS,
        "",
        {"meters": [OURS], "setting": ZONE["settings"][0], "reason": "law"},
    ),
    ("GET", "/blocks/{block_id}"): (Permission.READ_COMMANDS, "", None),
    ("GET", "/blocks/{block_id}/meters"): (Permission.READ_COMMANDS, "", None),
    ("POST", "/blocks/{block_id}/approve"): (Permission.APPROVE, "", None),
    ("POST", "/blocks/{block_id}/reject"): (Permission.APPROVE, "", None),
    ("POST", "/blocks/{block_id}/cancel"): (Permission.SEND_BLOCKS, "", None),
    ("GET", "/reads"): (Permission.READ_COMMANDS, "", None),
    ("POST", "/reads"): (Permission.ORDER_MANY, "", READ),
    ("GET", "/reads/{read_id}"): (Permission.READ_COMMANDS, "", None),
    ("GET", "/reads/{read_id}/values"): (Permission.READ_COMMANDS, "", None),
    ("POST", "/reads/{read_id}/run"): (Permission.ORDER_MANY, "", None),
    ("DELETE", "/reads/{read_id}"): (Permission.ORDER_MANY, "", None),
    ("GET", "/bills/months"): (Permission.READ_BILLS, "", None),
    ("GET", "/bills"): (Permission.READ_BILLS, f"month={MONTH}", None),
    ("GET", "/bills/{bill_id}"): (Permission.READ_BILLS, "", None),
    ("GET", "/bills/{bill_id}/lines/{line}/intervals"): (Permission.READ_BILLS, "", None),
    ("POST", "/bills/run"): (Permission.RUN_BILLS, "", {"month": MONTH}),
}
"""Every route that asks for a permission, with a question and a body that are right."""
ONLY_LOGGED_IN = {("GET", "/session"), ("DELETE", "/session"), ("GET", "/catalogue")}
OPEN = {("POST", f"{PREFIX}/session"), ("GET", "/health"), ("GET", "/metrics"), ("GET", "/{path:path}"), ("GET", "/")}
"""Logging in, the process's own state, and the portal's files: nothing of a tenant."""
ENDLESS = ("GET", "/live")
SHARED = {"{line}": 0, "{name}": "three-phase"}
OURS_IDS = {"{meter_id}": OURS, "{command_id}": OUR_COMMAND, "{alarm_id}": OUR_ALARM, "{bill_id}": OUR_BILL} | SHARED
THEIR_IDS = {"{meter_id}": THEIRS, "{command_id}": THEIR_COMMAND, "{alarm_id}": THEIR_ALARM, "{bill_id}": THEIR_BILL} | SHARED
OURS_IDS |= {"{incident_id}": OUR_INCIDENT, "{target_id}": OUR_TARGET, "{message_id}": OUR_MESSAGE}
OURS_IDS |= {"{configuration_id}": OUR_CONFIG, "{kind}": "zone"}
THEIR_IDS |= {"{configuration_id}": THEIR_CONFIG, "{kind}": "zone"}
OURS_IDS |= {"{campaign_id}": OUR_CAMPAIGN, "{read_id}": OUR_READ, "{block_id}": OUR_BLOCK}
THEIR_IDS |= {"{campaign_id}": THEIR_CAMPAIGN, "{read_id}": THEIR_READ, "{block_id}": THEIR_BLOCK}
THEIR_IDS |= {"{incident_id}": THEIR_INCIDENT, "{target_id}": THEIR_TARGET, "{message_id}": THEIR_MESSAGE}


def routes(app: FastAPI) -> dict[tuple[str, str], list[object]]:
    """(method, path) -> the dependencies of every API route."""
    found: dict[tuple[str, str], list[object]] = {}
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        if dependant is None:
            continue
        calls, new = [], [dependant]
        while new:
            each = new.pop()
            calls.append(each.call)
            new += each.dependencies
        for method in route.methods or ():
            found[method, str(route.path)] = calls
    return found


def permission_of(calls: list[object]) -> Permission | None:
    found = {call.permission for call in calls if hasattr(call, "permission")}
    assert len(found) <= 1
    return next(iter(found), None)


def ask(estate, route, who, ids=OURS_IDS):
    method, path = route
    _, query, body = ASKED[route]
    for name, value in ids.items():
        path = path.replace(name, str(value))
    return estate.ask(method, f"{path[1:]}?{query}", who, json=body, headers=KEY)


def names(route):
    return f"{route[0]} {route[1]}"


def test_every_route_asks_for_a_permission_or_stands_in_the_list_of_those_that_do_not(readonly):
    without = {route for route, calls in routes(readonly.app).items() if permission_of(calls) is None}
    assert without - OPEN == {(method, PREFIX + path) for method, path in ONLY_LOGGED_IN}


def test_the_table_of_these_tests_is_that_of_the_application(readonly):
    asked = {route: permission_of(calls) for route, calls in routes(readonly.app).items()}
    expected = {(method, PREFIX + path): permission for (method, path), (permission, *_) in ASKED.items()}
    assert {route: permission for route, permission in asked.items() if permission is not None} == expected


def test_every_permission_is_given_to_a_role_and_asked_for():
    assert set().union(*ROLES.values()) == set(Permission)
    of_kinds = {Permission.SWITCH, Permission.RESET_DEMAND}  # asked for by the kind of a command, not by its route
    assert {permission for permission, *_ in ASKED.values()} | of_kinds == set(Permission)
    assert ROLES["admin"] == set(Permission)


@pytest.mark.parametrize("route", ASKED, ids=names)
def test_without_a_login_nothing_is_answered(readonly, route):
    assert is_problem(ask(readonly, route, None), 401, "not-logged-in")["detail"] == "log in first"


@pytest.mark.parametrize("route", sorted(ONLY_LOGGED_IN), ids=names)
def test_without_a_login_there_is_no_session_and_no_catalogue(readonly, route):
    is_problem(readonly.ask(route[0], route[1][1:], None), 401, "not-logged-in")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", [route for route in ASKED if route != ENDLESS], ids=names)
def test_a_role_may_what_its_permissions_say_and_no_more(readonly, route, role):
    response = ask(readonly, route, role)
    permission = ASKED[route][0]
    if permission in permissions_of(role):
        assert response.status_code not in {401, 403, 404, 422}
    else:
        detail = is_problem(response, 403, "may-not")["detail"]
        assert detail == f"role {role} lacks the permission {permission}"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", ["switch_open", "switch_close"])
def test_who_may_only_read_may_not_switch(readonly, role, kind):
    response = readonly.order(CT_METER, kind, role, key=f"{kind}-{role}")
    may = Permission.SWITCH in permissions_of(role)
    is_problem(response, *((409, "not-allowed") if may else (403, "may-not")))


def test_a_role_that_may_read_now_may_not_switch_by_that(estate, monkeypatch):
    monkeypatch.setitem(ROLES, "viewer", ROLES["viewer"] | {Permission.READ_NOW})
    assert estate.order(OURS, "read", "viewer").status_code == 201
    is_problem(estate.order(OURS, "switch_open", "viewer", key="key-0002"), 403, "may-not")
    assert len(estate.get(f"meters/{OURS}/commands")["items"]) == 2


@pytest.mark.parametrize("route", [route for route in ASKED if "_id}" in route[1]], ids=names)
def test_what_belongs_to_a_neighbour_is_not_there(readonly, route):
    kind = route[1].split("/")[1].rstrip("s")
    wanted = THEIR_IDS[f"{{{kind}_id}}"]
    assert is_problem(ask(readonly, route, "admin", THEIR_IDS), 404, "unknown")["detail"] == f"unknown {kind}: {wanted}"
    assert ask(readonly, route, "neighbour", THEIR_IDS).status_code not in {403, 404}
    is_problem(ask(readonly, route, "neighbour", OURS_IDS), 404, "unknown")


@pytest.mark.parametrize("route", [route for route in ASKED if "{" in route[1]], ids=names)
def test_what_nobody_has_is_not_there_in_the_same_words(readonly, route):
    nobody = dict.fromkeys(THEIR_IDS, 999)
    body = is_problem(ask(readonly, route, "admin", nobody), 404, "unknown")
    assert body["detail"].endswith(": 999")


def test_lists_show_only_what_is_ones_own(readonly):
    assert [meter["id"] for meter in readonly.get("meters")["items"]] == [1, 2, 3]
    assert [meter["id"] for meter in readonly.get("meters", "neighbour")["items"]] == [4]
    assert readonly.get("meters?search=N00004")["total"] == 0
    assert [alarm["id"] for alarm in readonly.get("alarms?state=all")["items"]] == [OUR_ALARM]
    assert [alarm["id"] for alarm in readonly.get("alarms?state=all", "neighbour")["items"]] == [THEIR_ALARM]
    is_problem(readonly.ask("GET", f"alarms?meter={THEIRS}"), 404, "unknown")
    assert [bill["id"] for bill in readonly.get(f"bills?month={MONTH}")["items"]] == [OUR_BILL]
    assert [bill["id"] for bill in readonly.get(f"bills?month={MONTH}", "neighbour")["items"]] == [THEIR_BILL]
