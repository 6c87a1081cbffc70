"""One image in rotating slots: the newest valid slot is the image.  A save is all or nothing.

    slot: sequence u32, length u16, content, CRC-32 over the three (little-endian)

A save goes to the slot after the newest one, so the confirmed image is not touched, and only one slot can be torn: the
one after it.  A torn byte need not read the same twice, and no rewriting in place is safe (of two marks, cuts in several
recoveries can tear both).  So the newest slot counts only if it reads the same `STEADY_READS` times more.  `recover`
then saves the image again over a torn slot, which is thus gone for good; it may be cut there and run again, for the image
itself is not touched.  After an orderly end it writes nothing.
"""

from struct import Struct
from typing import Final
from zlib import crc32

from nyala.meter.memory.device import BLANK, Device
from nyala.meter.memory.layout import ImagePlace
from nyala.vocab.errors import BadArgumentError

STEADY_READS: Final = 16
"""A byte that is as likely as one in three to read right passes with 3**-16: once in 43 million cuts in a last byte."""
_HEAD = Struct("<IH")
_CRC = Struct("<I")


class Image:
    """One group in one device.  `name` enters the CRC: a slot of another group is no slot of this one."""

    def __init__(self, name: str, place: ImagePlace, device: Device) -> None:
        self.name, self.place, self.device = name, place, device
        self._key = crc32(name.encode())
        self._slot = place.slots - 1
        self._sequence = 0

    def save(self, content: bytes) -> None:
        """Writes a new image.  BadArgumentError where it does not fit, SupplyLostError where the supply falls."""
        if len(content) > self.place.size_bytes:
            raise BadArgumentError(f"image {self.name} of {len(content)} bytes; {self.place.size_bytes} fit")
        slot, sequence = (self._slot + 1) % self.place.slots, self._sequence + 1
        body = _HEAD.pack(sequence, len(content)) + content
        self.device.write(self._address(slot), body + _CRC.pack(crc32(body, self._key)))
        self._slot, self._sequence = slot, sequence

    def load(self) -> bytes | None:
        """The image, or None where none was ever saved."""
        found = self._read(self._slot)
        return found[1] if found else None

    def recover(self) -> bool:
        """Finds the newest slot and settles what a cut left; True where a save had not ended."""
        found = {slot: each for slot in range(self.place.slots) if (each := self._read(slot))}
        newest = max(found, key=lambda slot: found[slot][0], default=None)
        while newest is not None and not self._is_steady(newest, found[newest]):
            del found[newest]
            newest = max(found, key=lambda slot: found[slot][0], default=None)
        if newest is not None:
            self._slot, self._sequence = newest, found[newest][0]
        after = (self._slot + 1) % self.place.slots
        blank = bytes([BLANK]) * self.place.slot_bytes
        if after in found or self.device.read(self._address(after), self.place.slot_bytes) == blank:
            return False
        if newest is None:
            self.device.write(self._address(after), blank)
        else:
            self.save(found[newest][1])
        return True

    def _is_steady(self, slot: int, content: tuple[int, bytes]) -> bool:
        return all(self._read(slot) == content for _ in range(STEADY_READS))

    def _read(self, slot: int) -> tuple[int, bytes] | None:
        """Sequence and content of a slot, None where its CRC is wrong.  What was checked is what is given."""
        raw = self.device.read(self._address(slot), self.place.slot_bytes)
        sequence, length = _HEAD.unpack_from(raw)
        end = _HEAD.size + length
        if length > self.place.size_bytes or _CRC.unpack_from(raw, end)[0] != crc32(raw[:end], self._key):
            return None
        return sequence, raw[_HEAD.size : end]

    def _address(self, slot: int) -> int:
        return self.place.address + slot * self.place.slot_bytes
