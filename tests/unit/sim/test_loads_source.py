"""The way in: a load source by name or path."""

from pathlib import Path

import numpy as np
import pytest

from nyala.meter.model import MODELS, meter_model
from nyala.sim.loads import KINDS, first_start_s, load_source
from nyala.sim.loads.series import SeriesLoads
from nyala.sim.loads.simbench import SimbenchLoads
from nyala.sim.loads.source import checked_models
from nyala.sim.loads.synthetic import SyntheticLoads
from nyala.vocab.errors import BadArgumentError, FileError, UnknownError
from nyala.vocab.time import instant_from_text

FLEET = [meter_model(name) for name in MODELS]
FIRST = "2026-01-05T00:00:00Z"
START_S = instant_from_text(FIRST)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "load.CSV"
    path.write_text(f"start,import_wh\n{FIRST},1\n2026-01-05T00:15:00Z,2\n", encoding="utf-8")
    return str(path)


def test_each_kind_gives_its_source(file: str) -> None:
    for kind, source in (("synthetic", SyntheticLoads), ("simbench", SimbenchLoads), (file, SeriesLoads)):
        loads = load_source(kind, FLEET, 1, 900, START_S)
        assert isinstance(loads, source)
        segment = loads.segments(START_S)
        assert (loads.step_s, segment.end_s) == (900, START_S + 900)
        assert segment.energy_mws.shape == (3, 8)
        assert segment.energy_mws.dtype == np.int64
        assert segment.u_v.shape == segment.p_w.shape == segment.q_var.shape == (3, 3)
        assert segment.f_hz.shape == (3,)


def test_a_file_says_where_its_run_starts_and_the_others_start_anywhere(file: str) -> None:
    assert first_start_s(file) == START_S
    assert [first_start_s(kind) for kind in KINDS] == [None, None]


def test_a_file_shorter_than_the_run_is_refused_at_once(file: str) -> None:
    load_source(file, FLEET, 1, 900, START_S, START_S + 1800)
    with pytest.raises(FileError, match="goes from"):
        load_source(file, FLEET, 1, 900, START_S, START_S + 2700)
    with pytest.raises(FileError, match="goes from"):
        load_source(file, FLEET, 1, 900, START_S - 900)


@pytest.mark.parametrize("kind", ["", "Synthetic", "load.xlsx", "csv"])
def test_another_kind_is_refused(kind: str) -> None:
    with pytest.raises(UnknownError, match="load source"):
        load_source(kind, FLEET, 1, 900, START_S)
    with pytest.raises(UnknownError, match="load source"):
        first_start_s(kind)


def test_another_step_and_too_many_meters_are_refused(file: str) -> None:
    for kind in (*KINDS, file):
        with pytest.raises(BadArgumentError, match="60 or 900"):
            load_source(kind, FLEET, 1, 61, START_S)
    with pytest.raises(BadArgumentError, match="at most"):
        checked_models(range(1_000_001))  # type: ignore[arg-type]
