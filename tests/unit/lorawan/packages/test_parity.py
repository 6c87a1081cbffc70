"""Fragmentation: the matrices and parity of both versions as implementations in the field draw them, and any loss."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.packages.parity import FRAGMENTS_MAX, Assembler, Fragmenter, block_mic, parity_line
from nyala.vocab.errors import BadArgumentError, FrameError

# lines 1-3 for M = 10: LoRaMac-node, brocaar/lorawan (version 1), SWL2001, ChirpStack (version 2); lorawan.md section 6
LINES = {1: ["0010010000", "1010110001", "0101011100"], 2: ["0111010001", "1010110001", "0101011100"]}
# the first parity fragment of 00..63 in fragments of 10
FIRST_PARITY = {1: "262622222e2e22222626", 2: "686952535c5d76777071"}


@pytest.mark.parametrize("version", LINES)
def test_the_lines_of_the_matrix_are_those_of_the_field(version):
    drawn = [parity_line(number, 10, version) for number in (1, 2, 3)]
    assert ["".join(str(line >> i & 1) for i in range(10)) for line in drawn] == LINES[version]


@pytest.mark.parametrize("version", FIRST_PARITY)
def test_the_first_parity_fragment_is_that_of_the_field(version):
    fragmenter = Fragmenter(bytes(range(100)), 10, version)
    assert len(fragmenter) == 10
    assert fragmenter.fragment(11).hex() == FIRST_PARITY[version]


@given(st.integers(1, 400), st.integers(1, 500))
def test_a_line_of_version_2_has_half_of_the_columns(number, fragments):
    assert parity_line(number, fragments, 2).bit_count() == fragments // 2
    assert parity_line(number, fragments, 1).bit_count() <= fragments // 2
    assert parity_line(number, fragments, 1) >> fragments == 0


@given(st.binary(min_size=1, max_size=600), st.integers(1, 60), st.sampled_from([1, 2]), st.randoms(use_true_random=False))
def test_a_block_is_whole_again_whatever_is_lost_and_in_any_order(block, size, version, random):
    fragmenter = Fragmenter(block, size, version)
    assembler = Assembler(len(fragmenter), size, fragmenter.padding, version)
    numbers = [n for n in range(1, len(fragmenter) + 1) if random.random() < 0.7]
    random.shuffle(numbers)
    parity = iter(range(len(fragmenter) + 1, len(fragmenter) + 2_000))
    missing = len(fragmenter)
    whole = False
    while not whole:
        number = numbers.pop() if numbers else next(parity, None) or random.randint(1, len(fragmenter))
        whole = assembler.add(number, fragmenter.fragment(number))
        assert assembler.missing <= missing
        missing = assembler.missing
    assert assembler.block() == block


def test_a_fragment_twice_counts_once():
    assembler = Assembler(4, 2, 0, 2)
    assert not assembler.add(1, b"ab")
    assert not assembler.add(1, b"ab")
    assert (assembler.received, assembler.missing) == (1, 3)


def test_what_comes_after_the_block_is_whole_changes_nothing():
    fragmenter = Fragmenter(b"abcdefgh", 2, 2)
    assembler = Assembler(4, 2, 0, 2)
    assert [assembler.add(n, fragmenter.fragment(n)) for n in (1, 2, 3, 4, 5)] == [False, False, False, True, True]
    assert assembler.received == 4


@pytest.mark.parametrize("version", [1, 2])
def test_few_more_fragments_than_the_block_has_are_enough(version):
    """Of a firmware of 16 kB in fragments of 48 bytes, 10 % lost: the overhead of the code itself is small."""
    random = Random(7)
    block = random.randbytes(16_000)
    fragmenter = Fragmenter(block, 48, version)
    overheads = []
    for seed in range(10):
        loss = Random(seed)
        assembler = Assembler(len(fragmenter), 48, fragmenter.padding, version)
        number, got, whole = 0, 0, False
        while not whole:
            number += 1
            if loss.random() >= 0.1:
                got += 1
                whole = assembler.add(number, fragmenter.fragment(number))
        overheads.append(got - len(fragmenter))
        assert assembler.block() == block
    assert max(overheads) <= 12


@pytest.mark.parametrize(("size", "count"), [(0, 10), (256, 10), (1, FRAGMENTS_MAX + 1), (10, 0)])
def test_a_block_that_does_not_go_into_fragments_is_refused(size, count):
    with pytest.raises(BadArgumentError, match="does not go into fragments"):
        Fragmenter(bytes(count * max(size, 1)), size, 2)


@pytest.mark.parametrize(
    ("fragments", "size", "padding"),
    [(0, 10, 0), (FRAGMENTS_MAX + 1, 10, 0), (10, 0, 0), (10, 256, 0), (10, 10, 10), (10, 10, -1)],
)
def test_a_session_that_cannot_be_is_refused(fragments, size, padding):
    with pytest.raises(BadArgumentError, match="fragments of"):
        Assembler(fragments, size, padding, 2)


@pytest.mark.parametrize(("number", "data"), [(0, b"ab"), (FRAGMENTS_MAX + 1, b"ab"), (1, b"a"), (1, b"abc")])
def test_a_fragment_of_another_session_is_refused(number, data):
    with pytest.raises(FrameError, match="in a session of 2"):
        Assembler(4, 2, 0, 2).add(number, data)


def test_the_mic_of_a_block_covers_all_that_names_it():
    key = AesKey(bytes(range(16)))
    mic = block_mic(key, 1, 2, 3, b"block")
    others = [(2, 2, 3, b"block"), (1, 3, 3, b"block"), (1, 2, 4, b"block"), (1, 2, 3, b"blocl"), (1, 2, 3, b"block\0")]
    assert all(block_mic(key, *other) != mic for other in others)
