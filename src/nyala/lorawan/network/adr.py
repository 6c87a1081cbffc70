"""Adaptive data rate as a function that can be replaced: what to ask of a device whose link is known.

An algorithm takes region, link, history and margin, and answers the link to ask for; `ALGORITHMS` names those that are there.

* `margin`: the best SNR of the last uplinks minus the demodulation floor of the data rate minus a margin is spent in steps
  of 3 dB, on a higher data rate first, then on less power (Semtech's simple ADR; ChirpStack and TTS use the same steps).
* `spread`: the same steps from the SNR that all but few uplinks reach.  The default.

NbTrans follows the loss that the counters show, by the table of ChirpStack (reference lorawan.md 10.1).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Final, Protocol

from nyala.lorawan.network.history import Heard
from nyala.lorawan.region import Region

STEP_DB: Final = 3.0
HISTORY_MIN: Final = 3
"""Uplinks that must have been heard before a device is moved."""
POWER_HISTORY_MIN: Final = 10
"""Uplinks before power is lowered: the maximum of few samples flatters the link."""
SNR_FLOOR_DB: Final = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
"""Demodulation floor by spreading factor (SX1276 data sheet table 13)."""
NB_TRANS_BY_LOSS: Final = ((0.05, (1, 1, 2)), (0.10, (1, 2, 3)), (0.30, (2, 3, 3)), (1.01, (3, 3, 3)))
"""(loss below this, NbTrans to ask for where it is 1, 2 or 3 now)."""
SIGMAS: Final = 1.7
"""Deviations below the mean that `spread` plans for; this and what follows were chosen by `nyala lorawan adr`."""
MARGIN_PARTS: Final = 5
"""What `spread` takes of the margin, besides: 2 dB of 10."""
USUAL_DB: Final = 3.0
"""Deviation of a link of which little is known, and how many uplinks that counts for."""
USUAL_UPLINKS: Final = 4
POWER_RESERVE_DB: Final = 9.0
"""What `spread` leaves beyond its margin before it lowers the power: airtime is scarce, a meter's power is not."""
SLOWER_LOSS: Final = 0.10


@dataclass(frozen=True, slots=True)
class Link:
    """How a device should send."""

    data_rate: int
    tx_power: int
    nb_trans: int


class AdrAlgorithm(Protocol):
    """What decides."""

    def __call__(self, region: Region, now: Link, heard: Heard, margin_db: float) -> Link:
        """The link to ask for; `now` where nothing should change."""


def margin(region: Region, now: Link, heard: Heard, margin_db: float) -> Link:
    """The best of the last uplinks counts.  A device that lacks margin is not slowed down: its own back-off does that."""
    if len(heard.snr_db) < HISTORY_MIN:
        return now
    floor = SNR_FLOOR_DB[region.data_rate(now.data_rate).sf]
    return _spend(region, now, heard.snr_db, max(heard.snr_db) - floor - margin_db, nb_trans(now.nb_trans, heard.loss))


def _spend(
    region: Region, now: Link, snr_db: Collection[float], spare_db: float, repeats: int, reserve_db: float = 0.0
) -> Link:
    """Turns decibels into steps: a higher data rate first, then less power; what lacks is given back in power."""
    steps = int(spare_db // STEP_DB)
    data_rate, power = now.data_rate, now.tx_power
    faster = max(min(max(steps, 0), region.channel_data_rates[1] - data_rate), 0)
    data_rate, steps = data_rate + faster, steps - faster
    if steps > 0:
        steps = max(int((spare_db - faster * STEP_DB - reserve_db) // STEP_DB), 0)
    if steps > 0 and len(snr_db) >= POWER_HISTORY_MIN:
        power = min(power + steps, region.tx_power_limit)
    elif steps < 0:
        power = max(power + steps, 0)
    return Link(data_rate, power, repeats)


def nb_trans(now: int, loss: float | None) -> int:
    """NbTrans by the share of uplinks that were lost; as it is where that is not known."""
    if loss is None:
        return now
    row = next(row for below, row in NB_TRANS_BY_LOSS if loss < below)
    return row[min(max(now, 1), len(row)) - 1]


def spread(region: Region, now: Link, heard: Heard, margin_db: float) -> Link:
    """The mean of the last uplinks less its uncertainty counts: a link that swings gets a wide margin, a still one little.

    Spare is mean - `SIGMAS` deviations - floor - a part of the margin, the deviation drawn towards `USUAL_DB` while uplinks
    are few.  Where power is full, uplinks are lost and the mean itself lacks, one step of data rate is given back.
    """
    count = len(heard.snr_db)
    if count < HISTORY_MIN:
        return now
    floor = SNR_FLOOR_DB[region.data_rate(now.data_rate).sf]
    mean = sum(heard.snr_db) / count
    squares = sum([(each - mean) ** 2 for each in heard.snr_db]) + USUAL_UPLINKS * USUAL_DB**2
    deviation = sqrt(squares / (count + USUAL_UPLINKS) * (1 + 1 / count))
    spare_db = mean - SIGMAS * deviation - floor - margin_db / MARGIN_PARTS
    loss = heard.loss
    if loss is not None and loss >= SLOWER_LOSS and spare_db < 0 and not now.tx_power:
        slower = max(now.data_rate - 1, min(region.join_data_rates[0], now.data_rate))
        if slower < now.data_rate:
            return Link(slower, 0, now.nb_trans)
    return _spend(region, now, heard.snr_db, spare_db, nb_trans(now.nb_trans, loss), POWER_RESERVE_DB)


ALGORITHMS: Final[Mapping[str, AdrAlgorithm]] = {"margin": margin, "spread": spread}
