"""What the tables of the package are worth on measured homes that they have not seen: ratios on a slice, no times."""

import numpy as np
import pytest

from nyala.bench import telegram as bench
from nyala.sim.loads.interval_sets import SUNS, TEST_PROFILES, TEST_SUNS, load_set, simbench_kinds
from nyala.sim.loads.simbench import profiles
from nyala.telegram.load_model_file import EPOCH, EPOCHS, model_of_epoch
from nyala.vocab.errors import FileError
from nyala.vocab.quantities import Channel

EVERY = 13
IMPORT = (Channel.IMPORT,)


@pytest.fixture(scope="module")
def kinds():
    return {kind.name: kind.series for kind in simbench_kinds(test=True)}


@pytest.mark.parametrize(("epoch", "bits"), [(0, {4: 6.9, 8: 6.4, 24: 6.1}), (1, {4: 6.8, 8: 6.3, 24: 5.9})])
def test_a_home_costs_what_was_promised(kinds, epoch, bits):
    for size, most in bits.items():
        assert bench.bits_of(model_of_epoch(epoch), bench.frames(kinds["single-phase"], IMPORT, size, EVERY)) <= most


@pytest.mark.parametrize("epoch", EPOCHS)
def test_bytes_cost_little_beside_what_the_model_says(kinds, epoch):
    frames = bench.frames(kinds["single-phase"], IMPORT, 24, EVERY)
    model = model_of_epoch(epoch)
    entropy = np.mean([bench.ideal_bits(model, frame) for frame in frames]) / 24
    assert 1 < bench.bits_of(model, frames) / entropy <= 1.04


@pytest.mark.parametrize("size", [4, 8, 24])
def test_it_beats_the_best_rice_code_of_each_frame(kinds, size):
    homes = kinds["single-phase"]
    coded = bench.bits_of(model_of_epoch(EPOCH), bench.frames(homes, IMPORT, size, EVERY))
    assert coded <= 0.95 * bench.rice_bits(homes, size)


def test_four_channels_of_a_home_leave_room_for_a_header_in_eleven_bytes(kinds):
    model = model_of_epoch(EPOCH)
    assert bench.bits_of(model, bench.frames(kinds["single-phase"], bench.FULL, 4, EVERY)) / 2 <= 7


def test_export_that_is_not_there_costs_less_than_a_bit_in_ten_intervals(kinds):
    model = model_of_epoch(EPOCH)
    alone, both = (
        bench.bits_of(model, bench.frames(kinds["single-phase"], each, 24, EVERY)) for each in (IMPORT, bench.FULL[:2])
    )
    assert both - alone < 0.1


def test_test_and_training_have_no_profile_in_common():
    names = {profile.name for profile in profiles()}
    assert names >= TEST_PROFILES
    assert {"H0-G", "H0-L"} <= TEST_PROFILES
    assert not {"H0-A", "H0-B", "H0-C"} & TEST_PROFILES
    assert not {*SUNS} & {*TEST_SUNS}


def test_a_meter_with_a_sun_counts_what_the_load_and_the_sun_leave():
    for kind in simbench_kinds(test=True):
        for series in kind.series:
            assert all(row.min() >= 0 for row in series.values())
            assert len({len(row) for row in series.values()}) == 1
            assert (series[Channel.IMPORT_VA] >= series[Channel.IMPORT] - 1).all()
            assert not (series[Channel.Q1] * series[Channel.Q4]).any()


def test_a_file_of_intervals_is_split_by_time(tmp_path):
    lines = [f"2026-01-01T{at // 4:02}:{at % 4 * 15:02}:00Z,{at}" for at in range(96)]
    (tmp_path / "mine.csv").write_text("\n".join(["start,import_wh", *lines]) + "\n")
    loads = load_set(str(tmp_path / "mine.csv"))
    assert loads.train[0].series[0][Channel.IMPORT].tolist() == list(range(72))
    assert loads.test[0].series[0][Channel.IMPORT].tolist() == list(range(72, 96))
    with pytest.raises(FileError):
        load_set(str(tmp_path / "none.csv"))
