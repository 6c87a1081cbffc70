"""Data blocks: what they say of themselves is proven, and whatever else comes is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram.blocks import HEADER_BYTES, Block, BlockKind, decode_block, descriptor_of, encode_block
from nyala.vocab.errors import BadArgumentError, TelegramError

BLOCK = Block(BlockKind.FIRMWARE, 0x0102, b"123456789")
blocks = st.builds(Block, st.sampled_from(BlockKind), st.integers(0, 2**24 - 1), st.binary(max_size=300))


def test_a_block_as_it_lies_on_the_air():
    assert descriptor_of(BLOCK.kind, BLOCK.version) == 0x01000102
    assert encode_block(BLOCK).hex() == "4e594231" + "02010001" + "09000000" + "2639f4cb" + b"123456789".hex()
    # CBF43926 is the check value of CRC-32 (ITU-T V.42) over "123456789"


@given(blocks)
def test_what_is_written_reads_back(block):
    assert decode_block(descriptor_of(block.kind, block.version), encode_block(block)) == block


@given(st.integers(0, 2**32 - 1), st.binary(max_size=60))
def test_any_bytes_are_a_block_or_refused(descriptor, wire):
    try:
        block = decode_block(descriptor, wire)
    except TelegramError:
        return
    assert encode_block(block) == wire


@given(blocks, st.integers(0), st.integers(0, 7))
def test_one_wrong_bit_is_noticed(block, place, bit):
    wire = bytearray(encode_block(block))
    wire[place % len(wire)] ^= 1 << bit
    with pytest.raises(TelegramError):
        decode_block(descriptor_of(block.kind, block.version), bytes(wire))


@pytest.mark.parametrize(
    ("descriptor", "wire", "why"),
    [
        (0x03000102, encode_block(BLOCK), "no known kind"),
        (0x01000103, encode_block(BLOCK), "its header is that of"),
        (0x01000102, encode_block(BLOCK)[: HEADER_BYTES - 1], "15 bytes are no header"),
        (0x01000102, encode_block(BLOCK)[:-1], "8 bytes with CRC"),
        (0x01000102, encode_block(BLOCK) + b"\0", "10 bytes with CRC"),
    ],
)
def test_a_block_that_is_not_what_it_says_is_refused(descriptor, wire, why):
    with pytest.raises(TelegramError, match=why):
        decode_block(descriptor, wire)


@pytest.mark.parametrize("version", [-1, 2**24])
def test_a_version_beyond_24_bits_is_refused(version):
    with pytest.raises(BadArgumentError, match="24 bits"):
        descriptor_of(BlockKind.FIRMWARE, version)
