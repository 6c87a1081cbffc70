"""Completeness and places over HTTP: a table, its drill-down, what is refused, and whose it is."""

import pytest

from tests.unit.api.estate import OUR_INCIDENT, is_problem

DAYS = "from=2025-10-01&to=2025-10-02"


def test_a_table_by_site_opens_into_meters(readonly):
    table = readonly.get(f"completeness?{DAYS}")
    assert (table["by"], table["days"], table["total"]) == ("site", ["2025-10-01", "2025-10-02"], 2)
    at = {line["name"]: line for line in table["lines"]}
    assert at["A-1"] == {
        "key": "A-1",
        "name": "A-1",
        "meters": 2,
        "silent": 0,
        "expected": [192, 192],
        "received": [96, 96],
        "estimated": [0, 0],
        "missing": 192,
    }
    inner = readonly.get(f"completeness?{DAYS}&by=meter&within=site&key=A-1&limit=1")
    assert [line["name"] for line in inner["lines"]] == ["N00003"]
    assert inner["total"] == 2


@pytest.mark.parametrize("by", ["site", "feeder", "group", "gateway", "meter"])
def test_a_neighbour_sees_only_its_own(readonly, by):
    assert sum(line["meters"] for line in readonly.get(f"completeness?{DAYS}&by={by}", "neighbour")["lines"]) == 1
    assert readonly.get(f"completeness?{DAYS}&by=meter&within=group&key=1", "neighbour")["lines"] == []


@pytest.mark.parametrize("question", ["from=2025-10-02&to=2025-10-01", "from=2025-01-01&to=2025-12-31", "from=x&to=2025-10-01"])
def test_days_that_are_none_are_refused(readonly, question):
    is_problem(readonly.ask("GET", f"completeness?{question}"), 422, "bad-argument")


def test_a_site_is_put_on_the_map(estate):
    place = {"site": "A-1", "lat": -6.175392, "lon": 106.827153}
    said = estate.ask("PUT", "sites/place", json=place)
    assert said.status_code == 200
    assert said.json() == place | {"meters": 2, "meters_on": 2}
    assert [(each["site"], each["lat"]) for each in estate.get("sites")["items"]] == [("A-1", -6.175392), ("B-2", None)]
    assert [each["lat"] for each in estate.get("sites", "neighbour")["items"]] == [None]
    assert estate.get(f"incidents/{OUR_INCIDENT}")["sites"] == [place | {"meters": 1, "meters_on": 1}]


def test_a_site_that_no_meter_has_is_refused(estate):
    response = estate.ask("PUT", "sites/place", json={"site": "Nowhere", "lat": 0, "lon": 0})
    assert "Nowhere" in is_problem(response, 422, "bad-argument")["detail"]


@pytest.mark.parametrize("lat", [86, -86, None, "north"])
def test_degrees_that_are_none_are_refused(estate, lat):
    assert estate.ask("PUT", "sites/place", json={"site": "A-1", "lat": lat, "lon": 0}).status_code == 422
