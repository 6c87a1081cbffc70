"""The trainer: its frames are those of the coder, its tables are sound, its refusals, and that learning helps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.telegram.load_model import ESCAPE, TABLES, TOKEN_OF, VALUES, Form, is_sound
from nyala.telegram.load_model_coder import contexts, decode_body, encode_body, setting_of, symbols
from nyala.telegram.load_model_file import EPOCHS, hash_of, model_of_epoch
from nyala.telegram.range_coder import TOTAL
from nyala.telegram.train import KINDS_MAX, Kind, forms_of, framed, frames_of, scaled, train
from nyala.telegram.train_tables import whole
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import Channel

DAYS = 12


def steady(seed: int, *, around: int = 5_000, step: int = 3) -> dict[Channel, np.ndarray]:
    """A load that wanders by small steps around a large value: no household."""
    rng = np.random.default_rng(seed)
    return {Channel.IMPORT: around + np.cumsum(rng.integers(-step, step + 1, 96 * DAYS))}


def made(*kinds: Kind):
    return train(kinds, epoch=2, made_from="a test", licence="none")


@pytest.fixture(scope="module")
def trained():
    return made(Kind("steady", 1.0, [steady(1), steady(2)]))


def bytes_of(model, load) -> int:
    return sum(len(encode_body(model, {Channel.IMPORT: row})) for row in framed(load[Channel.IMPORT], 24).tolist())


def test_tables_made_of_a_load_are_sound_and_say_it_shorter_than_those_of_homes(trained):
    assert all(is_sound(tables) for tables in trained.tables.values())
    unseen = steady(3)
    assert bytes_of(trained, unseen) < 0.8 * min(bytes_of(model_of_epoch(epoch), unseen) for epoch in EPOCHS)


def test_a_smooth_large_load_is_said_in_differences(trained):
    assert trained.tables["import"].forms == (Form.DIFFERENCES,)


def test_a_kind_whose_frames_suit_both_forms_has_both_and_says_how_likely_each_is():
    rng = np.random.default_rng(5)
    noise = {Channel.IMPORT: rng.integers(0, 30, 96 * DAYS)}
    tables = made(Kind("both", 1.0, [noise, steady(1), steady(2)])).tables["import"]
    assert tables.forms == (Form.VALUES, Form.DIFFERENCES)
    values, differences, plain = np.diff(tables.choice)
    assert differences > values > plain


def test_a_channel_that_was_not_in_training_is_said_in_plain_bits(trained):
    rows = {Channel.IMPORT: (1, 2, 3), Channel.EXPORT: (0, 900, 70_000), Channel.IMPORT_VA: (1, 3, 3)}
    assert trained.tables["export"].plain == 0
    assert decode_body(trained, rows, 3, encode_body(trained, rows)) == rows


def test_the_same_loads_make_the_same_tables(trained):
    assert hash_of(made(Kind("steady", 1.0, [steady(1), steady(2)]))) == hash_of(trained)
    assert set(trained.tables) == set(TABLES)


@pytest.mark.parametrize(
    ("kinds", "why"),
    [
        ([], "at least 48 intervals"),
        ([Kind("none", 1.0, [])], "at least 48 intervals"),
        ([Kind("short", 1.0, [{Channel.IMPORT: np.arange(47)}])], "at least 48 intervals"),
        ([Kind(str(at), 1.0, [steady(at)]) for at in range(KINDS_MAX + 1)], f"{KINDS_MAX + 1} kinds"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(kinds, why):
    with pytest.raises(BadArgumentError, match=why):
        made(*kinds)


values = st.integers(0, 40) | st.integers(0, 900) | st.integers(0, 80_000)


@settings(max_examples=60)
@given(st.sampled_from(Channel), st.integers(2, 12), st.data())
def test_the_frames_that_are_counted_are_those_that_are_coded(channel, size, data):
    setting = setting_of(channel, Channel)
    rows = np.array(data.draw(st.lists(st.lists(values, min_size=size, max_size=size), min_size=1, max_size=4)))
    given_rows = np.array(
        data.draw(st.lists(st.lists(values, min_size=size, max_size=size), min_size=len(rows), max_size=len(rows)))
    )
    condition = None if setting.condition is None else given_rows
    if setting.excess:
        rows += given_rows
    for form in forms_of(setting):
        counted = frames_of(rows, condition, setting, form)
        for at, row in enumerate(rows.tolist()):
            conditions = () if condition is None else condition[at].tolist()
            said = symbols(row, conditions, setting, form)
            assert counted.places[at].tolist() == contexts(said, conditions, form)
            assert counted.tokens[at].tolist() == [TOKEN_OF[value] if value < VALUES else ESCAPE for value in said]


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=200).filter(any))
def test_whole_frequencies_leave_nothing_out(weights):
    table = whole(np.array(weights))
    assert (table[0], table[-1], len(table)) == (0, TOTAL, len(weights) + 1)
    assert all(np.diff(table) > 0)


def test_another_size_keeps_nothing_at_nothing_and_the_energy_in_proportion():
    load = {Channel.IMPORT: np.array([0, 100] * 2_000)}
    half = scaled(load, 0.5, np.random.default_rng(1))[Channel.IMPORT]
    assert not half[::2].any()
    assert half.mean() == pytest.approx(25, rel=0.02)
