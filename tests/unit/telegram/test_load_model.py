"""The alphabet, the classes, the models of the package and their file."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram import load_model_file
from nyala.telegram.load_model import (
    CLASS_OF,
    CLASSES,
    CONTEXTS,
    ESCAPE,
    EXACT,
    RAW_BITS,
    SETTINGS,
    TABLES,
    TOKEN_OF,
    TOKEN_START,
    TOKENS,
    VALUES,
    is_sound,
)
from nyala.telegram.load_model_file import (
    BYTES_MAX,
    EPOCHS,
    from_bytes,
    from_text,
    hash_of,
    model_of_epoch,
    read_model,
    to_bytes,
    to_text,
)
from nyala.telegram.range_coder import TOTAL
from nyala.vocab.errors import FileError, UnknownError
from nyala.vocab.quantities import Channel

MODULE_FLASH_BYTES = 256 * 1024


def test_tokens_are_exact_to_fifteen_then_eight_to_the_octave():
    assert TOKEN_START[:EXACT] == tuple(range(16))
    assert TOKEN_START[EXACT : EXACT + 9] == (16, 18, 20, 22, 24, 26, 28, 30, 32)
    assert (TOKENS, TOKEN_START[ESCAPE]) == (105, 32_768)
    for token, (start, after) in enumerate(pairwise(TOKEN_START)):
        assert after - start == 1 << RAW_BITS[token]
        assert {TOKEN_OF[start], TOKEN_OF[after - 1]} == {token}


def test_classes_rise_and_all_are_used():
    assert len(CLASS_OF) == VALUES
    assert sorted(set(CLASS_OF)) == list(range(CLASSES))
    assert list(CLASS_OF) == sorted(CLASS_OF)
    assert all(CLASS_OF[start] == CLASS_OF[after - 1] for start, after in pairwise(TOKEN_START))


def test_every_channel_has_a_setting_whose_condition_is_coded_before_it():
    order = list(SETTINGS)
    assert set(order) == set(Channel)
    for channel, setting in SETTINGS.items():
        assert setting.tables in TABLES
        assert setting.condition is None or order.index(setting.condition) < order.index(channel)


@pytest.mark.parametrize("epoch", EPOCHS)
def test_a_model_of_the_package_is_sound_fits_a_module_and_says_where_it_is_from(epoch):
    model = model_of_epoch(epoch)
    assert model.epoch == epoch
    assert all(is_sound(tables) for tables in model.tables.values())
    assert model.size_bytes == len(to_bytes(model.tables))
    assert model.size_bytes < MODULE_FLASH_BYTES // 3
    assert model.made_from
    assert model.licence


HASHES = {
    0: "2acb82902f0b4b6c4db359175ccb4d5bf4a85081cd3b5c4628aa4deb01524569",
    1: "647dbc110c19ddf5466520b41e5c2bebd5d53805007875dfd9b13d93a24ed090",
}


@pytest.mark.parametrize("epoch", EPOCHS)
def test_tables_that_are_on_the_air_do_not_change(epoch):
    assert hash_of(model_of_epoch(epoch)) == HASHES[epoch]


@pytest.mark.parametrize("epoch", EPOCHS)
def test_a_file_reads_back(epoch):
    model = model_of_epoch(epoch)
    assert from_text(to_text(model), "file") == model
    assert len(to_bytes(model.tables)) <= BYTES_MAX


def test_an_epoch_that_is_not_there_is_refused():
    with pytest.raises(UnknownError, match="epoch of load models: 3"):
        model_of_epoch(3)


def changed(**fields):
    return json.dumps(json.loads(to_text(model_of_epoch(0))) | fields)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no load model"),
        ("[]", "no load model"),
        ("[" * 100_000, "no load model"),
        ("{}", "no load model"),
        (changed(format="nyala load model 2"), "format 'nyala load model 2'"),
        (changed(tables="?"), "no load model"),
        (changed(tables="AAAA"), "no load model"),
        (changed(sha256="0" * 64), "do not have the hash"),
        (changed(epoch="1"), "epoch is a number"),
        (changed(epoch=-1), "epoch is a number"),
        (changed(licence=None), "licence are text"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_name(text, said):
    with pytest.raises(FileError, match=said) as refused:
        from_text(text, "mine.json")
    assert str(refused.value).startswith("mine.json: ")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileError, match="cannot be read"):
        read_model(tmp_path / "none.json")


def test_a_file_on_disk_is_the_model_that_was_written(tmp_path):
    (tmp_path / "mine.json").write_text(to_text(model_of_epoch(0)), "utf-8")
    assert read_model(tmp_path / "mine.json") == model_of_epoch(0)


@given(st.binary(max_size=300) | st.binary(max_size=8).map(lambda head: head + to_bytes(model_of_epoch(0).tables)[len(head) :]))
def test_any_table_bytes_are_sound_tables_or_refused(data):
    try:
        tables = from_bytes(data, "file")
    except FileError:
        return
    assert all(is_sound(each) for each in tables.values())


@pytest.mark.parametrize("cut", [-1, 1])
def test_table_bytes_of_another_length_are_refused(cut):
    data = to_bytes(model_of_epoch(0).tables)
    with pytest.raises(FileError):
        from_bytes(data[:cut] if cut < 0 else data + b"\0", "file")


def test_tables_that_no_coder_can_work_with_are_not_sound():
    good = model_of_epoch(0).tables["import"]
    flat = (*range(TOKENS), TOTAL)
    wrong = [
        replace(good, choice=(0, TOTAL)),
        replace(good, forms=good.forms[1:]),
        replace(good, pool=()),
        replace(good, pool=((0, *flat[2:], TOTAL + 1), *good.pool[1:])),
        replace(good, pool=((0, 0, *flat[2:]), *good.pool[1:])),
        replace(good, maps=(bytes([len(good.pool)]) * CONTEXTS, *good.maps[1:])),
        replace(good, maps=(good.maps[0][:-1], *good.maps[1:])),
    ]
    assert is_sound(replace(good, pool=(flat, *good.pool[1:])))
    assert [each for each in wrong if is_sound(each)] == []


def test_the_first_epoch_of_meters_is_in_the_package():
    assert load_model_file.EPOCH in EPOCHS
