"""Interval values of meters as a range coder may meet them: likely, hostile, and up to what a register holds."""

from hypothesis import strategies as st

from nyala.telegram.load_model import REGISTER_MAX, SETTINGS
from nyala.telegram.load_model_coder import COUNT_MAX
from nyala.telegram.load_model_file import EPOCHS, model_of_epoch
from nyala.vocab.quantities import Channel

models = st.sampled_from(EPOCHS).map(model_of_epoch)
channel_sets = st.lists(st.sampled_from(Channel), min_size=1, max_size=8, unique=True)
counts = st.integers(1, 30) | st.just(COUNT_MAX)
edges = st.sampled_from([0, 1, 15, 16, 17, 32_767, 32_768, 65_535, 1 << 31, 1 << 62, REGISTER_MAX - 1, REGISTER_MAX])
numbers = st.integers(0, 40) | st.integers(0, 800) | st.integers(0, 30_000) | st.integers(0, REGISTER_MAX) | edges


@st.composite
def loads(draw: st.DrawFn) -> dict[Channel, tuple[int, ...]]:
    """Values of some channels, in any order; a channel has numbers of its own size."""
    count = draw(counts)
    rows = {}
    for channel in draw(channel_sets):
        top = draw(st.sampled_from([0, 3, 200, 30_000, 70_000, REGISTER_MAX]))
        cell = numbers if top == REGISTER_MAX else st.integers(0, top)
        rows[channel] = tuple(draw(st.lists(cell, min_size=count, max_size=count)))
    if Channel.IMPORT in rows and Channel.IMPORT_VA in rows and draw(st.booleans()):
        rows[Channel.IMPORT_VA] = tuple(min(REGISTER_MAX, value + draw(st.integers(0, 9))) for value in rows[Channel.IMPORT])
    return rows


def in_order(rows: dict[Channel, tuple[int, ...]]) -> list[Channel]:
    """The channels of a load as they are coded."""
    return [channel for channel in SETTINGS if channel in rows]
