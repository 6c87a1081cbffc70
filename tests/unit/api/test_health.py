"""Clocks, lost events and diagnostics over HTTP."""

from nyala.headend.ports import Changes
from nyala.store import meters
from nyala.vocab.time import US_PER_S
from tests.unit.api.estate import NOW_S, OURS, SILENT, THEIRS, is_problem
from tests.unit.store.filled import write


def unwell(estate):
    """Our meter's clock is fast, an event is lost, and its module has told something."""
    registry = estate.running.registry
    for meter_id, off_ms in ((OURS, 5_000), (THEIRS, 9_000)):
        health = registry.state(meter_id).health
        health.clock_ms, health.clock_seen, health.lost = off_ms, 10, (7,)
        health.resync_us = (NOW_S - 60) * US_PER_S
        health.told = {"clock_error_ms": (-300, NOW_S), "clock_drift_ppb": (3_500, NOW_S), "battery_v": (358, NOW_S)}
    write(estate.engine, Changes(states=[registry.state(OURS), registry.state(THEIRS)]))


def test_a_meter_shows_how_it_is(estate):
    unwell(estate)
    assert estate.get(f"meters/{OURS}/health") == {
        "clock": {"error_ms": 5_000, "off": True, "step_ms": -300, "drift_ppb": 3_500, "resync_s": NOW_S - 60},
        "lost_events": [7],
        "told": [
            {"name": "battery_v", "value": 358, "at_s": NOW_S},
            {"name": "clock_drift_ppb", "value": 3_500, "at_s": NOW_S},
            {"name": "clock_error_ms", "value": -300, "at_s": NOW_S},
        ],
    }


def test_a_meter_that_was_never_heard_has_told_nothing(readonly):
    said = readonly.get(f"meters/{SILENT}/health")
    assert (said["clock"]["error_ms"], said["clock"]["off"], said["lost_events"], said["told"]) == (None, False, [], [])


def test_the_clocks_that_are_furthest_off_are_ones_own(estate):
    assert estate.get("clocks") == {"items": [], "off": 0, "known": 0}
    unwell(estate)
    found = estate.get("clocks")
    assert [(line["meter_id"], line["error_ms"], line["off"]) for line in found["items"]] == [(OURS, 5_000, True)]
    assert (found["off"], found["known"]) == (1, 1)
    assert [line["meter_id"] for line in estate.get("clocks?limit=1", "neighbour")["items"]] == [THEIRS]


def test_a_limit_that_is_none_is_refused(readonly):
    assert readonly.ask("GET", "clocks?limit=0").status_code == 422
    is_problem(readonly.ask("GET", f"meters/{THEIRS}/health"), 404, "unknown")


def test_health_survives_a_restart(estate):
    unwell(estate)
    with estate.engine.connect() as connection:
        kept = meters.state_of_meter(connection, OURS)
    assert kept is not None
    assert kept.health == estate.running.registry.state(OURS).health
