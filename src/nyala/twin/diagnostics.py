"""What a module knows of itself: how long it runs, how it hears, how its clock goes, what it has used, what it can.

Told once a day with the registers, in part after a join, and on request as any quantity of the catalogue; no telegram of its
own.  Working memory: a power cut begins it anew.
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from nyala.meter.meter import Meter
from nyala.twin.state import TwinMemory
from nyala.vocab.time import US_PER_S

DAILY: Final = ("uptime_s", "downlink_snr_db", "clock_error_ms", "clock_drift_ppb", "event_count", "battery_v", "temperature_c")
"""Two frames of 11 bytes at the slowest data rate."""
JOINED: Final = ("capabilities", "join_count", "event_count")
DRIFT_SPAN_US: Final = 6 * 3_600 * US_PER_S
"""Between two settings of the clock, at least, for a figure of its drift: the network's time is good to some ms."""


class Capability(IntFlag):
    """The bits of the quantity `capabilities`."""

    CLASS_C = 1
    SWITCH = 2
    """A supply switch that can be ordered."""
    GROUPS = 4
    """Multicast groups and blocks (TS004, TS005)."""
    FIRMWARE = 8
    """Takes firmware over the air."""
    LAST_WORDS = 16
    """Says when its supply is gone."""


@dataclass(slots=True)
class Diagnostics:
    """One module since it started, at `started_s` of the meter's clock."""

    started_s: int
    snr_db: float | None = None
    step_us: int | None = None
    """What the last synchronisation had to correct: positive where the clock was slow."""
    drift_ppb: int | None = None
    _synced_us: int | None = None

    def synced(self, step_us: int, now_us: int) -> None:
        """The clock was compared with the network's; `step_us`: network less clock."""
        before, self.step_us = self._synced_us, step_us
        if before is not None and now_us - before < DRIFT_SPAN_US:
            return
        if before is not None:
            self.drift_ppb = -step_us * 1_000_000_000 // (now_us - before)
        self._synced_us = now_us

    def value(self, name: str, meter: Meter, memory: TwinMemory) -> int | None:
        """A quantity of the catalogue; None for what is not the module's, or not known yet."""
        match name:
            case "uptime_s":
                return max(meter.clock_s - self.started_s, 0)
            case "downlink_snr_db":
                return None if self.snr_db is None else round(self.snr_db * 10)
            case "clock_error_ms":
                return None if self.step_us is None else self.step_us // 1000
            case "clock_drift_ppb":
                return self.drift_ppb
            case "event_count":
                return memory.event_number
            case "join_count":
                return memory.device.dev_nonce
            case "uplink_count":
                return 0 if memory.device.activation is None else memory.device.activation.f_cnt_up
            case "capabilities":
                return int(_capabilities(meter))
        return None


def _capabilities(meter: Meter) -> Capability:
    own = Capability.CLASS_C | Capability.GROUPS | Capability.FIRMWARE | Capability.LAST_WORDS
    return own | Capability.SWITCH if meter.model.supply_switch else own
