"""One log in a ring of flash sectors: rows are appended, the oldest sector goes.  A confirmed row is never lost.

    sector: generation u32, row size u16, CRC-32 over both; slots of equal size from byte 16 on
    slot:   mark 0xA5, content, CRC-32 over generation, place and content (little-endian)

A sector is erased just before it is begun, whatever it seems to hold: an erase that was cut is thus done again.  Used
slots are the first ones of a sector, so the end is found by halving; a torn slot stays behind and is passed over.

`recover` settles what a cut left, only by clearing bits that are or were being cleared: written again, a whole header
or last row becomes firm, and the mark of a torn row becomes 0, so that it can not be read as whole later.  (A row that
was cut in its append and again in this clearing may be seen once and then no more: it was never confirmed.)
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final
from zlib import crc32

from nyala.meter.memory.device import BLANK, Device
from nyala.meter.memory.layout import HEADER_BYTES, ROW_OVERHEAD, LogPlace
from nyala.vocab.errors import BadArgumentError

_HEADER = Struct("<IH")
_KEY = Struct("<IH")
_CRC = Struct("<I")
_MARK: Final = b"\xa5"
_DEAD: Final = b"\x00"


class Ring:
    """One log in one device.  `name` enters the checksums."""

    def __init__(self, name: str, place: LogPlace, device: Device) -> None:
        self.name, self.place, self.device = name, place, device
        self._key = crc32(name.encode())
        self._row_slot = place.row_bytes + ROW_OVERHEAD
        self._sector = place.sectors - 1
        self._generation = 0
        self._used = place.rows_per_sector

    def append(self, row: bytes) -> None:
        """Adds a row; when it returns, the row is kept.  BadArgumentError for another size, SupplyLostError."""
        if len(row) != self.place.row_bytes:
            raise BadArgumentError(f"row of log {self.name} has {len(row)} bytes, not {self.place.row_bytes}")
        if self._used == self.place.rows_per_sector:
            self._begin((self._sector + 1) % self.place.sectors, self._generation + 1)
        self.device.write(self._address(self._sector, self._used), self._pack(self._generation, self._used, row))
        self._used += 1

    def rows(self) -> list[bytes]:
        """The newest rows, the oldest first: `place.rows` of them, fewer before it was filled and for torn ones."""
        found: list[bytes] = []
        for generation, sector in self._generations():
            used = self._used if sector == self._sector else self.place.rows_per_sector
            found += [row for slot in range(used) if (row := self._read(generation, sector, slot)) is not None]
        return found[-self.place.rows :]

    def recover(self) -> bool:
        """Finds the end and settles what a cut left; True where a row was torn."""
        newest = max(self._generations(), default=None)
        if newest is None:
            return False
        self._generation, self._sector = newest
        self._used = self._count_used()
        if self._used == 0:
            self.device.write(self._sector_address(self._sector), self._header(self._generation))
            return False
        last = self._used - 1
        row = self._read(self._generation, self._sector, last)
        address = self._address(self._sector, last)
        self.device.write(address, self._pack(self._generation, last, row) if row is not None else _DEAD)
        return row is None

    def _begin(self, sector: int, generation: int) -> None:
        self.device.erase(self._sector_address(sector))
        self.device.write(self._sector_address(sector), self._header(generation))
        self._sector, self._generation, self._used = sector, generation, 0

    def _generations(self) -> Iterator[tuple[int, int]]:
        """Generation and number of the valid sectors, the oldest first: as many reads as there are sectors."""
        found = []
        for sector in range(self.place.sectors):
            raw = self.device.read(self._sector_address(sector), _HEADER.size + _CRC.size)
            generation, _ = _HEADER.unpack_from(raw)
            if raw == self._header(generation):
                found.append((generation, sector))
        return iter(sorted(found))

    def _count_used(self) -> int:
        """The first blank slot of the newest sector, found by halving."""
        low, high = 0, self.place.rows_per_sector
        blank = bytes([BLANK]) * self._row_slot
        while low < high:
            middle = (low + high) // 2
            if self.device.read(self._address(self._sector, middle), self._row_slot) == blank:
                high = middle
            else:
                low = middle + 1
        return low

    def _header(self, generation: int) -> bytes:
        body = _HEADER.pack(generation, self.place.row_bytes)
        return body + _CRC.pack(crc32(body, self._key))

    def _pack(self, generation: int, slot: int, row: bytes) -> bytes:
        check = crc32(row, crc32(_KEY.pack(generation, slot), self._key))
        return _MARK + row + _CRC.pack(check)

    def _read(self, generation: int, sector: int, slot: int) -> bytes | None:
        """The row of a slot, None where it is torn.  It is read once: what was checked is what is given."""
        raw = self.device.read(self._address(sector, slot), self._row_slot)
        row = raw[len(_MARK) : -_CRC.size]
        return row if raw == self._pack(generation, slot, row) else None

    def _sector_address(self, sector: int) -> int:
        return self.place.address + sector * self.place.sector_bytes

    def _address(self, sector: int, slot: int) -> int:
        return self._sector_address(sector) + HEADER_BYTES + slot * self._row_slot
