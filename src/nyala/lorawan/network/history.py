"""How the last uplinks of a device were heard, in two bytes each: best SNR in quarters of a decibel, uplinks missed before it.

Plain bytes, because there is one for each of many thousands of devices.
"""

from dataclasses import dataclass
from typing import Final

UPLINKS: Final = 20
"""Uplinks that adaptive data rate looks back on."""
MISSED_MAX: Final = 255
_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class Heard:
    """What adaptive data rate looks at: SNR in dB of the uplinks that came, and how many did not."""

    snr_db: tuple[float, ...]
    missed: int = 0

    @property
    def loss(self) -> float | None:
        """Share of the uplinks that were lost; None while the history is not full."""
        return self.missed / (self.missed + len(self.snr_db)) if len(self.snr_db) >= UPLINKS else None


def remember(history: bytes, snr_db: float, missed: int) -> bytes:
    """The history with one more uplink."""
    quarters = max(0, min(255, round(snr_db * 4) + 128))
    return (history + bytes((quarters, min(missed, MISSED_MAX))))[-UPLINKS * _BYTES :]


def read(history: bytes) -> Heard:
    """What a history says.  What was missed before its first uplink is not counted."""
    return Heard(tuple([(quarters - 128) / 4 for quarters in history[::_BYTES]]), sum(history[_BYTES + 1 :: _BYTES]))
