"""Campaigns of blocks over the API: once per key, two people for firmware, the right meters only, what each of them says."""

from base64 import b64encode

import pytest

from nyala.telegram.firmware import Image, sign_image
from tests.unit.api.estate import CT_METER, IMAGE, OUR_BLOCK, OUR_GROUP, OURS, SILENT, THEIR_GROUP, THEIRS, is_problem

EXIT = {"kind": "zone", "offset": "+07:00"}


def firmware(estate, *listed, key="key-0001", who="operator", image=IMAGE, **said):
    chosen = {"meters": list(listed)} if listed else {"group": OUR_GROUP}
    body = {"image": image, "reason": "repair"} | chosen | said
    return estate.ask("POST", "blocks/firmware", who, json=body, headers={"Idempotency-Key": key})


def table(estate, *listed, key="key-0001", **said):
    body = {"meters": list(listed), "setting": EXIT, "reason": "law"} | said
    return estate.ask("POST", "blocks/table", "operator", json=body, headers={"Idempotency-Key": key})


def say(estate, block, event, who):
    return estate.ask("POST", f"blocks/{block}/{event}", who)


def test_firmware_waits_until_another_person_approves_it(estate):
    made = firmware(estate, OURS, activate_s=2_000_000_000).json()
    assert (made["state"], made["kind"], made["version"], made["name"]) == ("awaiting_approval", "firmware", 0x0101, "N00001")
    assert (made["activate_s"], made["moves"]) == (2_000_000_000, ["approve", "reject", "cancel"])
    is_problem(say(estate, made["id"], "approve", "operator"), 409, "conflict")
    is_problem(say(estate, made["id"], "approve", "neighbour"), 404, "unknown")
    done = say(estate, made["id"], "approve", "admin").json()
    assert (done["state"], done["approved_by"], done["moves"]) == ("running", "admin", ["cancel"])
    shown = estate.get(f"blocks/{made['id']}")
    assert (shown["phase"], shown["counts"], shown["meters"]) == ("set_up", {"new": 1}, 1)
    assert shown["fragments_total"] > 0


def test_the_same_key_orders_once_and_one_kind(estate):
    first, again = firmware(estate, OURS), firmware(estate, OURS)
    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    is_problem(table(estate, SILENT), 409, "conflict")
    say(estate, first.json()["id"], "reject", "admin")
    assert firmware(estate, OURS).json()["state"] == "rejected"


def test_a_meter_is_in_one_campaign_at_a_time(estate):
    assert firmware(estate, OURS).status_code == 201
    is_problem(firmware(estate, OURS, SILENT, key="key-0002"), 409, "conflict")


def test_an_image_is_for_one_model_and_signed_by_its_maker(estate):
    wrong = is_problem(firmware(estate, OURS, CT_METER), 409, "conflict")
    assert "N00002 is a three-phase-ct: this firmware is for single-phase" in wrong["detail"]
    other = b64encode(sign_image(Image(1, 0x0101, b"code"), bytes(32))).decode()
    assert "not signed by the maker" in is_problem(firmware(estate, OURS, image=other), 422, "bad-argument")["detail"]
    nonsense = b64encode(b"no image").decode()
    assert "no firmware image" in is_problem(firmware(estate, OURS, image=nonsense), 422, "bad-argument")["detail"]
    assert len(estate.get("blocks")["items"]) == 1


def test_a_table_is_wanted_of_each_and_begins_at_once(estate):
    made = table(estate, OURS, SILENT).json()
    assert (made["state"], made["kind"], made["version"], made["meters"]) == ("running", "configuration", 1, 2)
    for meter in (OURS, SILENT):
        [zone] = [each for each in estate.get(f"meters/{meter}/configuration")["items"] if each["kind"] == "zone"]
        assert zone["wanted"]["version"] == 1
    assert say(estate, made["id"], "cancel", "operator").json()["state"] == "cancelled"


def test_where_each_meter_stands_is_shown_page_by_page(estate):
    made = firmware(estate, OURS, SILENT).json()
    page = estate.get(f"blocks/{made['id']}/meters?limit=1")
    assert [(item["serial"], item["state"], item["missing"]) for item in page["items"]] == [("N00001", "new", None)]
    more = estate.get(f"blocks/{made['id']}/meters?after={page['next']}")
    assert ([item["serial"] for item in more["items"]], more["next"]) == (["N00003"], None)


def test_campaigns_are_listed_newest_first_and_those_of_a_neighbour_are_not(estate):
    made = firmware(estate, OURS).json()["id"]
    assert [item["id"] for item in estate.get("blocks")["items"]] == [made, OUR_BLOCK]
    page = estate.get("blocks?limit=1")
    assert [item["id"] for item in estate.get(f"blocks?after={page['next']}")["items"]] == [OUR_BLOCK]
    assert made not in [item["id"] for item in estate.get("blocks", "neighbour")["items"]]


def test_what_has_ended_takes_no_word(estate):
    is_problem(say(estate, OUR_BLOCK, "cancel", "operator"), 409, "conflict")
    made = firmware(estate, OURS).json()["id"]
    say(estate, made, "approve", "admin")
    is_problem(say(estate, made, "reject", "admin"), 409, "conflict")


@pytest.mark.parametrize("chosen", [{"meters": [THEIRS]}, {"meters": [999]}, {"group": THEIR_GROUP}])
def test_a_block_goes_to_no_meter_of_a_neighbour(estate, chosen):
    body = {"image": IMAGE, "reason": "repair"} | chosen
    is_problem(estate.ask("POST", "blocks/firmware", json=body, headers={"Idempotency-Key": "key-0001"}), 404, "unknown")


@pytest.mark.parametrize("chosen", [{}, {"meters": [OURS], "group": OUR_GROUP}])
def test_a_group_or_meters_are_said_and_not_both(estate, chosen):
    body = {"image": IMAGE, "reason": "repair"} | chosen
    is_problem(estate.ask("POST", "blocks/firmware", json=body, headers={"Idempotency-Key": "key-0001"}), 422, "bad-argument")
