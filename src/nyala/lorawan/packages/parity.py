"""Fragments of a data block and their parity: a low-density code over GF(2), from 1 on; lost fragments are solved for.

Fragments 1..M are the block's own; fragment M + N is the XOR of those that line N of the parity matrix names.  The two
versions of TS004 draw that line differently: version 1 counts a column that was drawn already, version 2 draws again until
M / 2 distinct ones are there.  Not here: sessions and their commands.
Source: TS004 1.0.0 section 7, TS004 2.0.0 section 7; reference lorawan.md section 6.
"""

from functools import lru_cache
from typing import Final

from nyala.lorawan.crypto import AesKey
from nyala.vocab.errors import BadArgumentError, FrameError

FRAGMENTS_MAX: Final = (1 << 14) - 1
MIC_BYTES: Final = 4


@lru_cache(maxsize=4096)
def parity_line(number: int, fragments: int, version: int) -> int:
    """Line `number` (from 1) of the matrix for M = `fragments`, as bits: bit i is fragment i + 1."""
    modulus = fragments + (fragments & fragments - 1 == 0)
    state, line, drawn = 1 + 1001 * number, 0, 0
    while drawn < fragments // 2:
        column = modulus
        while column >= fragments:
            state = _prbs23(state)
            column = state % modulus
        if version > 1 and line >> column & 1:
            continue
        line |= 1 << column
        drawn += 1
    return line


def _prbs23(state: int) -> int:
    return state >> 1 | ((state ^ state >> 5) & 1) << 22


def _cut(block: bytes, size: int) -> list[int]:
    count = -(-len(block) // max(size, 1))
    if not 1 <= size <= 255 or not 1 <= count <= FRAGMENTS_MAX:
        raise BadArgumentError(f"a block of {len(block)} bytes does not go into fragments of {size}")
    return [int.from_bytes(block[i * size : (i + 1) * size].ljust(size, b"\0"), "little") for i in range(count)]


class Fragmenter:
    """A block as fragments of one size; the last is filled with zeros, `padding` of them."""

    def __init__(self, block: bytes, size: int, version: int) -> None:
        self._own, self._size, self._version = _cut(block, size), size, version
        self.padding = len(self._own) * size - len(block)

    def __len__(self) -> int:
        return len(self._own)

    def fragment(self, number: int) -> bytes:
        """Fragment `number` from 1 on; those above the count are parity."""
        if not 1 <= number <= FRAGMENTS_MAX:
            raise BadArgumentError(f"fragment {number}; 1..{FRAGMENTS_MAX}")
        if number <= len(self._own):
            return self._own[number - 1].to_bytes(self._size, "little")
        line, word = parity_line(number - len(self._own), len(self._own), self._version), 0
        for column, own in enumerate(self._own):
            if line >> column & 1:
                word ^= own
        return word.to_bytes(self._size, "little")


class Assembler:
    """Fragments in any order become the block, as soon as they determine it."""

    def __init__(self, fragments: int, size: int, padding: int, version: int) -> None:
        if not (1 <= fragments <= FRAGMENTS_MAX and 1 <= size <= 255 and 0 <= padding < size):
            raise BadArgumentError(f"{fragments} fragments of {size} bytes with {padding} of padding")
        self.received = 0
        self._count, self._size, self._padding, self._version = fragments, size, padding, version
        self._own: dict[int, int] = {}
        """Fragments that are known, by column."""
        self._rows: dict[int, tuple[int, int]] = {}
        """Equations of unknown columns in echelon form: leading column -> (line, word)."""
        self._seen: set[int] = set()

    @property
    def missing(self) -> int:
        """How many more independent fragments are needed."""
        return self._count - len(self._own) - len(self._rows)

    @property
    def needs_bytes(self) -> int:
        """Memory that the block and its equations take."""
        return self._count * self._size + len(self._rows) * (self._size + -(-self._count // 8))

    def add(self, number: int, data: bytes) -> bool:
        """Takes a fragment; True once the block is whole.  FrameError for one that is not of this session."""
        if len(data) != self._size or not 1 <= number <= FRAGMENTS_MAX:
            raise FrameError(f"fragment {number} of {len(data)} bytes in a session of {self._size}")
        if number not in self._seen and self.missing:
            self._seen.add(number)
            self.received += 1
            own = number <= self._count
            line = 1 << number - 1 if own else parity_line(number - self._count, self._count, self._version)
            self._reduce(line, int.from_bytes(data, "little"))
        return not self.missing

    def _reduce(self, line: int, word: int) -> None:
        """Brings an equation into echelon form; one that follows from the others says nothing new."""
        for column in _columns(line):
            if column in self._own:
                line, word = line ^ 1 << column, word ^ self._own[column]
        while line:
            lead = line.bit_length() - 1
            if lead not in self._rows:
                break
            other, value = self._rows[lead]
            line, word = line ^ other, word ^ value
        if not line:
            return
        if line & line - 1 == 0 and not self._rows:
            self._own[line.bit_length() - 1] = word
        else:
            self._rows[line.bit_length() - 1] = line, word

    def block(self) -> bytes:
        """The block; call only when it is whole."""
        assert not self.missing
        own = dict(self._own)
        for lead in sorted(self._rows):
            line, word = self._rows[lead]
            for column in _columns(line ^ 1 << lead):
                word ^= own[column]
            own[lead] = word
        whole = b"".join(own[column].to_bytes(self._size, "little") for column in range(self._count))
        return whole[: len(whole) - self._padding]


def _columns(line: int) -> list[int]:
    """The bits that are set, lowest first."""
    columns = []
    while line:
        lowest = line & -line
        columns.append(lowest.bit_length() - 1)
        line ^= lowest
    return columns


def block_mic(key: AesKey, session_count: int, index: int, descriptor: int, block: bytes) -> int:
    """MIC of a block in version 2; `key` is DataBlockIntKey."""
    head = b"\x49" + session_count.to_bytes(2, "little") + bytes([index]) + descriptor.to_bytes(4, "little")
    message = head + bytes(4) + len(block).to_bytes(4, "little") + block
    return int.from_bytes(key.cmac(message)[:MIC_BYTES], "little")
