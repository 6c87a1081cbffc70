"""`nyala telegram train`, `nyala bench telegram`: shapes that scripts rely on, refusals."""

from datetime import UTC, datetime, timedelta

import pytest

from nyala.telegram.load_model_file import hash_of, read_model

QUARTERS = 96 * 8


@pytest.fixture
def load(tmp_path):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [f"{(start + timedelta(minutes=15 * at)).isoformat()},{at * 7 % 90 + 20}" for at in range(QUARTERS)]
    file = tmp_path / "mine.csv"
    file.write_text("\n".join(["start,import_wh", *rows]) + "\n")
    return file


def test_tables_are_made_from_a_file_and_say_what_they_cost(nyala, load, tmp_path):
    said = nyala("telegram", "train", "--load", load, "--out", tmp_path / "mine.json", "--epoch", 3, "--licence", "ours").json
    model = read_model(tmp_path / "mine.json")
    assert (model.epoch, model.made_from, model.licence) == (3, "mine.csv", "ours")
    assert (said["sha256"], said["size_bytes"]) == (hash_of(model), model.size_bytes)
    assert set(said["bits_per_interval"]) == {"train", "test"}
    assert set(said["bits_per_interval"]["test"]["mine"]) == {"4", "8", "24"}


def test_what_cannot_be_trained_is_refused_in_one_line(nyala, load, tmp_path):
    assert "none.csv" in nyala("telegram", "train", "--load", tmp_path / "none.csv", "--out", tmp_path / "x").refusal
    ended = nyala("telegram", "train", "--load", load, "--out", tmp_path / "no" / "x")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith("cannot be written: No such file or directory\n")


def test_the_benchmark_of_telegrams_names_its_figures_and_its_baseline(nyala):
    said = nyala("bench", "telegram", "--json").json
    figures = {f"bits_per_interval_{size}" for size in (4, 8, 24)}
    figures |= {"model_entropy_bits", "ratio_to_entropy_24", "encode_us", "decode_us", "decode_us_batched"}
    assert set(said) == {"bench", "figures", "baseline", "conditions"}
    assert figures <= set(said["figures"])
    assert "Rice" in said["baseline"]
