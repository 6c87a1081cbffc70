"""Bodies of interval values: what goes in comes out, no load fails or exceeds its bound, any bytes are values or refused."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram.load_model import REGISTER_MAX, SETTINGS, Form
from nyala.telegram.load_model_coder import (
    COUNT_MAX,
    contexts,
    decode_body,
    encode_body,
    read,
    setting_of,
    size_max,
    symbols,
    write,
)
from nyala.telegram.load_model_file import EPOCHS, model_of_epoch
from nyala.telegram.range_coder import Decoder, Encoder
from nyala.vocab.errors import BadArgumentError, TelegramError
from nyala.vocab.quantities import Channel
from tests.unit.telegram.load_strategies import channel_sets, counts, in_order, loads, models

LARGEST_QUARTER_WH = 22_425
HOME_WH = (83, 81, 63, 51, 50, 49, 39, 43)


@given(models, loads())
def test_any_load_reads_back_within_its_bound(model, rows):
    body = encode_body(model, rows)
    count = len(next(iter(rows.values())))
    assert decode_body(model, rows, count, body) == rows
    assert list(decode_body(model, rows, count, body)) == in_order(rows)
    width = max(max(row) for row in rows.values()).bit_length()
    assert len(body) <= size_max(model, rows, count, width)


@given(models, channel_sets, counts, st.binary(max_size=200))
def test_any_bytes_are_values_that_can_be_said_again_or_refused(model, channels, count, data):
    try:
        rows = decode_body(model, channels, count, data)
    except TelegramError:
        return
    assert set(rows) == set(channels)
    assert all(len(row) == count and min(row) >= 0 and max(row) <= REGISTER_MAX for row in rows.values())
    assert decode_body(model, channels, count, encode_body(model, rows)) == rows


@pytest.mark.parametrize("epoch", EPOCHS)
def test_the_bound_is_a_number_that_fits_a_frame(epoch):
    """The largest direct-connected meter, hostile: 24 intervals in 47 bytes, 4 in 10; what no meter has: 96 x 63 bits."""
    model, only = model_of_epoch(epoch), (Channel.IMPORT,)
    assert size_max(model, only, 24, 15) <= 47
    assert size_max(model, only, 4, 15) <= 10
    assert size_max(model, only, COUNT_MAX, 63) <= 760
    hostile = Random(1)
    for _ in range(300):
        row = [hostile.choice((0, LARGEST_QUARTER_WH, hostile.randrange(LARGEST_QUARTER_WH))) for _ in range(24)]
        assert len(encode_body(model, {Channel.IMPORT: row})) <= 47


@pytest.mark.parametrize("epoch", EPOCHS)
def test_a_home_is_short_and_a_channel_that_stands_still_costs_almost_nothing(epoch):
    model = model_of_epoch(epoch)
    alone = encode_body(model, {Channel.IMPORT: HOME_WH})
    assert len(alone) <= 7
    with_export = encode_body(model, {Channel.IMPORT: HOME_WH, Channel.EXPORT: (0,) * 8})
    assert len(with_export) <= len(alone) + 1


VECTORS = {0: "a0ad78f12e44e3", 1: "a9bf40b5f856"}


@pytest.mark.parametrize("epoch", EPOCHS)
def test_the_bytes_of_a_home_stay_what_they_are(epoch):
    assert encode_body(model_of_epoch(epoch), {Channel.IMPORT: HOME_WH}).hex() == VECTORS[epoch]


@given(models, loads(), st.integers(0, 255))
def test_a_body_goes_on_behind_a_header_in_the_same_coder(model, rows, header):
    encoder = Encoder()
    encoder.put_bits(header, 8)
    write(encoder, model, rows)
    decoder = Decoder(encoder.finish())
    assert decoder.take_bits(8) == header
    assert read(decoder, model, rows, len(next(iter(rows.values())))) == rows


@given(models, loads(), st.integers(1, 5))
def test_zeros_behind_a_body_change_no_value_and_are_refused_only_where_no_symbol_looks(model, rows, more):
    body, count = encode_body(model, rows), len(next(iter(rows.values())))
    assert read(Decoder(body + bytes(more)), model, rows, count) == rows
    with pytest.raises(TelegramError, match="bytes behind the intervals"):
        decode_body(model, rows, count, body + bytes(1000))


@given(models, loads())
def test_encoding_is_the_same_every_time_and_in_any_order_of_channels(model, rows):
    assert encode_body(model, rows) == encode_body(model, dict(reversed(rows.items())))


def test_a_channel_without_its_condition_is_seen_like_import():
    model = model_of_epoch(0)
    assert setting_of(Channel.EXPORT, (Channel.EXPORT,)) == SETTINGS[Channel.IMPORT]
    assert encode_body(model, {Channel.EXPORT: HOME_WH}) == encode_body(model, {Channel.IMPORT: HOME_WH})


def test_contexts_look_at_the_value_before_and_the_running_level_only():
    row = [100, 100, 100, 500, 100]
    places = contexts(row, (), Form.VALUES)
    assert places[1] == places[2] == places[3]
    assert len({*places}) == 3
    assert places[4] != contexts([500, 500], (), Form.VALUES)[1]
    assert contexts(row[:3], (), Form.VALUES) == places[:3]


def test_differences_are_folded():
    assert symbols((5, 5, 4, 6), (), SETTINGS[Channel.IMPORT], Form.DIFFERENCES) == [5, 0, 1, 4]
    assert symbols((5, 9), (5, 4), SETTINGS[Channel.IMPORT_VA], Form.VALUES) == [1, 6]


@pytest.mark.parametrize(
    "rows",
    [
        {},
        {Channel.IMPORT: ()},
        {Channel.IMPORT: (1,) * (COUNT_MAX + 1)},
        {Channel.IMPORT: (1, 2), Channel.EXPORT: (1,)},
        {Channel.IMPORT: (-1,)},
        {Channel.IMPORT: (REGISTER_MAX + 1,)},
    ],
)
def test_what_no_body_says_is_refused(rows):
    with pytest.raises(BadArgumentError):
        encode_body(model_of_epoch(0), rows)


@pytest.mark.parametrize("count", [0, COUNT_MAX + 1])
def test_a_count_that_no_body_has_is_refused(count):
    with pytest.raises(BadArgumentError):
        decode_body(model_of_epoch(0), (Channel.IMPORT,), count, b"")
