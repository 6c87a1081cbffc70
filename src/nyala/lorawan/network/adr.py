"""Adaptive data rate as a pure function: what to ask of a device whose link is known.

Rule: the best SNR of the last uplinks minus the demodulation floor of the data rate minus a margin is spent in steps of
3 dB, on a higher data rate first, then on less power (Semtech's simple ADR; ChirpStack and TTS use the same steps).
A device that lacks margin is never slowed down here: its own back-off does that.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from nyala.lorawan.region import Region

STEP_DB: Final = 3.0
HISTORY_MIN: Final = 3
"""Uplinks that must have been heard before a device is moved."""
POWER_HISTORY_MIN: Final = 10
"""Uplinks before power is lowered: the maximum of few samples flatters the link."""
SNR_FLOOR_DB: Final = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
"""Demodulation floor by spreading factor (SX1276 data sheet table 13)."""


@dataclass(frozen=True, slots=True)
class Link:
    """How a device should send."""

    data_rate: int
    tx_power: int
    nb_trans: int


def recommend(region: Region, now: Link, snr_db: Collection[float], margin_db: float) -> Link:
    """The link to ask for, given the SNR of the last uplinks in dB; `now` where nothing should change."""
    if len(snr_db) < HISTORY_MIN:
        return now
    floor = SNR_FLOOR_DB[region.data_rate(now.data_rate).sf]
    steps = int((max(snr_db) - floor - margin_db) // STEP_DB)
    data_rate, power = now.data_rate, now.tx_power
    highest = region.channel_data_rates[1]
    faster = min(max(steps, 0), highest - data_rate)
    data_rate, steps = data_rate + max(faster, 0), steps - max(faster, 0)
    if steps > 0 and len(snr_db) >= POWER_HISTORY_MIN:
        power = min(power + steps, region.tx_power_limit)
    elif steps < 0:
        power = max(power + steps, 0)
    return Link(data_rate, power, now.nb_trans)
