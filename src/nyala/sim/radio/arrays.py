"""The fates of many frames at all gateways, as arrays: the rules of `channel` in a compiled loop.

It decides each frame exactly as `RadioWorld` does (a test holds it frame by frame) and is for questions that need millions
of them.  Frames are given in the order of their beginning; nothing is drawn here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nyala.lorawan.airtime import symbol_us
from nyala.lorawan.network.adr import SNR_FLOOR_DB
from nyala.sim.radio.fate import Fate
from nyala.sim.radio.profile import SF_FIRST, SPREADING_FACTORS, RadioProfile, capture_matrix, noise_dbm
from nyala.vocab.jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Frames:
    """Uplinks at 125 kHz in the order of `start_us`; `rssi_dbm` is gateways x frames, `burst_mw` what bursts added."""

    start_us: Ints
    end_us: Ints
    channel: Ints
    sf: Ints
    rssi_dbm: Floats
    burst_mw: Floats


@dataclass(frozen=True, slots=True)
class Sends:
    """What the gateways send, in the order of gateway and beginning."""

    gateway: Ints
    start_us: Ints
    end_us: Ints


def critical_us(profile: RadioProfile, frames: Frames) -> Ints:
    """From where on each frame can be disturbed."""
    early = np.array([profile.early_symbols * symbol_us(sf, 125) for sf in SPREADING_FACTORS])
    critical: Ints = frames.start_us + early[frames.sf - SF_FIRST]
    return critical


def fates(profile: RadioProfile, frames: Frames, sends: Sends) -> NDArray[np.int8]:
    """`Fate` of each frame at each gateway, gateways x frames."""
    floors_dbm = np.array([profile.gateway_floor_dbm(sf) for sf in SPREADING_FACTORS])
    snr_floor_db = np.array([SNR_FLOOR_DB[sf] for sf in SPREADING_FACTORS])[frames.sf - SF_FIRST]
    noise = 10 * np.log10(10 ** (noise_dbm(profile.gateway_noise_figure_db, 125) / 10) + frames.burst_mw)
    audible = frames.rssi_dbm >= floors_dbm[frames.sf - SF_FIRST]
    disturbed = (frames.rssi_dbm - noise < snr_floor_db) & (frames.burst_mw > 0)
    critical, least_db = critical_us(profile, frames), np.array(capture_matrix(profile.capture))
    gateways = len(frames.rssi_dbm)
    found = np.full(frames.rssi_dbm.shape, Fate.HEARD, np.int8)
    bounds = np.searchsorted(sends.gateway, np.arange(gateways + 1))
    for gateway in range(gateways):
        mine = slice(bounds[gateway], bounds[gateway + 1])
        times_us = np.column_stack((frames.start_us, frames.end_us, critical))
        collided = _collided(times_us, frames.channel, frames.sf - SF_FIRST, frames.rssi_dbm[gateway], least_db)
        away = _turned_away(frames.start_us, frames.end_us, audible[gateway], profile.demodulators)
        deaf = overlaps(critical, frames.end_us, sends.start_us[mine], sends.end_us[mine]) > 0
        row = found[gateway]
        # The first reason wins, so the last is written first.
        row[disturbed[gateway]] = Fate.DISTURBED
        row[collided] = Fate.COLLIDED
        row[away] = Fate.NO_PATH
        row[deaf] = Fate.DEAF
        row[~audible[gateway]] = Fate.FAINT
    return found


def overlaps(from_us: Ints, to_us: Ints, start_us: Ints, end_us: Ints) -> Ints:
    """How many of the spans [start, end), given in the order of their beginning, overlap each of the spans [from, to).

    Those that have begun before its end, less those that have ended before its beginning.
    """
    return np.searchsorted(start_us, to_us) - np.searchsorted(np.sort(end_us), from_us, side="right")


@kernel
def _turned_away(start_us: Ints, end_us: Ints, audible: NDArray[np.bool_], demodulators: int) -> NDArray[np.bool_]:
    away = np.zeros(len(start_us), np.bool_)
    free_us = np.full(demodulators, np.iinfo(np.int64).min)
    for i in range(len(start_us)):
        if audible[i]:
            path = np.argmin(free_us)
            if free_us[path] > start_us[i]:
                away[i] = True
            else:
                free_us[path] = end_us[i]
    return away


@kernel
def _collided(times_us: Ints, channel: Ints, sf: Ints, rssi_dbm: Floats, least_db: Floats) -> NDArray[np.bool_]:
    """Which frames lose against those on their channel: each looks back to what may still last, and ahead to its end.

    `times_us`: a row of beginning, end and critical instant for each frame.
    """
    count, longest_us = len(times_us), 0
    for i in range(count):
        longest_us = max(longest_us, times_us[i, 1] - times_us[i, 0])
    lost = np.zeros(count, np.bool_)
    milliwatts = 10 ** (rssi_dbm / 10)
    sums = np.zeros(len(least_db))
    first = 0
    for i in range(count):
        while times_us[first, 0] + longest_us <= times_us[i, 0]:
            first += 1
        sums[:] = 0
        j = first
        while j < count and times_us[j, 0] < times_us[i, 1]:
            if j != i and channel[j] == channel[i] and times_us[i, 2] < times_us[j, 1]:
                sums[sf[j]] += milliwatts[j]
            j += 1
        for rival in range(len(sums)):
            if sums[rival] > 0 and rssi_dbm[i] - 10 * np.log10(sums[rival]) < least_db[sf[i], rival]:
                lost[i] = True
    return lost
