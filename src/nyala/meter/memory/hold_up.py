"""The last moments: how long a capacitor feeds the memory after the mains is gone, and what is written in that time.

A linear regulator draws a constant current: t = C (U1 - U2) / I.  From it goes the time in which the fall is noticed.
Every byte goes over the bus and every page takes its write cycle at the longest time of the data sheet.  The radio and
the display are off; the energy of the supply's own losses is in the current.
"""

from dataclasses import dataclass
from typing import Any

from nyala.meter.memory.layout import IMAGE_OVERHEAD, Group, ImagePlace, Layout
from nyala.meter.memory.parts import Part


@dataclass(frozen=True, slots=True)
class HoldUp:
    """A capacitor and its load.  The default is a design figure of this meter: 1 mF on the 12 V rail, 15 mA, down to 5 V.

    `detect_ms`: two half cycles at 47.5 Hz without voltage until the fall is certain.
    """

    capacitance_uf: float = 1000
    tolerance_percent: float = 20
    full_v: float = 12
    empty_v: float = 5
    load_ma: float = 15
    detect_ms: float = 21

    @property
    def budget_ms(self) -> float:
        """Time to write in, with the capacitor at the low end of its tolerance."""
        farads = self.capacitance_uf * (1 - self.tolerance_percent / 100) * 1e-6
        return max(farads * (self.full_v - self.empty_v) / (self.load_ma * 1e-3) * 1000 - self.detect_ms, 0)

    def bytes_within(self, part: Part) -> int:
        """Bytes that can be written to whole pages of a part in the budget; as many as it has where a byte takes no time."""
        pages = int(self.budget_ms * 1000 // max(part.write_us(part.page_bytes), 1))
        return min(pages * part.page_bytes, part.size_bytes)


@dataclass(frozen=True, slots=True)
class PowerFailRow:
    """One group in the order of saving: its time, the time since the start, and whether it ends within the budget."""

    group: Group
    size_bytes: int
    save_ms: float
    ends_ms: float
    budget_ms: float

    @property
    def passes(self) -> bool:
        """It is whole before the capacitor is empty."""
        return self.ends_ms <= self.budget_ms

    def to_json(self) -> dict[str, Any]:
        """Plain values, times in ms to the microsecond."""
        times = {name: round(getattr(self, name), 3) for name in ("save_ms", "ends_ms", "budget_ms")}
        return {"group": self.group.value, "size_bytes": self.size_bytes, **times, "pass": self.passes}


def save_ms(place: ImagePlace, part: Part) -> float:
    """Longest time of a save of a full image, in ms."""
    return part.write_us(place.size_bytes + IMAGE_OVERHEAD) / 1000


def power_fail_budget(layout: Layout, hold_up: HoldUp | None = None) -> tuple[PowerFailRow, ...]:
    """The groups that are saved when the supply falls, in their order, against the hold-up time."""
    budget_ms, ends_ms, rows = (hold_up or HoldUp()).budget_ms, 0.0, []
    for group, place in layout.images.items():
        if place.power_fail:
            time_ms = save_ms(place, layout.parts[place.part])
            ends_ms += time_ms
            rows.append(PowerFailRow(group, place.size_bytes, time_ms, ends_ms, budget_ms))
    return tuple(rows)
