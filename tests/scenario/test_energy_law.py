"""Laws 1-5 over whole worlds, from mains to determinants, through everything that may go wrong.  Seeded: a failure repeats."""

from dataclasses import replace

import pytest

from nyala.sim.datagrams import Backhaul
from nyala.sim.faults import Fault, Outage
from nyala.sim.setup import START_S, Scenario
from nyala.sim.simulation import simulate

HOUR = 3_600
CALM = Scenario(meters=10, days=2, commands=2)


def assert_laws_hold(report):
    assert [(law["law"], law["broken"]) for law in report["laws"] if not law["holds"]] == []
    assert all(law["checked"] > 0 for law in report["laws"])
    energy = report["energy_wh"]
    for direction in ("import", "export"):
        assert energy["billed"][direction] == energy["meters"][direction]
        assert energy["stored"][direction] + energy["estimated"][direction] == energy["billed"][direction]
    assert energy["meters"]["import"] > 0
    intervals = report["intervals"]
    assert intervals["received"] + intervals["estimated"] + intervals["missing"] == intervals["expected"]
    assert report["anchors"]["wrong"] == 0


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("loss", [0.0, 0.1, 0.3])
def test_energy_is_conserved_whatever_is_lost_on_the_air(loss, seed):
    report = simulate(replace(CALM, loss=loss, seed=seed))
    assert_laws_hold(report)
    assert report["intervals"]["missing"] == 0
    assert report["commands"]["issued"] == 2
    assert report["commands"]["verified"] + report["commands"]["expired"] + report["commands"]["failed"] == 2


def test_duplicated_and_reordered_datagrams_have_their_effect_once():
    report = simulate(replace(CALM, loss=0.05, backhaul=Backhaul(latency_s=0.05, jitter_s=6.0, duplicates=0.5), seed=3))
    assert_laws_hold(report)
    assert report["duplicates"] > report["uplinks"] / 2


def test_lost_datagrams_are_asked_for_again():
    report = simulate(replace(CALM, backhaul=Backhaul(loss=0.2), seed=4))
    assert_laws_hold(report)
    assert report["backfill_requests"] > 0


FAULTS = {
    "a meter's supply is cut over midnight": Fault(START_S + 22 * HOUR, START_S + 27 * HOUR, Outage.METER, 3),
    "a meter's supply is cut at the end of the run": Fault(START_S + 46 * HOUR, START_S + 50 * HOUR, Outage.METER, 0),
    "the only gateway fails for half a day": Fault(START_S + 10 * HOUR, START_S + 22 * HOUR, Outage.GATEWAY, 0),
    "the head-end is killed and comes back": Fault(START_S + 20 * HOUR, START_S + 20 * HOUR + 600, Outage.CENTRE, 0),
    "the head-end is away for a night": Fault(START_S + 15 * HOUR, START_S + 25 * HOUR, Outage.CENTRE, 0),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_energy_is_conserved_through_an_outage(fault):
    gateways = 1 if fault.outage is Outage.GATEWAY else 2
    report = simulate(replace(CALM, faults=(fault,), gateways=gateways, loss=0.05, seed=5))
    assert_laws_hold(report)
    assert report["intervals"]["missing"] == 0


@pytest.mark.parametrize("hold_up_bytes", [0, 900, 1_600, 2_100])
def test_laws_hold_where_power_fail_saves_are_torn(hold_up_bytes):
    cuts = [
        Fault(START_S + at_s, START_S + at_s + 700, Outage.METER, row, hold_up_bytes)
        for row in range(6)
        for at_s in range(HOUR + 431 * row, 40 * HOUR, 3 * HOUR + 977 * row)
    ]
    report = simulate(replace(CALM, meters=6, faults=tuple(cuts), loss=0.05, commands=4, seed=8))
    assert_laws_hold(report)
    assert report["power_cuts"] == {"meters": len(cuts), "torn_saves": len(cuts)}


def test_energy_is_conserved_through_everything_at_once():
    report = simulate(replace(CALM, meters=12, days=3, loss=0.2, outages=12, commands=6, seed=6))
    assert_laws_hold(report)


def test_energy_that_was_not_taken_while_a_switch_was_open_is_reported():
    report = simulate(replace(CALM, meters=4, model="single-phase", commands=1, seed=7))
    assert_laws_hold(report)
    assert report["commands"]["verified"] == 1
    assert report["energy_wh"]["not_supplied"]["import"] > 0


@pytest.mark.parametrize("model", ["single-phase", "three-phase", "three-phase-ct"])
def test_every_model_keeps_the_laws(model):
    report = simulate(replace(CALM, meters=3, days=1, model=model, commands=None))
    assert [law for law in report["laws"] if not law["holds"] and law["checked"]] == []
    assert report["commands"]["issued"] == (0 if model == "three-phase-ct" else 1)


def test_real_load_series_keep_the_laws():
    assert_laws_hold(simulate(replace(CALM, load="simbench", days=1)))


def test_a_file_is_registered_to_the_watt_hour(tmp_path):
    file = tmp_path / "load.csv"
    rows = [f"2026-09-01T{i // 4:02d}:{i % 4 * 15:02d}:00Z,{100 + i},{i % 3}" for i in range(96)]
    file.write_text("\n".join(["start,import_wh,export_wh", *rows]) + "\n")
    report = simulate(Scenario(meters=3, days=1, load=str(file), commands=0, loss=0.1))
    assert report["energy_wh"]["meters"] == {"import": 3 * sum(100 + i for i in range(96)), "export": 3 * 96}
    assert report["energy_wh"]["billed"] == report["energy_wh"]["meters"]
