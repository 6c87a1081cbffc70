"""The arrays decide what the whole stack lives through; evidence for larger fleets is `nyala lorawan agree`."""

import json

import pytest
from typer.testing import CliRunner

from nyala.cli.main import app
from nyala.sim.agreement import agree
from nyala.sim.setup import Scenario
from nyala.vocab.errors import BadArgumentError


def test_every_frame_of_a_crowded_hour_has_one_fate_in_both():
    found = agree(Scenario(120, 1, gateways=2, commands=0, profile="lorasim", seed=3), 1)
    assert found["differ"] == 0
    assert found["uplinks"] > 500
    assert found["downlinks"] > 100
    assert min(found["whole_stack"]["heard"], found["whole_stack"]["deaf"], found["whole_stack"]["collided"]) > 0
    assert found["whole_stack"] == found["arrays"]
    assert found["delivery_ratio"] == pytest.approx(found["delivery_ratio_drawn"], abs=0.02)


@pytest.mark.parametrize(("scenario", "hours"), [(Scenario(1, 1), 0), (Scenario(1, 1), 25), (Scenario(1, 1, loss=0.1), 1)])
def test_a_span_out_of_bounds_and_losses_beside_the_radio_are_refused(scenario, hours):
    with pytest.raises(BadArgumentError):
        agree(scenario, hours)


def test_the_command_says_what_both_decided():
    result = CliRunner().invoke(app, ["lorawan", "agree", "--meters", "3", "--hours", "1", "--json"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["meters"], found["differ"]) == (3, 0)
    told = CliRunner().invoke(app, ["lorawan", "agree", "--meters", "3", "--hours", "1"])
    assert "0 differ" in told.stdout
