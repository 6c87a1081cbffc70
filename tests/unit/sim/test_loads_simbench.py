"""SimBench profiles as loads."""

import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nyala.meter.model import MODELS, MeterModel, meter_model
from nyala.sim.loads.simbench import (
    FILE_ROWS,
    YEAR_ROWS,
    YEAR_START_S,
    Profile,
    SimbenchLoads,
    profile_file,
    profiles,
    read_profiles,
)
from nyala.sim.loads.source import WIB_S
from nyala.vocab.errors import BadArgumentError, SurroundingsError, UnknownError
from nyala.vocab.quantities import MWS_PER_WH, Channel

FLEET = [meter_model(name) for name in MODELS for _ in range(15)]
START_S = 1_767_571_200
YEAR_S = YEAR_ROWS * 900
LOWEST_V = 207


@cache
def _loads(step_s: int = 900) -> SimbenchLoads:
    return SimbenchLoads(FLEET, 1, step_s)


def test_a_household_has_the_size_and_the_grid_of_the_reference() -> None:
    wanted = [profile for profile in profiles() if profile.grid_wh]
    assert {profile.name: profile.scale_wh for profile in wanted} == {
        "H0-A": 712,
        "H0-B": 714,
        "H0-C": 658,
        "H0-G": 558,
        "H0-L": 654,
    }
    active = read_profiles(profile_file(), wanted)[0]
    assert active.shape == (5, FILE_ROWS)
    assert np.all(active % MWS_PER_WH == 0)
    assert (active.max(axis=1) // MWS_PER_WH).tolist() == [profile.scale_wh for profile in wanted]
    # Mean of H0-A_pload 0.1391 per unit, times 712 Wh, times 35,136 rows.
    assert active[0].sum() / MWS_PER_WH == pytest.approx(0.1391 * 712 * FILE_ROWS, rel=0.001)


def test_every_profile_stays_within_its_meter() -> None:
    energies = read_profiles(profile_file(), profiles()) / (1000 * 900)
    for profile, active, reactive in zip(profiles(), *energies, strict=True):
        model = meter_model(profile.model)
        assert active.min() >= 0
        assert np.hypot(active, reactive).max() / model.phases / LOWEST_V < model.maximum_current_a, profile.name
        if model.name == "three-phase-ct":
            assert active.max() <= 3500


def test_meters_play_the_profiles_of_their_model_and_differ() -> None:
    loads = _loads()
    assert all(profile.model == model.name for profile, model in zip(loads.played, FLEET, strict=True))
    rows = loads.rows(START_S)
    assert len({(profile.name, int(row)) for profile, row in zip(loads.played, rows, strict=True)}) > len(FLEET) - 3


def test_rows_run_in_local_time_and_wrap_so_that_a_sunday_stays_a_sunday() -> None:
    loads = _loads()
    for start_s in (START_S, START_S + YEAR_S - 900, START_S + 5 * YEAR_S, YEAR_START_S - WIB_S, 0):
        rows = loads.rows(start_s)
        assert np.all((rows >= 0) & (rows < YEAR_ROWS))
        assert np.array_equal(rows, loads.rows(start_s + YEAR_S))
        assert np.array_equal((rows + 1) % YEAR_ROWS, loads.rows(start_s + 900))
        local = datetime.fromtimestamp(start_s + WIB_S, UTC)
        for row in rows.tolist():
            played = datetime.fromtimestamp(YEAR_START_S + row * 900, UTC)
            assert (played.weekday(), played.time()) == (local.weekday(), local.time())


def test_minutes_sum_to_the_quarter_exactly() -> None:
    fine = _loads(60)
    for start_s in range(START_S, START_S + 6 * 3600, 900):
        whole = _loads().segments(start_s)
        parts = [fine.segments(start_s + 60 * minute) for minute in range(15)]
        energy = np.sum([part.energy_mws for part in parts], axis=0)
        plain = [Channel.IMPORT, Channel.EXPORT, Channel.Q1, Channel.Q4]
        assert np.array_equal(energy[:, plain], whole.energy_mws[:, plain])
        # Each of 16 hypotenuses is rounded to a mVAs, and each part is cut to a mWs on two sides.
        assert np.max(np.abs(energy - whole.energy_mws)) <= 16 * 2
        assert np.all(energy >= 0)
        assert parts[-1].end_s == whole.end_s


def test_a_segment_says_mean_powers() -> None:
    segment = _loads().segments(START_S)
    energy = segment.energy_mws / (1000 * 900)
    assert np.allclose(segment.p_w.sum(axis=1), energy[:, Channel.IMPORT])
    assert np.allclose(segment.q_var.sum(axis=1), energy[:, Channel.Q1] - energy[:, Channel.Q4])
    assert np.all(segment.p_w[:15, 1:] == 0)
    assert np.all(segment.energy_mws[:, [Channel.EXPORT, Channel.Q2, Channel.Q3, Channel.EXPORT_VA]] == 0)


def test_the_same_seed_gives_the_same_load_in_any_order_and_in_another_fleet() -> None:
    few = SimbenchLoads(FLEET[:20], 1, 900)
    assert few.played == _loads().played[:20]
    starts = [START_S, START_S + 9000, START_S + 900]
    forth = [_loads().segments(start_s).energy_mws[:20] for start_s in starts]
    back = [few.segments(start_s).energy_mws for start_s in reversed(starts)]
    assert all(np.array_equal(a, b) for a, b in zip(forth, reversed(back), strict=True))


def test_another_seed_gives_another_load() -> None:
    other = SimbenchLoads(FLEET[:15], 2, 900)
    assert not np.array_equal(other.rows(START_S), _loads().rows(START_S)[:15])


def test_the_package_is_read_and_never_imported() -> None:
    _loads()
    assert "simbench" not in sys.modules
    assert "pandapower" not in sys.modules


def test_a_missing_package_says_how_to_install_it() -> None:
    with pytest.raises(SurroundingsError, match=r"pip install nyala\[data\]"):
        SimbenchLoads(FLEET, 1, 900, package="simbench_is_not_here")
    with pytest.raises(SurroundingsError, match=r"pip install nyala\[data\]"):
        profile_file("json")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "time;X_pload\n0;0\n",
        "time;X_pload;X_qload\n0;0.1;0\n",
        "time;X_pload;X_qload\n" + "0;0.1;0\n" * (FILE_ROWS - 1) + "0;-1;0\n",
        "time;X_pload;X_qload\n" + "0;0.1;0\n" * (FILE_ROWS - 1) + "0;nan;0\n",
        "time;X_pload;X_qload\n0;a;0\n",
        "time;X_pload;X_qload\n0;0\n",
        "time;X_pload;X_qload\n0;\u00e9;0\n",
    ],
)
def test_another_file_in_its_place_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "LoadProfile.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SurroundingsError, match="not the file of load profiles"):
        read_profiles(file, [Profile("X", "single-phase", 100, 0, "a test")])


def test_a_model_without_profiles_or_another_step_is_refused() -> None:
    stranger = MeterModel(**{name: getattr(FLEET[0], name) for name in MeterModel.__slots__} | {"name": "gas"})
    with pytest.raises(UnknownError, match="gas"):
        SimbenchLoads([*FLEET, stranger], 1, 900)
    with pytest.raises(BadArgumentError, match="60 or 900"):
        SimbenchLoads(FLEET, 1, 450)
