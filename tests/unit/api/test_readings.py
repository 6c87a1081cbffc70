"""Meters, profiles, events and bills as responses say them."""

import pytest

from nyala.api.routes.meters import PROFILE_SPAN_S
from nyala.headend.ports import Changes
from nyala.headend.registry import MeterState
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel, catalogue
from nyala.vocab.time import DAY_S, iso
from tests.unit.api.estate import (
    CT_METER,
    DAYS,
    FIRST_DAY,
    INSTALLED_S,
    MONTH,
    NOW_S,
    OUR_BILL,
    OURS,
    SILENT,
    TARIFF,
    WH,
    is_problem,
)
from tests.unit.store.filled import load_day, write

START_S = FIRST_DAY * DAY_S


def profile(estate, start_s, end_s, meter=OURS):
    return estate.get(f"meters/{meter}/profile?from={iso(start_s)}&to={iso(end_s)}")


# -- meters


def test_a_meter_shows_its_record_and_its_shadow(readonly):
    meter = readonly.get(f"meters/{OURS}")
    assert (meter["serial"], meter["dev_eui"], meter["zone"], meter["period_s"]) == (
        "N00001",
        "00000000000d0001",
        "Asia/Jakarta",
        900,
    )
    assert meter["model"]["supply_switch"] is True
    assert meter["last_heard_s"] == NOW_S - 60
    assert meter["radio"] == {"data_rate": "SF9BW125", "rssi_dbm": -99.5, "snr_db": 2.25, "gateways": 2}
    assert meter["live"]["values"] == {"p_w": -230, "u1_v": 2_300}
    assert [(register["name"], register["value"]) for register in meter["registers"]] == [
        ("import_wh", 123_456),
        ("export_wh", 0),
    ]
    assert meter["switch"]["state"] == "closed"
    assert (meter["missing"], meter["complete_to_s"]) == (0, NOW_S - 7_200)


def test_a_meter_that_was_never_heard_says_so(readonly):
    meter = readonly.get(f"meters/{SILENT}")
    assert (meter["last_heard_s"], meter["radio"], meter["live"], meter["registers"]) == (None, None, None, [])
    assert meter["switch"] == {"state": "unknown", "at_s": None}
    assert meter["complete_to_s"] == INSTALLED_S
    assert meter["missing"] > 0


def test_a_meter_without_a_switch_says_none_whatever_it_reported(estate):
    write(estate.engine, Changes(states=[MeterState(CT_METER, switch_state=1, switch_at_s=5)]))
    meter = estate.get(f"meters/{CT_METER}")
    assert (meter["switch"], meter["ct_ratio"]) == ({"state": "none", "at_s": None}, [200, 5])
    assert [line["switch_state"] for line in estate.get("meters")["items"]] == ["closed", "none", "unknown"]


def test_the_list_has_pages_and_a_search(readonly):
    first = readonly.get("meters?limit=2")
    assert ([line["id"] for line in first["items"]], first["next"], first["total"]) == ([1, 2], "N00002", 3)
    second = readonly.get(f"meters?limit=2&after={first['next']}")
    assert ([line["id"] for line in second["items"]], second["next"]) == ([3], None)
    found = readonly.get("meters?search=pabrik")
    assert [(line["serial"], line["customer"]) for line in found["items"]] == [("N00002", "Pabrik")]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", f"search={'x' * 81}", f"after={'x' * 41}"])
def test_a_page_out_of_bounds_is_refused(readonly, query):
    is_problem(readonly.ask("GET", f"meters?{query}"), 422, "bad-argument")


def test_events_are_told_with_their_text(readonly):
    assert readonly.get(f"meters/{OURS}/events")["items"] == [
        {"at_s": NOW_S - 60, "code": 2, "text": "supply switch opened", "detail": 9, "alarm": None, "value": None}
    ]
    assert readonly.get(f"meters/{SILENT}/events")["items"] == []


def test_the_catalogue_has_every_quantity_and_quality(readonly):
    said = readonly.get("catalogue", "viewer")
    assert [row["name"] for row in said["quantities"]] == list(catalogue())
    assert [row["code"] for row in said["qualities"]] == sorted(Quality)
    assert all(row["label_en"] and row["label_id"] for row in said["quantities"] + said["qualities"])


# -- profiles


def test_a_profile_has_a_column_for_each_channel_and_null_where_nothing_is_known(readonly):
    found = profile(readonly, START_S + 900, START_S + 3_600)
    assert found == {
        "period_s": 900,
        "start_s": START_S + 900,
        "import_wh": [WH] * 3,
        "export_wh": [None] * 3,
        "quality": [Quality.RAW] * 3,
    }


def test_a_profile_begins_with_the_first_whole_interval(readonly):
    found = profile(readonly, START_S + 1, START_S + 1_801)
    assert (found["start_s"], len(found["import_wh"])) == (START_S + 900, 2)
    assert profile(readonly, START_S + 1, START_S + 2)["import_wh"] == []


def test_a_profile_goes_over_midnight_and_past_what_is_known(readonly):
    end_s = (FIRST_DAY + DAYS) * DAY_S
    found = profile(readonly, end_s - 1_800, end_s + 1_800)
    assert (found["import_wh"], found["quality"]) == ([WH, WH, None, None], [1, 1, 0, 0])


def test_a_profile_shows_gaps_and_qualities(estate):
    days = [load_day([1, 2], meter_id=SILENT, day=FIRST_DAY, quality=Quality.LINEAR)]
    days.append(load_day([7], meter_id=SILENT, day=FIRST_DAY, channel=Channel.EXPORT))
    write(estate.engine, Changes(load_days=days))
    found = profile(estate, START_S, START_S + 2_700, SILENT)
    assert (found["import_wh"], found["export_wh"], found["quality"]) == ([1, 2, None], [7, None, None], [5, 5, 0])


def test_the_longest_profile_is_answered(readonly):
    assert len(profile(readonly, START_S, START_S + PROFILE_SPAN_S)["import_wh"]) == PROFILE_SPAN_S // 900


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        ("2025-10-01T00:00:00Z", "2025-10-01T00:00:00Z", "not 0 s"),
        ("2025-10-02T00:00:00Z", "2025-10-01T00:00:00Z", "spans 1 s to 40 days, not -86400 s"),
        ("2025-10-01T00:00:00Z", "2025-11-10T00:00:01Z", "spans 1 s to 40 days"),
        ("2025-10-01T00:00:00", "2025-10-02T00:00:00", "instant without a zone"),
        ("yesterday", "2025-10-02T00:00:00Z", "not an ISO 8601 instant"),
    ],
)
def test_a_profile_without_its_limits_is_refused(readonly, start, end, why):
    response = readonly.ask("GET", f"meters/{OURS}/profile?from={start}&to={end}")
    assert why in is_problem(response, 422, "bad-argument")["detail"]


@pytest.mark.parametrize("query", ["", "from=2025-10-01T00:00:00Z", "to=2025-10-01T00:00:00Z", f"from={'x' * 41}&to=x"])
def test_a_profile_needs_both_ends(readonly, query):
    is_problem(readonly.ask("GET", f"meters/{OURS}/profile?{query}"), 422, "bad-argument")


# -- bills


def test_a_bill_shows_its_lines_and_the_lines_sum_to_its_total(readonly):
    bill = readonly.get(f"bills/{OUR_BILL}")
    assert (bill["serial"], bill["month"], bill["version"], bill["tariff"]["code"]) == ("N00001", MONTH, 1, TARIFF)
    assert (bill["energy_wh"], bill["estimated_wh"], bill["inputs"]) == (31 * 96 * WH, 0, 32)
    assert (bill["end_s"] - bill["start_s"], bill["zone"]) == (31 * DAY_S, "Asia/Jakarta")
    assert bill["lines"][0]["n"] == 0
    assert bill["lines"][0]["has_intervals"] is True


def test_the_intervals_behind_a_line_sum_to_its_energy(readonly):
    found = readonly.get(f"bills/{OUR_BILL}/lines/0/intervals")
    assert found["sum_wh"] == sum(interval["wh"] for interval in found["items"]) == 31 * 96 * WH
    bill = readonly.get(f"bills/{OUR_BILL}")
    assert found["items"][0] == {"start_s": bill["start_s"], "wh": WH, "quality": Quality.RAW, "version": 1}
    assert found["items"][-1]["start_s"] == bill["end_s"] - 900


@pytest.mark.parametrize("line", [-1, 99])
def test_a_line_that_is_not_there_has_no_intervals(readonly, line):
    assert (
        "has no intervals"
        in is_problem(readonly.ask("GET", f"bills/{OUR_BILL}/lines/{line}/intervals"), 422, "bad-argument")["detail"]
    )


def test_the_bills_of_a_month_are_listed(readonly):
    assert readonly.get("bills/months")["items"] == [MONTH]
    found = readonly.get(f"bills?month={MONTH}")
    assert ([(bill["id"], bill["serial"]) for bill in found["items"]], found["next"], found["total"]) == (
        [(OUR_BILL, "N00001")],
        None,
        1,
    )
    assert readonly.get("bills?month=2024-01")["items"] == []


@pytest.mark.parametrize("query", ["", "month=october", "month=2025-1", "month=2025-10&limit=0", "month=2025-10&after=-1"])
def test_a_list_of_bills_needs_a_month(readonly, query):
    is_problem(readonly.ask("GET", f"bills?{query}"), 422, "bad-argument")


def test_a_bill_run_again_changes_nothing_and_names_what_it_could_not_bill(estate):
    result = estate.ask("POST", "bills/run", "billing", json={"month": MONTH}).json()
    assert (result["meters"], result["stored"], result["unchanged"]) == (3, 0, 1)
    assert [serial for serial, _ in result["refused"]] == ["N00002", "N00003"]


def test_a_bill_run_over_changed_readings_makes_a_next_version(estate):
    old = load_day([WH] * 96, day=FIRST_DAY + 5)
    write(estate.engine, Changes(load_days=[load_day([WH + 1] * 96, day=FIRST_DAY + 5, version=2)], superseded=[old]))
    assert estate.ask("POST", "bills/run", json={"month": MONTH}).json()["stored"] == 1
    newest = estate.get(f"bills?month={MONTH}")["items"][0]
    assert (newest["version"], newest["energy_wh"]) == (2, 31 * 96 * WH + 96)
    again = estate.get(f"bills/{OUR_BILL}/lines/0/intervals")
    assert again["sum_wh"] == 31 * 96 * WH


@pytest.mark.parametrize("month", ["2025-11", "2999-01", "2025-13", "october", ""])
def test_a_month_that_is_not_over_or_none_is_not_billed(readonly, month):
    is_problem(readonly.ask("POST", "bills/run", json={"month": month}), 422, "bad-argument")
