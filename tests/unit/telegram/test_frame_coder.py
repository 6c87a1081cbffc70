"""Frames with the tables of the package: pairs, the sets of channels, and what eleven bytes hold of measured homes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.sim.loads.interval_sets import simbench_kinds
from nyala.telegram.frame_coder import CHANNEL_SETS, TableCoder
from nyala.telegram.frame_header import COUNTS, MODELS, RAW
from nyala.telegram.frames import Run, build, decode, rows_of
from nyala.telegram.load_model_file import model_of_epoch
from nyala.telegram.parity import SentBodies
from nyala.vocab.errors import TelegramError
from nyala.vocab.quantities import Channel

CODER = TableCoder(model_of_epoch())
DR2_ROOM = 11
energies = st.integers(0, 3) | st.integers(0, 400) | st.integers(0, 89_700)


def test_the_sets_are_told_apart_by_their_ids():
    assert RAW not in CHANNEL_SETS
    assert max(CHANNEL_SETS) < MODELS
    assert len({frozenset(channels) for channels in CHANNEL_SETS.values()}) == len(CHANNEL_SETS)


@given(st.sampled_from(sorted(CHANNEL_SETS)), st.sampled_from((1, 2, 4, 24)), st.sampled_from((11, 53, 242)), st.data())
def test_frames_of_every_set_read_back(model, count, room, data):
    rows = {channel: data.draw(st.lists(energies, min_size=count, max_size=count)) for channel in CHANNEL_SETS[model]}
    said: dict[Channel, list[int]] = {channel: [] for channel in rows}
    for each in build(Run(24 * 10**4, rows, 10**7), CODER, room, SentBodies()):
        frame = decode(each.payload, has_sum=each.has_sum)
        assert len(each.payload) <= room
        for channel, row in rows_of(frame.header.lead, frame.body, CODER).items():
            said[channel] += row
    assert said == rows


@given(st.integers(0, 255), st.binary(max_size=30))
def test_any_bytes_are_values_or_a_telegram_error(lead, body):
    try:
        rows = rows_of(lead, body, CODER)
    except TelegramError:
        return
    assert {len(row) for row in rows.values()} == {COUNTS[lead & 7]}


@given(st.sampled_from((4, 24)), st.data())
def test_zero_bytes_behind_a_body_are_not_needed(count, data):
    row = data.draw(st.lists(energies, min_size=count, max_size=count))
    coded = CODER.encode_body({Channel.IMPORT: row}, 10**4)
    assert coded is not None
    model, body = coded
    assert CODER.decode_body(model, body.rstrip(b"\0"), count) == {Channel.IMPORT: tuple(row)}
    assert body == body.rstrip(b"\0")


def test_an_hour_of_a_measured_home_fits_eleven_bytes_and_most_carry_parity():
    home = next(kind for kind in simbench_kinds(test=True) if kind.name == "single-phase").series[0][Channel.IMPORT][:4_000]
    sent, alone = SentBodies(), 0
    for first in range(0, len(home), 4):
        (built,) = build(Run(first, {Channel.IMPORT: home[first : first + 4].tolist()}), CODER, DR2_ROOM, sent)
        alone += decode(built.payload).parity is None
    assert alone / (len(home) // 4) < 0.35


def test_an_id_of_no_set_is_refused():
    with pytest.raises(TelegramError, match="model id 7"):
        CODER.decode_body(7, b"", 4)
