"""Ordering commands over HTTP: once for each key, only where it can be done, and stored before it is answered."""

import pytest

from nyala.api.permissions import ROLES
from nyala.api.routes.commands import KEY_MAX
from nyala.api.shapes.commands import REASON_MAX
from nyala.headend.commands import DEFAULT_LIFE_S, OPEN_MAX
from nyala.store import commands
from tests.unit.api.estate import CT_METER, NOW_S, OUR_COMMAND, OURS, SILENT, THEIRS, is_problem, opened


def stored(estate, number):
    with estate.engine.connect() as connection:
        return commands.command_by_id(connection, number)


def count(estate, meter):
    return len(estate.get(f"meters/{meter}/commands")["items"])


def test_an_order_is_answered_when_it_is_on_disk(estate):
    response = estate.order(SILENT, "switch_open", reason="unpaid")
    assert response.status_code == 201
    body = response.json()
    assert (body["meter_id"], body["kind"], body["state"], body["reason"]) == (SILENT, "switch_open", "queued", "unpaid")
    assert (body["created_by"], body["created_s"], body["expires_s"]) == ("operator", NOW_S, NOW_S + DEFAULT_LIFE_S)
    assert body["steps"] == [{"at_s": NOW_S, "state": "queued", "text": "ordered by operator: unpaid"}]
    row = stored(estate, body["id"])
    assert row is not None
    assert (row.kind, row.key) == ("switch_open", "1:key-0001")
    assert estate.get(f"commands/{body['id']}") == body


def test_a_meter_that_can_be_reached_is_sent_its_order(estate):
    body = estate.order(OURS, "read").json()
    assert [step["state"] for step in body["steps"]] == ["queued", "sent"]
    assert estate.running.radio.counts["tx_no_path"] >= 1


def test_commands_of_a_meter_are_listed_the_newest_first(estate):
    first, second = (estate.order(OURS, "read", key=f"key-000{n}").json()["id"] for n in (1, 2))
    listed = [command["id"] for command in estate.get(f"meters/{OURS}/commands")["items"]]
    assert listed == [second, first, OUR_COMMAND]
    assert [command["id"] for command in estate.get(f"meters/{OURS}/commands?limit=1")["items"]] == [second]


# -- once


def test_the_same_key_again_orders_nothing_and_answers_the_same(estate):
    first = estate.order(SILENT, "switch_open", reason="once")
    for _ in range(3):
        again = estate.order(SILENT, "switch_open", reason="again")
        assert (again.status_code, again.json()) == (201, first.json())
    assert count(estate, SILENT) == 1


def test_a_key_is_remembered_when_its_command_has_ended_and_the_server_was_started_again(template, tmp_path, estate):
    first = estate.order(SILENT, "switch_open").json()
    estate.ask("POST", f"commands/{first['id']}/cancel")
    assert estate.order(SILENT, "switch_open").json()["state"] == "cancelled"
    with opened(tmp_path / "store") as again:
        body = again.order(SILENT, "switch_open").json()
        assert (body["id"], body["state"]) == (first["id"], "cancelled")
        assert again.order(SILENT, "switch_open", key="key-0002").json()["id"] == first["id"] + 1


@pytest.mark.parametrize(("meter", "kind"), [(SILENT, "switch_close"), (SILENT, "read"), (OURS, "switch_open")])
def test_the_same_key_for_another_order_is_a_conflict(estate, meter, kind):
    estate.order(SILENT, "switch_open")
    detail = is_problem(estate.order(meter, kind), 409, "conflict")["detail"]
    assert detail == "this idempotency key was used for another order"
    assert count(estate, SILENT) == 1


def test_a_neighbours_key_is_another_key(estate):
    first = estate.order(SILENT, "read").json()
    other = estate.order(THEIRS, "read", "neighbour").json()
    assert (other["meter_id"], other["id"]) == (THEIRS, first["id"] + 1)


def test_another_key_is_another_order(estate):
    ids = [estate.order(SILENT, "read", key=f"key-000{n}").json()["id"] for n in (1, 2, 3)]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("key", [None, "", "short", "x" * (KEY_MAX + 1)])
def test_an_order_needs_a_key_of_some_length(estate, key):
    headers = {} if key is None else {"Idempotency-Key": key}
    response = estate.ask("POST", f"meters/{SILENT}/commands", json={"kind": "read"}, headers=headers)
    assert "idempotency-key" in is_problem(response, 422, "bad-argument")["detail"]


# -- what cannot be ordered


@pytest.mark.parametrize("kind", ["switch_open", "switch_close"])
def test_a_meter_with_current_transformers_has_no_switch(estate, kind):
    detail = is_problem(estate.order(CT_METER, kind), 409, "not-allowed")["detail"]
    assert detail == "meter N00002 (three-phase-ct) has no supply switch"
    assert count(estate, CT_METER) == 0
    assert estate.order(CT_METER, "read").status_code == 201


def test_a_second_switch_order_waits_for_the_first(estate):
    estate.order(SILENT, "switch_open")
    assert "is still queued" in is_problem(estate.order(SILENT, "switch_close", key="key-0002"), 409, "conflict")["detail"]


def test_a_meter_takes_so_many_orders_at_once(estate):
    for number in range(OPEN_MAX):
        assert estate.order(SILENT, "read", key=f"key-000{number}").status_code == 201
    assert "8 commands under way" in is_problem(estate.order(SILENT, "read", key="key-9999"), 409, "conflict")["detail"]


@pytest.mark.parametrize(
    "body", [{}, {"kind": "explode"}, {"kind": None}, {"kind": "read", "reason": "x" * (REASON_MAX + 1)}, [], "read"]
)
def test_an_order_of_another_form_is_refused(estate, body):
    response = estate.ask("POST", f"meters/{OURS}/commands", json=body, headers={"Idempotency-Key": "key-0001"})
    is_problem(response, 422, "bad-argument")
    assert count(estate, OURS) == 1


# -- taking back


def test_an_order_that_has_not_left_is_taken_back(estate):
    number = estate.order(SILENT, "switch_open").json()["id"]
    body = estate.ask("POST", f"commands/{number}/cancel", "admin").json()
    assert (body["state"], body["steps"][-1]["text"]) == ("cancelled", "cancelled by admin")
    row = stored(estate, number)
    assert row is not None
    assert row.state == "cancelled"
    assert estate.order(SILENT, "switch_close", key="key-0002").status_code == 201


class Sends:
    """A gateway that sends whatever it is given."""

    def transmit(self, _):
        return True


def test_an_order_that_has_left_is_not_taken_back(estate):
    estate.running.ingest.radio = Sends()
    estate.order(OURS, "read", key="key-0000")
    estate.later(10)  # after a start, confirmed downlinks wait for what was under way before
    number = estate.order(OURS, "switch_open").json()["id"]
    detail = is_problem(estate.ask("POST", f"commands/{number}/cancel"), 409, "conflict")["detail"]
    assert detail == f"command {number} is sent and cannot be taken back"


def test_an_order_that_has_ended_is_not_taken_back(estate):
    detail = is_problem(estate.ask("POST", f"commands/{OUR_COMMAND}/cancel"), 409, "conflict")["detail"]
    assert detail == f"command {OUR_COMMAND} has ended: verified"


def test_without_a_centre_nothing_is_ordered_but_all_is_read(template):
    with opened(template, centre=False) as estate:
        is_problem(estate.order(OURS, "read"), 503, "surroundings")
        is_problem(estate.ask("POST", f"commands/{OUR_COMMAND}/cancel"), 503, "surroundings")
        assert estate.get(f"commands/{OUR_COMMAND}")["state"] == "verified"
        assert estate.get("/health")["meters"] == 0
        assert estate.ask("GET", "/metrics", None).content == b""


@pytest.mark.parametrize("role", ROLES)
def test_everybody_may_look(readonly, role):
    assert readonly.get(f"commands/{OUR_COMMAND}", role)["state"] == "verified"
