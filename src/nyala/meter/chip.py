"""The measurement chip in phasor fidelity: from voltages, currents and angles at the terminals to powers per channel.

Shapes: n meters x 3 phases, float64; a phase that a model does not have is zero.  Sign convention: an angle of 0 is
import at unity power factor; the current lags the voltage by a positive angle (inductive).  The direction is that of the
net sum over the phases, judged each second (product sheet C4).  Apparent power is the vector sum sqrt(P**2 + Q**2).

Not here: waveforms, sensor errors and calibration (sampled fidelity).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nyala.vocab.quantities import Channel

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
PHASES = 3


@dataclass(frozen=True, slots=True)
class Phasors:
    """What is at the terminals.  `u_v` and `i_a` RMS, `angle_rad` by which the current lags; n x 3.  `f_hz` n."""

    u_v: Floats
    i_a: Floats
    angle_rad: Floats
    f_hz: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Second:
    """What the chip says of one second of n meters, whatever the fidelity: the seam between measurement and registers.

    `u_v`, `i_a` (RMS), `p_w`, `q_var` (fundamental, signed): n x 3.  `energy_mws` n x 3 x 2: signed mW- and mvar-seconds
    of each phase in that second.  n each: `neutral_a` RMS; `residual_a` RMS of the sum of all currents, neutral included;
    `f_hz`; `sequence` 1 in order, -1 backwards, 0 not to be judged; `u0_v` zero-sequence voltage, RMS; `dc_percent` the
    largest constant part of a voltage or current, of its RMS.
    Apparent power is derived from P and Q: the declared vector method.
    """

    u_v: Floats
    i_a: Floats
    p_w: Floats
    q_var: Floats
    energy_mws: Integers
    neutral_a: Floats
    residual_a: Floats
    f_hz: Floats
    sequence: NDArray[np.int8]
    u0_v: Floats
    dc_percent: Floats


@dataclass(frozen=True, slots=True)
class Powers:
    """What the chip derives.  Per phase n x 3 in W and var; `channel_mw` n x 8: power in mW, mvar, mVA per channel."""

    p_w: Floats
    q_var: Floats
    channel_mw: Integers


def measure(phasors: Phasors, no_load_w: Floats) -> Powers:
    """Powers of one second.  `no_load_w` (n): below it P and Q are not registered (creep threshold)."""
    apparent = phasors.u_v * phasors.i_a
    p_w, q_var = apparent * np.cos(phasors.angle_rad), apparent * np.sin(phasors.angle_rad)
    return Powers(p_w, q_var, channel_powers(p_w.sum(axis=1), q_var.sum(axis=1), no_load_w))


def channel_powers(p_w: Floats, q_var: Floats, no_load_w: Floats) -> Integers:
    """Total P and Q (n) sorted into the eight channels (n x 8), in whole mW, mvar and mVA."""
    idle_p, idle_q = np.abs(p_w) < no_load_w, np.abs(q_var) < no_load_w
    p_mw = np.where(idle_p, 0, np.rint(p_w * 1000)).astype(np.int64)
    q_mvar = np.where(idle_q, 0, np.rint(q_var * 1000)).astype(np.int64)
    s_mva = np.rint(np.hypot(p_mw, q_mvar)).astype(np.int64)
    importing, positive = p_mw >= 0, q_mvar >= 0
    channels = np.zeros((len(p_mw), len(Channel)), np.int64)
    channels[:, Channel.IMPORT] = np.where(importing, p_mw, 0)
    channels[:, Channel.EXPORT] = np.where(importing, 0, -p_mw)
    magnitude = np.abs(q_mvar)
    channels[:, Channel.Q1] = np.where(importing & positive, magnitude, 0)
    channels[:, Channel.Q2] = np.where(~importing & positive, magnitude, 0)
    channels[:, Channel.Q3] = np.where(~importing & ~positive, magnitude, 0)
    channels[:, Channel.Q4] = np.where(importing & ~positive, magnitude, 0)
    channels[:, Channel.IMPORT_VA] = np.where(importing, s_mva, 0)
    channels[:, Channel.EXPORT_VA] = np.where(importing, 0, s_mva)
    return channels
