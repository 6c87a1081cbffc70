"""The batched decoder says what the scalar one says, on loads, on random bytes and on bytes made to hurt."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.telegram.load_model_coder import COUNT_MAX, decode_body, encode_body
from nyala.telegram.load_model_file import EPOCHS, model_of_epoch
from nyala.telegram.load_model_kernel import BatchDecoder
from nyala.vocab.errors import BadArgumentError, TelegramError
from nyala.vocab.quantities import Channel
from tests.unit.telegram.load_strategies import channel_sets, counts, in_order, loads

DECODERS = {epoch: BatchDecoder(model_of_epoch(epoch)) for epoch in EPOCHS}
bytes_to_hurt = st.builds(bytes.__mul__, st.sampled_from([b"\0", b"\xff", b"\x7f\xff", b"\x80\0"]), st.integers(0, 400))


def scalar(epoch, channels, count, body):
    try:
        return decode_body(model_of_epoch(epoch), channels, count, body)
    except TelegramError:
        return None


@settings(max_examples=200)
@given(st.sampled_from(EPOCHS), channel_sets, st.lists(st.tuples(counts, st.binary(max_size=120) | bytes_to_hurt), max_size=20))
def test_it_says_of_any_bytes_what_the_scalar_decoder_says(epoch, channels, frames):
    batch = DECODERS[epoch].decode(channels, [count for count, _ in frames], [body for _, body in frames])
    for at, (count, body) in enumerate(frames):
        expected = scalar(epoch, channels, count, body)
        assert bool(batch.good[at]) is (expected is not None)
        if expected is not None:
            assert list(expected) == list(batch.channels)
            assert [tuple(row[:count].tolist()) for row in batch.values[at]] == list(expected.values())
        assert not batch.values[at, :, count if batch.good[at] else 0 :].any()


@given(st.sampled_from(EPOCHS), loads())
def test_it_reads_any_load(epoch, rows):
    count = len(next(iter(rows.values())))
    batch = DECODERS[epoch].decode(rows, [count], [encode_body(model_of_epoch(epoch), rows)])
    assert batch.good.all()
    assert batch.channels == tuple(in_order(rows))
    assert [tuple(row.tolist()) for row in batch.values[0]] == [rows[channel] for channel in batch.channels]


def test_a_bad_body_harms_no_neighbour():
    good = encode_body(model_of_epoch(0), {Channel.IMPORT: (7, 8, 9)})
    batch = DECODERS[0].decode((Channel.IMPORT,), [3, 3, 3], [good, good + bytes(99), good])
    assert batch.good.tolist() == [True, False, True]
    assert batch.values[:, 0].tolist() == [[7, 8, 9], [0, 0, 0], [7, 8, 9]]


def test_no_bodies_are_no_values():
    assert DECODERS[0].decode((Channel.IMPORT,), [], []).values.shape == (0, 1, 0)


@pytest.mark.parametrize("counts", [[], [0], [COUNT_MAX + 1], [1, 1]])
def test_counts_that_no_body_has_are_refused(counts):
    with pytest.raises(BadArgumentError, match="counts for 1 bodies"):
        DECODERS[0].decode((Channel.IMPORT,), counts, [b""])
