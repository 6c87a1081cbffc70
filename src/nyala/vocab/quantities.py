"""The quantity catalogue: every number that a meter can say, once.  The table is `quantities.csv`.

Telegrams, registers, API schema, LCD, portal labels and documents are made from it.  Columns:

    name         the key everywhere, unit last
    code         8 bits in a telegram; a total's code c has its rates 1..8 at c+1..c+8
    obis         IEC 62056-6-1 code A-B:C.D.E; E is the rate
    unit,scaler  physical value = integer * 10**scaler in unit
    signed       1: two's complement in a telegram
    kind         energy (a register: only rises, never rolls over: int64), derived (a sum or difference of registers),
                 phase (a register of one phase alone), demand, instant, state.  Energy and derived have rates.
    label_en/id  what a person reads

Sign convention: import (+A) is what the customer takes from the grid; export (-A) is given to it.  Q1..Q4 as
IEC 62053-23 annex C: Q1 inductive import, Q2 capacitive export, Q3 inductive export, Q4 capacitive import.
"""

import csv
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache
from importlib.resources import files

from nyala.vocab.errors import UnknownError

RATED = ("energy", "derived")
"""Kinds of quantities that stand in the catalogue once in total and once per rate."""
RATES = 8
"""Tariff rates per energy register (product sheet A6)."""
MWS_PER_WH = 3_600_000
"""Milliwatt-seconds in a watt-hour: the remainder of a register is always below this."""


class Channel(IntEnum):
    """The energy registers of a meter, in the order of the bank's arrays and of the catalogue."""

    IMPORT = 0
    EXPORT = 1
    Q1 = 2
    Q2 = 3
    Q3 = 4
    Q4 = 5
    IMPORT_VA = 6
    EXPORT_VA = 7


@dataclass(frozen=True, slots=True)
class Quantity:
    """One row of the catalogue, or one rate (1..8) of an energy row."""

    name: str
    code: int
    obis: str
    unit: str
    scaler: int
    signed: bool
    kind: str
    label_en: str
    label_id: str
    description: str
    channel: Channel | None = None
    rate: int = 0

    def of_rate(self, rate: int) -> "Quantity":
        """The register of one rate of a total."""
        assert self.kind in RATED
        assert 1 <= rate <= RATES
        return replace(
            self,
            name=f"{self.name}_t{rate}",
            code=self.code + rate,
            obis=f"{self.obis[:-1]}{rate}",
            label_en=f"{self.label_en} T{rate}",
            label_id=f"{self.label_id} T{rate}",
            rate=rate,
        )


@cache
def catalogue() -> dict[str, Quantity]:
    """All quantities by name: the rows of the table, each energy total followed by its eight rates."""
    rows: dict[str, Quantity] = {}
    energies = 0
    with files("nyala.vocab").joinpath("quantities.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            channel = Channel(energies) if row["kind"] == "energy" else None
            energies += channel is not None
            quantity = Quantity(
                name=row["name"],
                code=int(row["code"]),
                obis=row["obis"],
                unit=row["unit"],
                scaler=int(row["scaler"]),
                signed=row["signed"] == "1",
                kind=row["kind"],
                label_en=row["label_en"],
                label_id=row["label_id"],
                description=row["description"],
                channel=channel,
            )
            rates = [quantity.of_rate(rate) for rate in range(1, RATES + 1)] if quantity.kind in RATED else []
            rows |= {each.name: each for each in (quantity, *rates)}
    return rows


@cache
def by_code() -> dict[int, Quantity]:
    """All quantities by their 8-bit telegram code."""
    return {quantity.code: quantity for quantity in catalogue().values()}


def quantity(name: str) -> Quantity:
    """A quantity by name; UnknownError for a name that is not in the catalogue."""
    try:
        return catalogue()[name]
    except KeyError:
        raise UnknownError("quantity", name) from None


@cache
def register(channel: Channel, rate: int = 0) -> Quantity:
    """The energy register of a channel: its total (rate 0) or one rate."""
    return next(q for q in catalogue().values() if q.channel is channel and q.rate == rate)
