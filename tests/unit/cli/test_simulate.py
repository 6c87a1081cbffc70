"""`nyala simulate` and `nyala bench`: the shape that scripts rely on (DESIGN 7), the same for the same seed."""

import pytest

SHAPE = {
    "energy_wh": {"meters", "stored", "billed", "estimated", "not_supplied"},
    "intervals": {"expected", "received", "estimated", "missing"},
    "commands": {"issued", "verified", "failed", "expired", "median_s", "p99_s"},
    "wall": {"seconds", "speed"},
}
NUMBERS = {"seed", "meters", "days", "uplinks", "duplicates", "airtime_s"}
RUN = ["simulate", "--meters", 3, "--days", 1]


@pytest.mark.timeout(120)
def test_a_run_reports_its_laws_and_is_the_same_for_the_same_seed(nyala):
    first, again = nyala(*RUN, "--json"), nyala(*RUN, "--json")
    assert (first.code, first.out.count("\n")) == (0, 1)
    report = first.json
    assert set(report) >= {"laws"} | SHAPE.keys() | NUMBERS
    for name, keys in SHAPE.items():
        assert set(report[name]) >= keys
    assert all(set(energy) == {"import", "export"} for energy in report["energy_wh"].values())
    assert all(isinstance(report[name], int | float) for name in NUMBERS)
    assert [(law["law"], law["holds"], law["broken"]) for law in report["laws"]] == [(n, True, []) for n in range(1, 6)]
    assert all(set(law) >= {"name", "checked"} and law["checked"] > 0 for law in report["laws"])
    energy = report["energy_wh"]
    for way in ("import", "export"):
        assert energy["billed"][way] == energy["stored"][way] + energy["estimated"][way] == energy["meters"][way]
    assert (report["seed"], report["meters"], report["days"]) == (1, 3, 1)
    assert {**report, "wall": None} == {**again.json, "wall": None}


@pytest.mark.timeout(120)
def test_another_seed_is_another_run_and_a_person_can_read_it(nyala, tmp_path):
    said = nyala(*RUN, "--seed", 2, "--db", tmp_path / "kept")
    assert said.code == 0
    assert [line.split()[3] for line in said.out.splitlines()[:5]] == ["holds"] * 5
    assert said.err.splitlines()[-1].strip() == "100%"
    assert nyala("db", "verify", "--db", tmp_path / "kept").code == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--meters", 0], "0 meters"),
        (["--days", 0], "0 days; 1 to 366 can be simulated"),
        (["--days", 367], "367 days"),
        (["--loss", 1], "loss 1.0 is not a probability below 1"),
        (["--loss", -0.1], "loss -0.1"),
        (["--gateways", 0], "0 gateways; 1 to 64"),
        (["--gateways", 65], "65 gateways"),
        (["--outages", -1], "never negative"),
        (["--commands", -1], "never negative"),
        (["--seed", -1], "never negative"),
        (["--model", "two-phase"], "two-phase"),
        (["--load", "nothing.csv"], "nothing.csv"),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_one_line(nyala, arguments, why):
    plain = {"--meters": 3, "--days": 1} | {arguments[0]: arguments[1]}
    assert why in nyala("simulate", *(each for pair in plain.items() for each in pair)).refusal


def test_a_benchmark_that_is_not_there_is_refused_and_the_others_are_named(nyala):
    said = nyala("bench", "nothing").refusal
    assert said.startswith("unknown benchmark: nothing (")
    assert "lorawan" in said
