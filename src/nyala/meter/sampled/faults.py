"""Faults at the terminals: a signal in, the signal that the meter then sees out.  Phases are 0..2.

Where a current is led past a sensor, the neutral's sensor still sees the load: so a bypass shows as a residual.
"""

import cmath
import math
from dataclasses import replace

from nyala.meter.chip import PHASES
from nyala.meter.sampled.waveform import SILENT, Signal, Wave
from nyala.vocab.errors import BadArgumentError

_Waves = tuple[Wave, Wave, Wave]


def _with(waves: _Waves, phase: int, wave: Wave) -> _Waves:
    if not 0 <= phase < PHASES:
        raise BadArgumentError(f"phase {phase}; phases are 0..2")
    first, second, third = (wave if p == phase else old for p, old in enumerate(waves))
    return first, second, third


def _phasor(wave: Wave) -> complex:
    return cmath.rect(wave.rms, math.radians(wave.deg))


def _from_phasor(wave: Wave, value: complex) -> Wave:
    return replace(wave, rms=abs(value), deg=math.degrees(cmath.phase(value)))


def loads_neutral(given: Signal) -> Wave:
    """The neutral current of the loads as a wave (fundamental): what flows back when nothing is led past."""
    return _from_phasor(SILENT, -sum((_phasor(wave) for wave in given.i), 0j))


def phase_lost(given: Signal, phase: int) -> Signal:
    """The voltage of a phase is gone, and with it its load."""
    return replace(given, u=_with(given.u, phase, SILENT), i=_with(given.i, phase, SILENT))


def voltages_swapped(given: Signal, phase: int, other: int) -> Signal:
    """Two voltage leads are exchanged: a wrong phase sequence."""
    waves = _with(given.u, phase, given.u[other])
    return replace(given, u=_with(waves, other, given.u[phase]))


def phases_swapped(given: Signal, phase: int, other: int) -> Signal:
    """Two phases are exchanged, voltage and current: the sequence is wrong, the energy is right."""
    waves = _with(given.i, phase, given.i[other])
    return replace(voltages_swapped(given, phase, other), i=_with(waves, other, given.i[phase]))


def current_reversed(given: Signal, phase: int) -> Signal:
    """The current leads of a phase are exchanged.  The neutral is that of the loads."""
    wave = given.i[phase]
    turned = replace(wave, rms=-wave.rms, dc=-wave.dc)
    return replace(given, i=_with(given.i, phase, turned), neutral=given.neutral or loads_neutral(given))


def bypassed(given: Signal, phase: int, share: float) -> Signal:
    """`share` (0..1) of a phase's current is led past its sensor; the neutral's sensor sees all of it."""
    if not 0 <= share <= 1:
        raise BadArgumentError(f"a share of {share} led past a sensor; 0..1")
    wave = given.i[phase]
    seen = replace(wave, rms=wave.rms * (1 - share), dc=wave.dc * (1 - share))
    return replace(given, i=_with(given.i, phase, seen), neutral=given.neutral or loads_neutral(given))


def ct_open(given: Signal, phase: int) -> Signal:
    """The secondary of a current transformer is open: its sensor sees nothing, the others and the neutral do."""
    return bypassed(given, phase, 1.0)


def neutral_missing(given: Signal) -> Signal:
    """The neutral is cut before the meter.  One phase: no voltage.  Three: the star point moves with the loads.

    Fundamentals only; the loads are taken as impedances.
    """
    pairs = [(_phasor(u), _phasor(i)) for u, i in zip(given.u, given.i, strict=True)]
    live = [(u, i) for u, i in pairs if u]
    if len(live) < 2:
        return replace(given, u=(SILENT,) * 3, i=(SILENT,) * 3, neutral=SILENT)
    admittances = [i / u if u else 0j for u, i in pairs]
    total = sum(admittances, 0j)
    star = sum((y * u for y, (u, _) in zip(admittances, pairs, strict=True)), 0j) / total if total else 0j
    voltages = [u - star if u else 0j for u, _ in pairs]
    u1, u2, u3 = (_from_phasor(wave, value) for wave, value in zip(given.u, voltages, strict=True))
    i1, i2, i3 = (_from_phasor(w, y * v) for w, y, v in zip(given.i, admittances, voltages, strict=True))
    return replace(given, u=(u1, u2, u3), i=(i1, i2, i3), neutral=SILENT)
