"""Incidents, targets and messages over the API: shapes, filters, refusals, keys, the walls between tenants."""

import pytest

from nyala.store.notifications import Notifications
from nyala.vocab.centre_alarms import alarm_kinds
from tests.unit.api.estate import NOW_S, OUR_INCIDENT, OUR_MESSAGE, OUR_TARGET, OURS, SILENT, is_problem
from tests.unit.store.filled import START_S

HOOK = {"name": "dispatch", "kind": "webhook", "address": "https://hooks.example/nyala", "severities": ["high"]}


def keyed(key="key-0001"):
    return {"Idempotency-Key": key}


def add(estate, key="key-0001", who="admin", **said):
    return estate.ask("POST", "targets", who, json=HOOK | said, headers=keyed(key))


def test_an_incident_is_told_with_its_alarms(readonly):
    incident = {
        "id": OUR_INCIDENT,
        "alarm": "magnet",
        "severity": "medium",
        "scope": "site",
        "place": "A-1",
        "meters": 1,
        "meters_on": 1,
        "first_s": START_S,
        "last_s": START_S,
        "opened_s": NOW_S,
        "updated_s": NOW_S,
        "ended_s": None,
    }
    assert readonly.get("incidents", "viewer") == {"items": [incident], "next": None}
    member = {"meter_id": OURS, "serial": "N00001", "site": "A-1", "raised_s": START_S, "value": 120, "cleared_s": None}
    site = {"site": "A-1", "lat": None, "lon": None, "meters": 1, "meters_on": 1}
    assert readonly.get(f"incidents/{OUR_INCIDENT}") == incident | {"members": [member], "sites": [site]}


def test_each_sees_his_own_incidents_targets_and_messages(readonly):
    for name in ("incidents", "targets", "messages"):
        ours, theirs = (readonly.get(name, who)["items"] for who in ("admin", "neighbour"))
        assert ([each["id"] for each in ours], [each["id"] for each in theirs]) == ([1], [2])


def test_a_target_is_added_with_a_secret_that_is_shown_once(estate):
    made = add(estate, kinds=["silent", "magnet"], place=" Blok A ").json()
    secret = made.pop("secret")
    assert len(bytes.fromhex(secret)) == 32
    assert (made["kinds"], made["place"], made["severities"]) == (["silent", "magnet"], "Blok A", ["high"])
    assert estate.get("targets")["items"][1:] == [made]
    assert "secret" not in estate.ask("GET", "targets").text
    again = add(estate, name="other").json()
    assert again == made | {"secret": secret}


@pytest.mark.parametrize(
    ("said", "status", "kind"),
    [
        ({"address": "ftp://a.example"}, 422, "bad-argument"),
        ({"address": "https://me@a.example/"}, 422, "bad-argument"),
        ({"kind": "email"}, 422, "bad-argument"),
        ({"kind": "pigeon"}, 422, "bad-argument"),
        ({"kinds": ["nothing"]}, 404, "unknown"),
        ({"severities": ["grave"]}, 422, "bad-argument"),
        ({"name": ""}, 422, "bad-argument"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(readonly, said, status, kind):
    is_problem(add(readonly, "key-9999", **said), status, kind)


def test_a_target_is_removed_and_what_waited_for_it_is_shown_as_dead(estate):
    estate.ask("POST", f"messages/{OUR_MESSAGE}/resend", headers=keyed())
    for _ in range(2):
        assert estate.ask("DELETE", f"targets/{OUR_TARGET}").status_code == 204
    assert estate.get("targets")["items"] == []
    [message] = estate.get("messages")["items"]
    assert (message["state"], message["problem"], message["removed"]) == ("dead", "its target was removed", True)
    is_problem(estate.ask("POST", f"messages/{OUR_MESSAGE}/resend", headers=keyed("key-0002")), 409, "conflict")
    is_problem(estate.ask("POST", f"targets/{OUR_TARGET}/test", headers=keyed()), 409, "conflict")


def test_a_dead_message_is_shown_and_sent_again_once(estate):
    page = estate.get("messages?state=dead", "operator")
    assert page["counts"] == {"queued": 0, "sending": 0, "delivered": 0, "dead": 1}
    assert page["items"] == [
        {
            "id": OUR_MESSAGE,
            "target": "ops",
            "address": "ops@utility.example",
            "removed": False,
            "subject": "incident-1-raised",
            "event": "raised",
            "alarm": "magnet",
            "scope": "site",
            "place": "A-1",
            "meters": 1,
            "state": "dead",
            "attempts": 1,
            "problem": "550 no such user",
            "created_s": NOW_S,
            "updated_s": NOW_S,
            "next_s": None,
        }
    ]
    for _ in range(2):
        told = estate.ask("POST", f"messages/{OUR_MESSAGE}/resend", "operator", headers=keyed()).json()
        assert (told["state"], told["attempts"], told["next_s"]) == ("queued", 0, NOW_S)
    is_problem(estate.ask("POST", f"messages/{OUR_MESSAGE}/resend", headers=keyed("key-0002")), 409, "conflict")
    assert len(Notifications(estate.engine).begin(estate.now_us, 9)) == 1


def test_a_test_message_is_queued_once_for_each_key(estate):
    for key in ("key-0001", "key-0001", "key-0002"):
        assert estate.ask("POST", f"targets/{OUR_TARGET}/test", headers=keyed(key)).status_code == 202
    found = estate.get("messages?state=queued")["items"]
    assert [(each["event"], each["subject"]) for each in found] == [("test", "test-key-0002"), ("test", "test-key-0001")]


def test_the_pages_show_every_message_once(estate):
    for number in range(5):
        estate.ask("POST", f"targets/{OUR_TARGET}/test", headers=keyed(f"key-000{number}"))
    found: list[int] = []
    after: str | None = ""
    while after is not None:
        page = estate.get(f"messages?limit=2&after={after}")
        found += [each["id"] for each in page["items"]]
        after = page["next"]
    assert found == sorted(set(found), reverse=True)
    assert len(found) == 6


@pytest.mark.parametrize("question", ["messages?after=x", "incidents?after=x", "messages?state=some", "incidents?limit=0"])
def test_a_question_that_makes_no_sense_is_refused(readonly, question):
    is_problem(readonly.ask("GET", question), 422, "bad-argument")


@pytest.mark.parametrize("path", ["targets", f"targets/{OUR_TARGET}/test", f"messages/{OUR_MESSAGE}/resend"])
def test_what_does_something_needs_a_key(readonly, path):
    is_problem(readonly.ask("POST", path, json=HOOK), 422, "bad-argument")


def test_the_catalogue_names_the_alarms_of_the_centre(readonly):
    names = [row["name"] for row in readonly.get("catalogue")["alarms"]]
    assert names == [kind.name for kind in alarm_kinds().values()]
    assert names[-3:] == ["silent", "gateway_silent", "power_failed"]


def test_the_notifier_sees_the_fleet_of_the_centre(readonly):
    fleet = readonly.running.fleet()
    assert sorted(fleet.meters()) == [1, 2, 3, 4]
    origin, hearing = fleet.origin(OURS), fleet.hearing(OURS)
    assert (origin.tenant_id, origin.serial, origin.site, origin.gateway) == (1, "N00001", "A-1", "0016c001f0000001")
    assert (hearing.heard_us, hearing.gateways) == ((NOW_S - 60) * 1_000_000, ("0016c001f0000001",))
    assert fleet.hearing(SILENT).heard_us == 0
    assert fleet.gateways() == {}
