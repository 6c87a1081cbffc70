"""Orders of configuration over the API: looked at, given once, approved, followed; and where the fleet stands."""

from typing import Any

import pytest

from nyala.meter.calendar_tables import CALENDARS
from nyala.telegram.config import ConfigReport, Reported
from nyala.vocab.settings import Setting, SettingBlock, short_check
from tests.unit.api.estate import CT_METER, OUR_GROUP, OURS, SILENT, THEIR_GROUP, THEIRS, Estate, is_problem

CALENDAR = {"kind": "calendar", "named": "estate", "activate": "2025-11-06T00:00:00+07:00"}
LIMITER: dict[str, Any] = {"kind": "limiter", "limits": [{"quantity": "power", "normal": 1300}]}
BOTH: dict[str, Any] = {"meters": [OURS, SILENT], "settings": [CALENDAR], "reason": "new year"}


def order(estate: Estate, who="operator", *, key="order-001", **said):
    return estate.ask("POST", "configurations", who, json=BOTH | said, headers={"Idempotency-Key": key})


def say(estate: Estate, word, who="admin", number=3):
    return estate.ask("POST", f"configurations/{number}/{word}", who, json={"reason": "because"})


def look(estate: Estate, *settings, **target):
    return estate.ask("POST", "configuration/look", "operator", json={"settings": list(settings)} | target)


def test_an_order_is_given_once_and_followed(estate):
    made = order(estate)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["name"], told["state"], told["meters"], told["kinds"]) == ("N00001 + 1", "running", 2, ["calendar"])
    assert told["values"]["calendar"]["name"] == "estate"
    assert order(estate).json()["id"] == told["id"]
    is_problem(order(estate, settings=[LIMITER]), 409, "conflict")
    told = estate.get(f"configurations/{told['id']}")
    assert told["counts"]["ordered"] == 2
    assert told["moves"] == ["pause", "cancel"]
    shadow = estate.running.registry.state(OURS).config[Setting.CALENDAR]
    has = ConfigReport((Reported(Setting.CALENDAR, 1, short_check(Setting.CALENDAR, SettingBlock(1, shadow.wanted))),))
    estate.running.headend.configuration.report(OURS, has, estate.now_us)
    estate.order(OURS, "read", key="commit-it-1")
    page = estate.get(f"configurations/{told['id']}/meters")["items"]
    assert [(each["serial"], each["state"], each["versions"]) for each in page] == [
        ("N00001", "verified", {"calendar": 1}),
        ("N00003", "ordered", {"calendar": 1}),
    ]
    only = estate.get(f"configurations/{told['id']}/meters?state=verified")["items"]
    assert [each["serial"] for each in only] == ["N00001"]
    assert [each["id"] for each in estate.get("configurations")["items"]] == [told["id"]]


def test_a_limit_for_many_waits_for_a_second_person(estate):
    told = order(estate, settings=[LIMITER]).json()
    assert (told["state"], told["moves"]) == ("awaiting", ["approve", "reject", "cancel"])
    is_problem(say(estate, "approve", "operator"), 409, "not-allowed")
    assert say(estate, "approve").json()["approved_by"] == "admin"
    assert say(estate, "pause").json()["state"] == "paused"
    assert say(estate, "resume").json()["state"] == "running"
    assert say(estate, "cancel").json()["state"] == "cancelled"
    is_problem(say(estate, "resume"), 409, "conflict")
    assert order(estate, settings=[LIMITER], key="order-002").json()["id"] == 4
    assert say(estate, "reject", number=4).json()["state"] == "rejected"
    is_problem(say(estate, "cancel", number=4), 409, "conflict")


def test_a_group_a_site_and_serial_numbers_say_whom(estate):
    whom: list[dict[str, Any]] = [{"group": OUR_GROUP}, {"site": "A-1"}, {"serials": ["N00003", "N00001"]}]
    found = [order(estate, key=f"order-00{n}", meters=[], **said).json() for n, said in enumerate(whom)]
    assert [(each["name"], each["meters"]) for each in found] == [("all", 1), ("A-1", 2), ("N00001 + 1", 2)]
    is_problem(order(estate, key="order-009", meters=[], group=THEIR_GROUP), 404, "unknown")
    is_problem(order(estate, key="order-009", meters=[OURS, THEIRS]), 404, "unknown")
    is_problem(order(estate, key="order-009", meters=[], serials=["N00001", "N00009"]), 404, "unknown")
    is_problem(order(estate, key="order-009", expected=3), 409, "conflict")
    assert order(estate, key="order-009", group=OUR_GROUP).status_code == 422
    assert order(estate, key="order-009", meters=[]).status_code == 422


def test_a_look_says_what_is_wrong_where_and_whom_it_would_reach(readonly):
    wrong = {"kind": "billing", "day": 29}
    told = look(readonly, LIMITER, wrong, meters=[OURS, CT_METER]).json()
    assert told["problems"] == [{"kind": "billing", "detail": "billing day 29: 1..28, or 0 for the last of the month"}]
    assert (told["meters"], told["unable"], told["needs_approval"]) == (2, 1, True)
    assert told["unable_first"][0]["serial"] == "N00002"
    assert "no supply switch" in told["unable_first"][0]["detail"]
    assert (told["bytes"], told["year"]) == ({"limiter": 23}, None)
    told = look(readonly, CALENDAR, serials=["N00001", "N00009"]).json()
    assert (told["unknown"], told["meters"], told["needs_approval"]) == (["N00009"], 1, False)
    assert readonly.get("configuration")["meters"] == 0


def test_a_look_shows_the_year_of_a_calendar(readonly):
    year = look(readonly, CALENDAR, meters=[OURS]).json()["year"]
    assert (year["first"], len(year["days"])) == ("2025-11-05", 366)
    assert year["profiles"][0]["switches"] == [["00:00", 3], ["06:00", 1], ["17:00", 2], ["22:00", 3]]
    by_date = dict(zip(("2025-11-05", "2025-11-06", "2025-11-07", "2025-11-08"), year["days"], strict=False))
    assert by_date == {"2025-11-05": 3, "2025-11-06": 3, "2025-11-07": 3, "2025-11-08": 2}
    assert year["days"][50] == 2, "Christmas"


def test_what_is_chosen_from_can_be_ordered_as_it_stands(readonly):
    choices = readonly.get("configuration/choices")
    assert [table["name"] for table in choices["calendars"]] == list(CALENDARS)
    settings = [{"kind": "calendar", "table": choices["calendars"][0]}]
    settings.append({"kind": "limiter", "limits": [{"quantity": "power", "normal": choices["contracted_va"][-1]}]})
    for channels in choices["channels"]:
        said = {"kind": "reporting", "report_s": 3600, "live_s": 21600, "channels": channels}
        assert look(readonly, *settings, said, meters=[OURS]).json()["problems"] == []


@pytest.mark.parametrize("name", CALENDARS)
def test_every_calendar_of_the_program_can_be_ordered(readonly, name):
    told = look(readonly, {"kind": "calendar", "named": name}, meters=[OURS]).json()
    assert (told["problems"], told["year"] is None) == ([], False)


def test_the_fleet_shows_how_many_are_in_step_and_which_are_not(estate):
    order(estate)
    shadow = estate.running.registry.state(OURS).config[Setting.CALENDAR]
    has = Reported(Setting.CALENDAR, 1, short_check(Setting.CALENDAR, SettingBlock(1, shadow.wanted)))
    for entry in (has, Reported(Setting.CALENDAR, 0, 0)):
        estate.running.headend.configuration.report(OURS, ConfigReport((entry,)), estate.now_us)
    estate.order(OURS, "read", key="commit-it-1")
    told = estate.get("configuration")
    assert told == {"meters": 2, "counts": {"calendar": {"drift": 1, "sending": 1}}}
    page = estate.get("configuration/meters?limit=1")
    rest = estate.get("configuration/meters", params={"after": page["next"]})
    assert [(each["serial"], each["state"]) for each in page["items"] + rest["items"]] == [
        ("N00001", "drift"),
        ("N00003", "sending"),
    ]
    assert rest["next"] is None
    assert [each["serial"] for each in estate.get("configuration/meters?state=drift&kind=calendar")["items"]] == ["N00001"]
    assert estate.get("configuration/meters?kind=zone")["items"] == []
    assert estate.get("configuration", "neighbour")["meters"] == 0
    assert estate.get("configuration/meters", "neighbour")["items"] == []
