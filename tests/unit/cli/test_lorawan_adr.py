"""`nyala lorawan adr`: the shape that scripts rely on, refusals."""

FIGURES = {
    "delivery_ratio",
    "worst_tenth_delivery",
    "airtime_ms_per_uplink",
    "airtime_ms_per_delivered",
    "mean_nb_trans",
    "mean_data_rate",
    "requests_per_meter",
}


def test_the_algorithms_stand_side_by_side(nyala):
    said = nyala("lorawan", "adr", "--meters", 5, "--rounds", 20, "--json").json
    assert {"fades", "profile", "meters", "gateways", "rounds", "seed", "algorithms"} <= said.keys()
    assert set(said["algorithms"]) == {"margin", "spread"}
    assert all(figures.keys() == FIGURES for figures in said["algorithms"].values())


def test_without_json_there_is_a_line_for_each_figure(nyala):
    lines = nyala("lorawan", "adr", "--meters", 5, "--rounds", 20).out.splitlines()
    assert lines[0].split() == ["margin", "spread"]
    assert {line.split()[0] for line in lines[1:]} == FIGURES


def test_fades_that_are_not_there_are_refused(nyala):
    assert "unknown fades: storm" in nyala("lorawan", "adr", "--fades", "storm").refusal
