"""The range coder: fractions by hand, any symbols of any tables, any bytes, and the bytes of a module's coder with carry."""

from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram.range_coder import LOSS_BITS, RENORM, TOTAL, TOTAL_BITS, WHOLE, Decoder, Encoder

HALVES = (0, TOTAL // 2, TOTAL)


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, ...]:
    """Cumulative frequencies of 1 to 40 symbols, none of them 0."""
    cuts = draw(st.sets(st.integers(1, TOTAL - 1) | st.integers(1, 3) | st.integers(TOTAL - 3, TOTAL - 1), max_size=39))
    return (0, *sorted(cuts), TOTAL)


@st.composite
def scripts(draw: st.DrawFn) -> list[tuple[tuple[int, ...] | int, int]]:
    """(table, symbol) or (bits, value), in turn."""
    some = draw(st.lists(tables(), min_size=1, max_size=3))
    steps: list[tuple[tuple[int, ...] | int, int]] = []
    for at in draw(st.lists(st.integers(0, 3), max_size=60)):
        if at < len(some):
            symbols = len(some[at]) - 1
            last = st.just(symbols - 1)
            steps.append((some[at], draw(st.integers(0, symbols - 1) | last)))
        else:
            bits = draw(st.integers(0, 63))
            steps.append((bits, draw(st.integers(0, (1 << bits) - 1))))
    return steps


def coded(script) -> Encoder:
    encoder = Encoder()
    for how, what in script:
        if isinstance(how, int):
            encoder.put_bits(what, how)
        else:
            encoder.put(how, what)
    return encoder


def taken(data, script):
    decoder = Decoder(data)
    said = [decoder.take_bits(how) if isinstance(how, int) else decoder.take(how) for how, _ in script]
    return said, decoder


def module_bytes(script) -> bytes:
    """A coder for a module: 32 bits of low, a carry walks back over the bytes that are written."""
    out, low, width = bytearray(), 0, WHOLE

    def carried(low):
        if low > 0xFFFFFFFF:
            at = len(out) - 1
            while out[at] == 0xFF:
                out[at] = 0
                at -= 1
            out[at] += 1
        return low & 0xFFFFFFFF

    parts = []
    for how, what in script:
        if isinstance(how, int):
            left = how
            while left:
                bits = min(left, 16)
                left -= bits
                digit = what >> left & (1 << bits) - 1
                parts.append((bits, digit, digit + 1, False))
        else:
            parts.append((TOTAL_BITS, how[what], how[what + 1], how[what + 1] == TOTAL))
    for bits, first, end, is_last in parts:
        unit = width >> bits
        low = carried(low + unit * first)
        width = width - unit * first if is_last else unit * (end - first)
        while width < RENORM:
            out.append(low >> 24)
            low, width = low << 8 & 0xFFFFFFFF, width << 8
    for size in range(5):
        step = 1 << 32 - 8 * size
        head = -(-low // step) * step
        if head < low + width:
            head = carried(head)
            return bytes(out + head.to_bytes(4, "big")[:size]).rstrip(b"\0")
    raise AssertionError


@pytest.mark.parametrize(
    ("bits", "said"),
    [
        ("", b""),
        ("0", b""),
        ("1", b"\x80"),
        ("01", b"\x40"),
        ("10110010", b"\xb2"),
        ("1111", b"\xf0"),
        ("0000000011", b"\x00\xc0"),
    ],
)
def test_even_chances_write_a_binary_fraction(bits, said):
    assert coded([(HALVES, int(bit)) for bit in bits]).finish() == said
    assert coded([(len(bits), int(bits or "0", 2))]).finish() == said


def test_a_carry_runs_through_bytes_that_are_written():
    rare = (0, TOTAL - 1, TOTAL)
    script = [(HALVES, 0), *[(HALVES, 1)] * 40, (rare, 1), (rare, 1)]
    assert coded(script).finish() == module_bytes(script)
    assert taken(coded(script).finish(), script)[0] == [what for _, what in script]


@given(scripts())
def test_any_symbols_of_any_tables_read_back_and_nothing_is_left(script):
    data = coded(script).finish()
    for padding in (b"", b"\0", bytes(9)):
        said, _ = taken(data + padding, script)
        assert said == [what for _, what in script]
    assert taken(data, script)[1].excess == 0
    assert data[-1:] != b"\0"


@given(scripts())
def test_a_module_with_carry_writes_the_same_bytes(script):
    assert module_bytes(script) == coded(script).finish()


@given(scripts())
def test_the_size_is_that_of_the_chances_and_a_stated_loss(script):
    bits = 0.0
    for how, what in script:
        if isinstance(how, int):
            bits += how + LOSS_BITS * -(-how // 16)
        else:
            bits += log2(TOTAL / (how[what + 1] - how[what])) + LOSS_BITS
    assert len(coded(script).finish()) <= ceil(bits / 8)


@given(st.binary(max_size=40), scripts())
def test_any_bytes_are_symbols_of_any_tables(data, script):
    said, _ = taken(data, script)
    for (how, _), what in zip(script, said, strict=True):
        assert 0 <= what < (1 << how if isinstance(how, int) else len(how) - 1)
    again = [(how, what) for (how, _), what in zip(script, said, strict=True)]
    assert taken(coded(again).finish(), again)[0] == said


@given(st.lists(tables(), min_size=1, max_size=3), st.data())
def test_the_loop_of_trials_writes_what_single_puts_write(some, data):
    one, other = Encoder(), Encoder()
    steps = []
    for _ in range(data.draw(st.integers(0, 30))):
        table = data.draw(st.sampled_from(some))
        bits = data.draw(st.integers(0, 16))
        steps.append((table, data.draw(st.integers(0, len(table) - 2)), data.draw(st.integers(0, (1 << bits) - 1)), bits))
    one.put_each(steps)
    for table, symbol, value, bits in steps:
        other.put(table, symbol)
        other.put_bits(value, bits)
    assert (one.low, one.width, one.shift) == (other.low, other.width, other.shift)


@given(scripts(), scripts(), scripts())
def test_a_fork_goes_on_alone_and_the_shorter_is_known_exactly(start, left, right):
    trunk = coded(start)
    before = trunk.finish()
    one, other = trunk.fork(), trunk.fork()
    for encoder, script in ((one, left), (other, right)):
        for how, what in script:
            encoder.put_bits(what, how) if isinstance(how, int) else encoder.put(how, what)
    assert trunk.finish() == before
    assert one.finish() == coded(start + left).finish()
    if one.is_shorter(other):
        assert log2(one.width) - one.shift >= log2(other.width) - other.shift - 1e-9
        assert not other.is_shorter(one)
