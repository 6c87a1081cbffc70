"""`nyala lorawan capacity`, `nyala bench capacity`, `nyala simulate --gateway-udp`: shapes that scripts rely on, refusals."""

import pytest

NAMES = {
    "profile",
    "gateways",
    "meters",
    "report_s",
    "payload_bytes",
    "channels",
    "seed",
    "sf_share",
    "capacity",
    "more",
    "curve",
}
POINT = {
    "meters",
    "delivery_ratio",
    "collision_ratio",
    "demodulator_ratio",
    "deaf_ratio",
    "load",
    "gateway_duty",
    "aloha_ratio",
}
QUICK = ["lorawan", "capacity", "--report-minutes", 5]


@pytest.mark.timeout(120)
def test_the_answer_names_its_figures_and_is_the_same_for_the_same_seed(nyala):
    first, again = nyala(*QUICK, "--meters", 100, "--json"), nyala(*QUICK, "--meters", 100, "--json")
    assert (first.code, first.out.count("\n")) == (0, 1)
    assert first.json == again.json
    assert set(first.json) >= NAMES
    assert set(first.json["capacity"]) == set(first.json["more"]) == {"99", "99.9"}
    assert all(set(point) >= POINT for point in first.json["curve"])


@pytest.mark.timeout(120)
def test_a_person_reads_the_curve_and_how_many_more(nyala):
    said = nyala(*QUICK, "--profile", "hata", "--gateways", 2)
    assert said.code == 0
    assert said.out.splitlines()[0].startswith("2 gateway(s), 8 channels, radio profile hata: 11 bytes each 300 s")
    assert [line.split(" % ")[0] for line in said.out.splitlines()[-2:]] == ["99", "99.9"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["lorawan", "capacity", "--profile", "moon"], "moon (oulu, hata, ns3, lorasim are there)"),
        (["lorawan", "capacity", "--meters", -1], "meters -1"),
        (["lorawan", "capacity", "--report-minutes", 0.1], "seconds between reports 6"),
        (["simulate", "--meters", 2, "--days", 1, "--profile", "moon"], "moon"),
        (["simulate", "--meters", 2, "--days", 1, "--gateway-udp", "nowhere"], "is not HOST:PORT"),
        (["simulate", "--meters", 0, "--days", 1, "--gateway-udp", "localhost:1700"], "0 meters"),
        (
            ["simulate", "--meters", 2, "--days", 1, "--gateway-udp", "localhost:1700", "--devices", "/nowhere/at/all.csv"],
            "/nowhere/at/all.csv",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(nyala, arguments, why):
    said = nyala(*arguments)
    assert (said.code, said.out) == (2, "")
    assert why in said.err
    assert said.err.count("\n") == 1


@pytest.mark.timeout(120)
def test_the_benchmark_of_capacity_names_its_figures_and_its_baseline(nyala):
    said = nyala("bench", "capacity", "--json")
    assert said.code == 0
    figures = said.json["figures"]
    assert figures["meters_99"] == pytest.approx(figures["ratio_to_aloha_99"] * figures["aloha_meters_99"], rel=0.01)
    assert figures["meters_99_9"] < figures["meters_99"]
    assert said.json["baseline"].startswith("frames: pure ALOHA")
