"""Memory parts as data: `parts.toml`, one table for each part, with the source of its figures.  No bytes are kept here."""

import tomllib
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files

from nyala.vocab.errors import BadArgumentError, UnknownError


class Kind(Enum):
    """What a write does."""

    EEPROM = "eeprom"
    """Any byte, in pages; a page wears with each write cycle."""
    FLASH = "flash"
    """A write only clears bits; a sector is set to ones by an erase, which wears it."""
    FRAM = "fram"
    """Any byte, at bus speed."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part.  `endurance` in cycles of a place: a page of EEPROM and FRAM, a sector of flash.

    A page takes `page_write_us` once its bytes have come over the bus, `byte_bus_ns` each; an erase `erase_us`.
    """

    title: str
    source: str
    kind: Kind
    size_bytes: int
    page_bytes: int
    sector_bytes: int
    endurance: int
    page_write_us: int
    erase_us: int
    byte_bus_ns: int

    def __post_init__(self) -> None:
        if self.sector_bytes % self.page_bytes or self.size_bytes % self.sector_bytes:
            raise BadArgumentError(f"{self.title}: pages must fill sectors and sectors the part")

    def write_us(self, size_bytes: int) -> int:
        """Longest time to write so many bytes from the start of a page on, in microseconds, without erase."""
        pages = -(-size_bytes // self.page_bytes)
        return pages * self.page_write_us + -(-size_bytes * self.byte_bus_ns // 1000)


@cache
def part_table() -> dict[str, Part]:
    """All parts by name."""
    rows = tomllib.loads(files("nyala.meter.memory").joinpath("parts.toml").read_text(encoding="utf-8"))
    return {name: Part(**row | {"kind": Kind(row["kind"])}) for name, row in rows.items()}


def part(name: str) -> Part:
    """A part by name; UnknownError for another."""
    try:
        return part_table()[name]
    except KeyError:
        raise UnknownError("memory part", name) from None
