"""A memory part with its bytes, its wear and its way to fail.  It knows nothing of records.

A *write point* is one byte of a write, or one of `ERASE_STEPS` steps of an erase.  `Supply.fail_after(n)` lets n more
write points happen and cuts the supply in the next one.  What a cut leaves behind:

    EEPROM, FRAM  the bytes before it are new, those behind it old; all bits of the byte in work are *unsettled*
    flash write   the same, but only the bits that were being cleared are unsettled
    flash erase   in the whole sector bits on their way to one are unsettled, the more the later the cut

An unsettled byte reads differently from one time to the next, as cells between two levels do: as it was, as it should
become, or with any of its unsettled bits; until it is written in full.  A store that trusts what it once read would
fail here.  Noise is a hash of seed and number of the draw: the same seed gives the same run.
"""

from collections.abc import Iterator
from typing import Final

from nyala.meter.memory.parts import Kind, Part
from nyala.vocab.errors import SurroundingsError

ERASE_STEPS: Final = 8
"""Places in which an erase can be cut."""
BLANK: Final = 0xFF
_MASK64: Final = (1 << 64) - 1


class SupplyLostError(SurroundingsError):
    """The supply of the memory fell: in the middle of a write, or before a use of it."""


class Supply:
    """What feeds the memory.  Devices of one meter share it, so that a cut is one moment for all."""

    def __init__(self) -> None:
        self.points = 0
        self._left: int | None = None
        self._on = True

    def fail_after(self, points: int) -> None:
        """Cuts the supply in the write point after so many further ones."""
        self._left = points

    def restore(self) -> None:
        """Gives the supply back and takes a planned cut away."""
        self._on, self._left = True, None

    def grant(self, wanted: int) -> int:
        """How many of these write points happen; fewer than wanted: the supply falls in the next one."""
        self.demand()
        granted = wanted if self._left is None else min(wanted, self._left)
        self.points += granted
        if self._left is not None:
            self._left -= granted
        self._on = granted == wanted
        return granted

    def demand(self) -> None:
        """SupplyLostError where there is none."""
        if not self._on:
            raise SupplyLostError("the memory has no supply")


class Device:
    """One part on a supply.  Pages are kept once they are written; a new part is blank (0xFF)."""

    def __init__(self, part: Part, supply: Supply, *, seed: int = 0) -> None:
        self.part, self.supply = part, supply
        self.wear: dict[int, int] = {}
        """Cycles of each place that was ever used: write cycles of a page, erases of a flash sector."""
        self._pages: dict[int, bytearray] = {}
        self._unsettled: dict[int, tuple[int, int]] = {}
        """By address: the unsettled bits, and those of them in which old and new differ."""
        self._noise = seed & _MASK64

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes from `address` on."""
        self.supply.demand()
        self._check(address, size)
        found = bytearray()
        for number, start, stop in self._spans(address, size):
            page = self._pages.get(number)
            found += bytes([BLANK]) * (stop - start) if page is None else page[start:stop]
        for at, (mask, change) in self._unsettled.items():
            if address <= at < address + size:
                found[at - address] ^= (0, change, self._draw() & mask)[self._draw() % 3]
        return bytes(found)

    def write(self, address: int, data: bytes) -> None:
        """Writes bytes, page by page; in flash it only clears bits.  SupplyLostError where the supply falls."""
        self._check(address, len(data))
        flash, done = self.part.kind is Kind.FLASH, 0
        for number, start, stop in self._spans(address, len(data)):
            page, new = self._page(number), data[done : done + stop - start]
            granted = self.supply.grant(len(new))
            if not flash:
                self.wear[number] = self.wear.get(number, 0) + 1
            torn = page[start + granted] if granted < len(new) else 0
            if flash:
                new = bytes(old & wanted for old, wanted in zip(page[start:stop], new, strict=True))
            page[start : start + granted] = new[:granted]
            self._settle(address + done, data[done : done + granted])
            if granted < len(new):
                at = address + done + granted
                change = torn ^ new[granted]
                self._unsettle(at, change if flash else 0xFF, change)
                raise SupplyLostError(f"cut in the write at {at}")
            done += stop - start

    def erase(self, address: int) -> None:
        """Sets the flash sector that begins at `address` to ones.  SupplyLostError where the supply falls."""
        size = self.part.sector_bytes
        assert self.part.kind is Kind.FLASH, "only flash is erased"
        assert address % size == 0, "an erase takes a sector"
        self._check(address, size)
        granted = self.supply.grant(ERASE_STEPS)
        sector = address // size
        self.wear[sector] = self.wear.get(sector, 0) + 1
        kept = {number: page for number, _, _ in self._spans(address, size) if (page := self._pages.get(number))}
        if granted < ERASE_STEPS:
            for number, page in kept.items():
                for at, old in enumerate(page, number * self.part.page_bytes):
                    if self._draw() % ERASE_STEPS <= granted:
                        self._unsettle(at, ~old & 0xFF, ~old & 0xFF)
            raise SupplyLostError(f"cut in the erase of sector {sector}")
        for number in kept:
            del self._pages[number]
        self._settle(address, bytes(size), force=True)

    def _unsettle(self, at: int, mask: int, change: int) -> None:
        before, _ = self._unsettled.get(at, (0, 0))
        if before | mask:
            self._unsettled[at] = (before | mask, change)

    def _settle(self, address: int, data: bytes, *, force: bool = False) -> None:
        """Takes uncertainty away from bytes that were written in full; in flash only from the bits that were cleared."""
        whole = force or self.part.kind is not Kind.FLASH
        for at in [at for at in self._unsettled if address <= at < address + len(data)]:
            mask, change = self._unsettled.pop(at)
            still = 0 if whole else data[at - address]
            self._unsettle(at, mask & still, change & still)

    def _page(self, number: int) -> bytearray:
        return self._pages.setdefault(number, bytearray([BLANK]) * self.part.page_bytes)

    def _spans(self, address: int, size: int) -> Iterator[tuple[int, int, int]]:
        """The pages of a run of bytes, with the first byte and the one behind the last in each."""
        end = address + size
        while address < end:
            page, start = divmod(address, self.part.page_bytes)
            stop = min(self.part.page_bytes, start + end - address)
            yield page, start, stop
            address += stop - start

    def _check(self, address: int, size: int) -> None:
        assert 0 <= address <= address + size <= self.part.size_bytes, "beyond the memory"

    def _draw(self) -> int:
        """A byte of noise: splitmix64 of seed and count."""
        self._noise = (self._noise + 0x9E3779B97F4A7C15) & _MASK64
        mixed = ((self._noise ^ self._noise >> 30) * 0xBF58476D1CE4E5B9) & _MASK64
        mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & _MASK64
        return (mixed ^ mixed >> 31) & 0xFF
