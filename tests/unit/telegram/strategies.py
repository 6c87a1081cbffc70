"""Strategies for every telegram that can be said."""

from dataclasses import replace

from hypothesis import strategies as st

from nyala.telegram import interval_block
from nyala.telegram.config import ConfigPart, ConfigReport, Reported
from nyala.telegram.frame_coder import CHANNEL_SETS
from nyala.telegram.frame_header import COUNTS, OWN_LIMIT
from nyala.telegram.interval_block import IntervalBlock
from nyala.telegram.intervals import INTERVALS_MAX, ChannelBlock, Intervals
from nyala.telegram.kinds import PERIODS_S, EventCode, Opcode, Result
from nyala.telegram.load_model_file import EPOCHS
from nyala.telegram.messages import MAP_BLOCKS, Answer, Command, Event, Hello
from nyala.telegram.values import Values
from nyala.vocab.quantities import Channel, catalogue

u8, u16, u32 = st.integers(0, 2**8 - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
instants = st.integers(1_500_000_000, 4_000_000_000)
periods = st.sampled_from(PERIODS_S)
energies = st.integers(0, 3) | st.integers(0, 400) | st.integers(0, 25_000) | u32

hellos = st.builds(Hello, model=u8, firmware=u16, period_s=periods, clock_s=u32)
events = st.builds(Event, number=u8, code=st.sampled_from(EventCode), clock_s=u32, detail=u32)
answers = st.builds(Answer, sequence=u16, opcode=u8, result=st.sampled_from(Result), detail=u32)
names = st.lists(st.sampled_from(sorted(catalogue())), min_size=1, max_size=8)
commands = st.one_of(
    st.builds(Command, u16, st.sampled_from([Opcode.SWITCH_OPEN, Opcode.SWITCH_CLOSE])),
    st.builds(Command, u16, st.just(Opcode.READ), quantities=names.map(tuple)),
    st.builds(
        Command,
        u16,
        st.just(Opcode.BACKFILL),
        first=st.integers(0, 2**28 - 1),
        period_s=periods,
        count=st.integers(1, 2**16),
    ),
    st.builds(
        Command,
        u16,
        st.just(Opcode.BACKFILL_MAP),
        first=st.integers(0, 2**28 - 1),
        period_s=periods,
        each=st.sampled_from(COUNTS),
        blocks=st.integers(0, 2**MAP_BLOCKS - 1),
    ),
    st.builds(Command, u16, st.just(Opcode.QUERY), asked=u16),
    st.builds(Command, u16, st.just(Opcode.CONFIG_ASK)),
    st.builds(
        Command,
        u16,
        st.just(Opcode.CONFIG_COMMIT),
        setting=st.integers(0, 15),
        length=st.integers(0, 2**12 - 1),
        version=u16,
        check=u32,
    ),
)
parts = st.builds(ConfigPart, st.integers(0, 15), u16, st.integers(0, 2**12 - 1), st.binary(min_size=1, max_size=238))
reports = st.builds(ConfigReport, st.lists(st.builds(Reported, u8, u16, u16), min_size=1, max_size=48).map(tuple))


@st.composite
def values(draw: st.DrawFn) -> Values:
    """Some quantities, each with a value that 64 bits hold."""
    said = {}
    for name in draw(st.lists(st.sampled_from(sorted(catalogue())), min_size=1, max_size=8, unique=True)):
        low = -(2**63) if catalogue()[name].signed else 0
        high = low + 2**64 - 1
        said[name] = draw(st.integers(max(low, -300), 300) | st.integers(low, high))
    return Values(draw(instants), said)


@st.composite
def runs(draw: st.DrawFn, *, count: int | None = None) -> Intervals:
    """A run of intervals of some channels around `instants`."""
    size = draw(st.integers(1, INTERVALS_MAX)) if count is None else count
    period_s = draw(periods)
    channels = draw(st.lists(st.sampled_from(Channel), min_size=1, max_size=8, unique=True))
    blocks = {
        channel: ChannelBlock(
            tuple(draw(st.lists(energies, min_size=size, max_size=size))), draw(st.none() | st.integers(0, 65_535))
        )
        for channel in channels
    }
    outages = draw(st.frozensets(st.integers(0, size - 1)))
    return Intervals(draw(instants) // period_s, period_s, blocks, outages)


@st.composite
def blocks(draw: st.DrawFn) -> IntervalBlock:
    """A frame of any channels, coded or raw, that fits the longest payload."""
    count = draw(st.sampled_from(COUNTS))
    coded = draw(st.booleans())
    channels = draw(
        st.sampled_from(list(CHANNEL_SETS.values())) if coded else st.lists(st.sampled_from(Channel), min_size=1, unique=True)
    )
    # 8 channels of an hour of minutes take at most 224 bytes at so many bits.
    top = 63 if count * len(channels) <= 24 else 3
    cells = energies.map(lambda value: value % (1 << top)) if top == 3 else energies | st.integers(0, 2**63 - 1)
    rows = {channel: tuple(draw(st.lists(cells, min_size=count, max_size=count))) for channel in channels}
    full = draw(st.booleans())
    block = IntervalBlock(
        epoch=draw(st.sampled_from(EPOCHS)),
        number=draw(u32 if full else u8),
        rows=rows,
        coded=coded,
        full=full,
        register=None if full else draw(st.none() | u16),
        pending=draw(st.booleans()),
        doubtful=draw(st.booleans()),
    )
    room_for_parity = len(interval_block.encode(block)[1]) < OWN_LIMIT
    return replace(block, parity=draw(st.none() | st.binary(max_size=20))) if room_for_parity else block


telegrams = st.one_of(hellos, events, answers, commands, values(), runs(), blocks(), parts, reports)
