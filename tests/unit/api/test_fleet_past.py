"""The fleet page keeps what removed meters told: their past days, and what was expected of them until then."""

from nyala.api import fleet
from nyala.headend.lifecycle import GONE
from tests.unit.api.estate import NOW_S, OURS, WH

REMOVED_S = NOW_S - NOW_S % 86_400 - 10 * 86_400
"""A UTC midnight, ten days ago."""


def remove(estate, meter=OURS, at_s=REMOVED_S):
    said = {"event": "remove", "at_s": at_s, "reason": "house is gone"}
    life = estate.ask("POST", f"meters/{meter}/life", "operator", json=said).json()
    assert life["state"] in {state.value for state in GONE}
    fleet.forget()


def days(estate):
    return {day["day"]: day for day in estate.get("fleet")["days"]}


def test_days_before_the_removal_stay_and_days_after_it_expect_nothing_of_it(estate):
    before = days(estate)
    remove(estate)
    after = days(estate)
    assert after.keys() == before.keys()
    past = [day for day in after if day < "2025-10-26"]
    assert len(past) > 20
    assert all(after[day] == before[day] for day in past)
    assert all(after[day]["import_wh"] == 96 * WH for day in past[1:])
    for day in (day for day in before if "2025-10-26" <= day < "2025-11-04"):
        assert before[day]["missing"] - after[day]["missing"] in (0, 96)
        assert after[day]["expected"] < before[day]["expected"] or after[day]["received"] == 96


def test_what_was_told_today_before_the_removal_is_part_of_today(estate):
    before = estate.get("fleet")["energy_today"]
    remove(estate, at_s=NOW_S - NOW_S % 86_400)
    assert estate.get("fleet")["energy_today"] == before
    assert before["import_wh"] > 0


def test_events_of_a_removed_meter_stay_with_its_serial_number(estate):
    remove(estate)
    assert {event["meter_id"] for event in estate.get("fleet")["events"]} == {OURS}
