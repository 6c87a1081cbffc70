"""Alarms over the API: the list with its filters and pages, acknowledgement once, counts, labels, events, live."""

import pytest

from nyala.headend.ports import AlarmCleared, AlarmRaised, Changes, EventRow
from nyala.telegram.kinds import EventCode
from nyala.vocab.alarms import Alarm, Severity
from nyala.vocab.centre_alarms import alarm_kinds
from nyala.vocab.time import US_PER_S
from tests.unit.api.estate import CT_METER, NOW_S, OUR_ALARM, OURS, SILENT, THEIR_ALARM, is_problem
from tests.unit.store.filled import START_S, write

KEY = {"Idempotency-Key": "key-0001"}


def raised(meter, alarm, at_s, value=None):
    return AlarmRaised(1, meter, alarm, at_s, value, "state" if value is None else "event", at_s * US_PER_S)


@pytest.fixture
def many(estate):
    """Four more alarms, one of them over."""
    write(
        estate.engine,
        Changes(
            alarms=[
                raised(SILENT, Alarm.METER_DISCONNECTED, START_S + 10),
                raised(SILENT, Alarm.LOW_POWER_FACTOR, START_S + 20, 43),
                raised(CT_METER, Alarm.OVER_CURRENT, START_S + 20, 131),
                raised(CT_METER, Alarm.INTERNAL_BATTERY_LOW, START_S + 5, 305),
                AlarmCleared(SILENT, Alarm.LOW_POWER_FACTOR, START_S + 90, START_S + 91),
            ]
        ),
    )
    return estate


def acknowledge(estate, number=OUR_ALARM, who="operator", *, key="key-0001", note="seal checked"):
    return estate.ask("POST", f"alarms/{number}/acknowledge", who, json={"note": note}, headers={"Idempotency-Key": key})


def names(page):
    return [item["alarm"] for item in page["items"]]


def test_an_alarm_is_told_in_full(readonly):
    assert readonly.get("alarms", "viewer") == {
        "items": [
            {
                "id": OUR_ALARM,
                "meter_id": OURS,
                "serial": "N00001",
                "customer": "Ibu Sri",
                "site": "A-1",
                "alarm": "magnet",
                "severity": "medium",
                "raised_s": START_S,
                "value": 120,
                "source": "event",
                "received_s": START_S,
                "cleared_s": None,
                "acknowledged_s": None,
                "acknowledged_by": None,
                "note": None,
            }
        ],
        "next": None,
        "total": 1,
        "counts": {"high": 0, "medium": 1, "low": 0},
    }


def test_the_newest_come_first_and_only_those_that_are_on(many):
    page = many.get("alarms")
    assert names(page) == ["over_current", "meter_disconnected", "internal_battery_low", "magnet"]
    assert page["counts"] == {"high": 1, "medium": 2, "low": 1}
    assert names(many.get("alarms?state=all"))[:2] == ["over_current", "low_power_factor"]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("severity=high", ["meter_disconnected"]),
        ("severity=low", ["over_current"]),
        ("severity=low&state=all", ["over_current", "low_power_factor"]),
        ("alarm=magnet", ["magnet"]),
        ("alarm=magnet&severity=low", []),
        (f"meter={SILENT}", ["meter_disconnected"]),
        (f"meter={SILENT}&state=all", ["low_power_factor", "meter_disconnected"]),
    ],
)
def test_a_filter_shows_what_it_says(many, question, found):
    page = many.get(f"alarms?{question}")
    assert (names(page), page["total"]) == (found, len(found))


def test_the_pages_show_every_alarm_once(many):
    found: list[int] = []
    after: str | None = ""
    while after is not None:
        page = many.get(f"alarms?state=all&limit=2&after={after}")
        assert page["total"] == 5
        found += [item["id"] for item in page["items"]]
        after = page["next"]
    assert len(found) == len(set(found)) == 5


@pytest.mark.parametrize(
    ("question", "status", "kind"),
    [
        ("alarm=nothing", 404, "unknown"),
        ("meter=999", 404, "unknown"),
        ("severity=grave", 422, "bad-argument"),
        ("state=some", 422, "bad-argument"),
        ("after=yesterday", 422, "bad-argument"),
        ("after=1-", 422, "bad-argument"),
        ("limit=0", 422, "bad-argument"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(readonly, question, status, kind):
    is_problem(readonly.ask("GET", f"alarms?{question}"), status, kind)


def test_an_acknowledgement_keeps_who_when_and_why(estate):
    said = acknowledge(estate, note="  seal checked ").json()
    assert (said["acknowledged_by"], said["acknowledged_s"], said["note"]) == ("operator", NOW_S, "seal checked")
    assert estate.get("alarms")["items"] == [said]
    assert estate.get("alarms?state=open")["items"] == []


def test_the_same_key_again_changes_nothing(estate):
    first = acknowledge(estate).json()
    estate.later(60)
    assert acknowledge(estate, note="another note", who="admin").json() == first
    assert estate.get("alarms")["items"] == [first]


def test_what_is_acknowledged_stays_so(estate):
    acknowledge(estate)
    detail = is_problem(acknowledge(estate, who="admin", key="key-0002"), 409, "conflict")["detail"]
    assert detail == f"alarm {OUR_ALARM} was acknowledged already, by operator"


def test_a_key_is_good_for_one_alarm(many):
    acknowledge(many)
    detail = is_problem(acknowledge(many, 3), 409, "conflict")["detail"]
    assert detail == "this idempotency key was used for another alarm"
    assert many.get("alarms?state=open")["total"] == 4


def test_two_tenants_may_use_one_key(estate):
    acknowledge(estate)
    assert acknowledge(estate, THEIR_ALARM, "neighbour").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "short"}, {"Idempotency-Key": "x" * 65}])
def test_an_acknowledgement_needs_a_key(readonly, headers):
    is_problem(readonly.ask("POST", f"alarms/{OUR_ALARM}/acknowledge", json={}, headers=headers), 422, "bad-argument")


def test_a_note_has_a_limit(readonly):
    said = {"note": "x" * 501}
    is_problem(readonly.ask("POST", f"alarms/{OUR_ALARM}/acknowledge", json=said, headers=KEY), 422, "bad-argument")


def test_a_meter_says_which_of_its_alarms_are_on(readonly):
    assert readonly.get(f"meters/{OURS}")["alarms"] == [{"alarm": "magnet", "severity": "medium", "since_s": START_S}]
    assert readonly.get(f"meters/{SILENT}")["alarms"] == []


def test_the_fleet_counts_alarms_by_severity(many):
    assert many.get("fleet")["alarms"] == {"high": 1, "medium": 2, "low": 1}
    assert many.get("fleet", "neighbour")["alarms"] == {"high": 0, "medium": 1, "low": 0}


def test_the_catalogue_has_every_alarm_with_its_labels(readonly):
    rows = readonly.get("catalogue")["alarms"]
    assert [row["name"] for row in rows] == [kind.name for kind in alarm_kinds().values()]
    assert all(row["label_en"] and row["label_id"] and Severity(row["severity"]) for row in rows)
    assert {row["unit"] for row in rows} == {None, "mT", "V", "C", "%", "1"}


def test_events_of_alarms_are_told_with_alarm_and_value(estate):
    said = [(EventCode.ALARM_RAISED, Alarm.MAGNET, 120), (EventCode.ALARM_CLEARED, Alarm.LOW_POWER_FACTOR, 61)]
    said += [(EventCode.ALARM_RAISED, Alarm.INTERNAL_BATTERY_LOW, 305), (EventCode.ALARM_RAISED, Alarm.MAIN_COVER_OPEN, 1)]
    rows = [
        EventRow(SILENT, START_S + number, code, alarm << 24 | value, number, NOW_S * US_PER_S)
        for number, (code, alarm, value) in enumerate(said)
    ]
    write(estate.engine, Changes(events=rows))
    events = estate.get(f"meters/{SILENT}/events")["items"][::-1]
    assert [(event["text"], event["alarm"], event["value"]) for event in events] == [
        ("alarm raised: Magnetic disturbance, 120 mT", "magnet", 120),
        ("alarm cleared: Power factor low, 0.61", "low_power_factor", 61),
        ("alarm raised: Internal battery low, 3.05 V", "internal_battery_low", 305),
        ("alarm raised: Main cover open", "main_cover_open", None),
    ]


def test_a_browser_hears_of_alarms_and_of_acknowledgements(estate):
    ours = estate.client.portal.call(estate.state.hub.subscribe, 1, None)
    other = estate.client.portal.call(estate.state.hub.subscribe, 1, CT_METER)
    theirs = estate.client.portal.call(estate.state.hub.subscribe, 2, None)
    changed = [raised(OURS, Alarm.MAGNET, START_S), AlarmCleared(OURS, Alarm.MAGNET, START_S + 1, START_S + 2)]
    estate.client.portal.call(lambda: [each([], [], changed) for each in estate.running.headend.listeners])
    acknowledge(estate)
    said = f'event: alarm\ndata: {{"meter_id":{OURS}}}\n\n'.encode()
    assert [list(each._events) for each in (ours, other, theirs)] == [[said, said], [], []]
