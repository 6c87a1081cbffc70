"""Configuration over the API: ordered, shown, refused, and found again after a restart."""

from dataclasses import replace
from typing import Any

import pytest

from nyala.meter.calendar_tables import calendar_named, table_of_calendar
from nyala.meter.settings_codec import decode_setting
from nyala.telegram.config import ConfigReport, Reported
from nyala.vocab.settings import Setting, SettingBlock, short_check
from nyala.vocab.time import US_PER_S
from tests.unit.api.estate import CT_METER, NOW_S, OURS, THEIRS, is_problem

PATH = f"meters/{OURS}/configuration"
AT = "2025-11-06T00:00:00+07:00"
CALENDAR = {"kind": "calendar", "named": "estate", "activate": AT}
LIMITER: dict[str, Any] = {"kind": "limiter", "limits": [{"quantity": "power", "normal": 1300}]}
ALL = [
    CALENDAR,
    LIMITER,
    {"kind": "billing", "day": 0, "hour": 23},
    {"kind": "credit", "warnings": [5000, 1000], "emergency": {"limit": 2000}},
    {"kind": "reporting", "report_s": 900, "live_s": 3600},
    {"kind": "zone", "offset": "+08:00"},
]


def put(estate, *settings, who="operator", path=PATH):
    return estate.ask("PUT", path, who, json={"settings": list(settings)})


def items(estate, path=PATH):
    return {item["kind"]: item for item in estate.get(path)["items"]}


def says(estate, *entries):
    estate.running.headend.configuration.report(OURS, ConfigReport(entries), estate.now_us)
    estate.order(OURS, "read", key=f"commit-{estate.now_us}")


def test_a_meter_of_which_nothing_is_wanted_says_so(readonly):
    told = readonly.get(f"meters/{CT_METER}/configuration")
    assert [item["kind"] for item in told["items"]] == [kind.name.lower() for kind in Setting]
    assert {(item["state"], item["wanted"] is None, item["reported"] is None) for item in told["items"]} == {
        ("unmanaged", True, True)
    }


def test_every_kind_is_wanted_with_its_version_and_what_it_says(estate):
    response = put(estate, *ALL)
    assert response.status_code == 200, response.text
    told = items(estate)
    assert response.json()["items"] == list(told.values())
    assert {(item["state"], item["wanted"]["version"], item["wanted"]["by"]) for item in told.values()} == {
        ("sending", 1, "operator")
    }
    assert {item["wanted"]["since_s"] for item in told.values()} == {NOW_S}
    value = told["calendar"]["wanted"]["value"]
    assert (value["name"], value["activate_s"]) == ("estate", 1762362000)
    assert value["table"] == table_of_calendar(calendar_named("estate"))
    assert told["limiter"]["wanted"]["value"]["limits"][0] == {
        "quantity": "power",
        "normal": 1300.0,
        "emergency": None,
        "over_s": 60,
        "under_s": 10,
    }
    assert told["billing"]["wanted"]["value"] == {"day": 0, "hour": 23}
    assert told["credit"]["wanted"]["value"]["emergency"] == {"limit": 2000, "threshold": 0, "button": True}
    reporting = told["reporting"]["wanted"]["value"]
    assert (reporting["report_s"], reporting["live_s"], reporting["channels"]) == (900, 3600, ["import", "export"])
    assert told["zone"]["wanted"]["value"] == {"offset": "+08:00"}


def test_the_same_again_is_no_new_version_and_another_is(estate):
    put(estate, CALENDAR)
    put(estate, CALENDAR)
    assert items(estate)["calendar"]["wanted"]["version"] == 1
    put(estate, CALENDAR | {"named": "flat"})
    assert items(estate)["calendar"]["wanted"]["version"] == 2


def test_a_table_is_the_same_as_its_name(estate):
    put(estate, CALENDAR)
    assert (
        put(estate, {"kind": "calendar", "table": table_of_calendar(calendar_named("estate")), "activate": AT}).status_code
        == 200
    )
    assert items(estate)["calendar"]["wanted"]["version"] == 1


def test_what_the_meter_reports_is_in_step_or_drift_or_sending(estate):
    put(estate, CALENDAR)
    shadow = estate.running.registry.state(OURS).config[Setting.CALENDAR]
    check = short_check(Setting.CALENDAR, SettingBlock(1, shadow.wanted))
    says(estate, Reported(Setting.CALENDAR, 0, 0))
    assert items(estate)["calendar"]["state"] == "sending"
    estate.later(5)
    says(estate, Reported(Setting.CALENDAR, 1, check))
    told = items(estate)["calendar"]
    assert (told["state"], told["reported"]) == ("in_step", {"version": 1, "check": f"{check:04x}", "at_s": NOW_S + 5})
    assert told["wanted"]["check"].endswith(told["reported"]["check"])
    estate.later(5)
    says(estate, Reported(Setting.CALENDAR, 0, 0))
    assert items(estate)["calendar"]["state"] == "drift"


def test_what_the_meter_refused_is_shown_with_its_reason(estate):
    put(estate, LIMITER)
    state = estate.running.registry.touch(OURS)
    state.config[Setting.LIMITER] = replace(state.config[Setting.LIMITER], refused="no such part")
    estate.order(OURS, "read", key="commit-it-1")
    assert (items(estate)["limiter"]["state"], items(estate)["limiter"]["detail"]) == ("refused", "no such part")


REFUSED = {
    "an unknown calendar": (CALENDAR | {"named": "moon"}, 404),
    "no calendar": ({"kind": "calendar"}, 422),
    "a name and a table": (CALENDAR | {"table": {}}, 422),
    "a table that is none": ({"kind": "calendar", "table": {"name": "x"}}, 422),
    "an instant without a zone": (CALENDAR | {"activate": "2025-11-06T00:00:00"}, 422),
    "an instant in the past": (CALENDAR | {"activate": "2025-11-01T00:00:00Z"}, 422),
    "an instant beyond a year": (CALENDAR | {"activate": "2027-11-01T00:00:00Z"}, 422),
    "a quantity twice": ({"kind": "limiter", "limits": LIMITER["limits"] * 2}, 422),
    "a limit of nothing": ({"kind": "limiter", "limits": [{"quantity": "power", "normal": 0}]}, 422),
    "a quantity that is none": ({"kind": "limiter", "limits": [{"quantity": "joy", "normal": 1}]}, 422),
    "a day that is none": ({"kind": "billing", "day": 29}, 422),
    "warnings that rise": ({"kind": "credit", "warnings": [1, 2]}, 422),
    "reports that make no day": ({"kind": "reporting", "report_s": 7, "live_s": 900}, 422),
    "a zone that is none": ({"kind": "zone", "offset": "7"}, 422),
    "an unknown kind": ({"kind": "colour"}, 422),
}


@pytest.mark.parametrize(("setting", "status"), REFUSED.values(), ids=REFUSED)
def test_an_order_that_makes_no_sense_is_refused(readonly, setting, status):
    assert put(readonly, setting).status_code == status
    assert items(readonly)["calendar"]["wanted"] is None


def test_a_kind_twice_and_no_kind_are_refused(readonly):
    assert put(readonly, LIMITER, LIMITER).status_code == 422
    assert put(readonly).status_code == 422


def test_what_a_model_cannot_have_is_refused(readonly):
    is_problem(put(readonly, LIMITER, path=f"meters/{CT_METER}/configuration"), 409, "not-allowed")
    is_problem(put(readonly, LIMITER, path=f"meters/{THEIRS}/configuration"), 404, "unknown")


def test_what_was_ordered_is_told_with_who_when_and_why(estate):
    body = {"settings": [CALENDAR, ALL[2]], "reason": "new year"}
    estate.ask("PUT", PATH, "operator", json=body)
    estate.later(60)
    put(estate, CALENDAR | {"named": "flat"}, who="admin")
    newest, *rest = estate.get(f"{PATH}/history")["items"]
    assert (newest["kind"], newest["version"], newest["by"], newest["state"]) == ("calendar", 2, "admin", "ordered")
    assert newest["at_s"] == NOW_S + 60
    assert [(each["kind"], each["version"], each["reason"], each["by"]) for each in rest[:2]] == [
        ("calendar", 1, "new year", "operator"),
        ("billing", 1, "new year", "operator"),
    ]
    assert rest[0]["value"]["name"] == "estate"
    assert "another calendar" in rest[0]["text"]


def test_a_refused_setting_is_left_as_the_meter_has_it_once(estate):
    put(estate, CALENDAR)
    shadow = estate.running.registry.state(OURS).config[Setting.CALENDAR]
    says(estate, Reported(Setting.CALENDAR, 1, short_check(Setting.CALENDAR, SettingBlock(1, shadow.wanted))))
    put(estate, CALENDAR | {"named": "flat"})
    assert items(estate)["calendar"]["state"] == "sending"

    def accept(kind, key="accept-1"):
        return estate.ask(
            "POST", f"{PATH}/{kind}/accept", "operator", json={"reason": "it was right"}, headers={"Idempotency-Key": key}
        )

    for _ in range(2):
        assert accept("calendar").status_code == 200
        told = items(estate)["calendar"]
        assert (told["state"], told["wanted"]["version"], told["wanted"]["value"]["name"]) == ("in_step", 1, "estate")
    is_problem(accept("calendar", "accept-2"), 409, "conflict")
    is_problem(accept("zone", "accept-3"), 409, "conflict")
    newest = estate.get(f"{PATH}/history")["items"][0]
    assert (newest["reason"], newest["value"]["name"], newest["state"]) == ("it was right", "estate", "verified")


def test_where_nobody_knows_what_the_meter_has_the_setting_is_not_managed_any_more(estate):
    put(estate, CALENDAR)
    says(estate, Reported(Setting.CALENDAR, 9, 0x1234))
    headers = {"Idempotency-Key": "accept-1"}
    assert estate.ask("POST", f"{PATH}/calendar/accept", "operator", json={}, headers=headers).status_code == 200
    assert items(estate)["calendar"]["state"] == "unmanaged"
    assert estate.get(f"{PATH}/history")["items"][0]["value"] is None


def test_how_much_of_a_block_has_left_is_shown_while_it_is_in_flight(estate):
    put(estate, CALENDAR)
    assert 0 < items(estate)["calendar"]["sent_pct"] < 100
    assert items(estate)["zone"]["sent_pct"] is None


def test_channels_and_parity_of_reports_are_wanted_by_name(estate):
    said = ALL[4] | {"channels": ["q1", "import", "export", "q2", "q3", "q4"], "parity": False}
    put(estate, said)
    value = items(estate)["reporting"]["wanted"]["value"]
    assert (value["channels"], value["parity"]) == (["import", "export", "q1", "q2", "q3", "q4"], False)
    assert value["channels"] in estate.get("configuration/choices")["channels"]
    assert put(estate, ALL[4] | {"channels": ["import", "q1"]}).status_code == 422
    assert put(estate, ALL[4] | {"channels": ["joy"]}).status_code == 422


def test_what_is_wanted_is_sent_and_stands_in_the_store(estate):
    put(estate, CALENDAR)
    assert estate.running.headend.configuration.exchanges == 1
    shadow = estate.running.registry.state(OURS).config[Setting.CALENDAR]
    value = decode_setting(Setting.CALENDAR, shadow.wanted)
    assert value.calendar == calendar_named("estate")  # type: ignore[union-attr]
    assert shadow.wanted_us == NOW_S * US_PER_S
