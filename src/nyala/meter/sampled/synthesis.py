"""From spectra to codes: exact synthesis of a second at 8,000 samples/s, converter noise, rounding and clipping, fused.

Phase runs on across seconds because a second begins at the fraction of a cycle where the last one ended.  Noise is drawn
from a counter: sample n of a channel in a second is `mix(key + n * golden)`, so it depends on nothing that came before.  Its
law is the sum of eight uniform bytes: variance as wanted, kurtosis -0.15, never beyond 4.9 sigma.
"""

import math
from typing import Any, Final

import numpy as np

from nyala.meter.sampled.kernels import CHANNELS, HISTORY, rotate
from nyala.meter.sampled.window import RATE_HZ
from nyala.vocab.jit import kernel, reassociating_kernel

GOLDEN: Final = 0x9E3779B97F4A7C15
_MASK: Final = (1 << 64) - 1
_G = np.uint64(GOLDEN)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S8, _S48 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(8), np.uint64(48)
_BYTES = np.uint64(0x00FF00FF00FF00FF)
_ONES = np.uint64(0x0001000100010001)
_STREAMS: Final = np.array([0xD1B54A32D192ED03 * channel & _MASK for channel in range(CHANNELS)], np.uint64)
"""Far apart: the streams of two channels do not meet within a second."""
_MEAN: Final = 8 * 127.5
_SIGMA: Final = math.sqrt(8 * (256 * 256 - 1) / 12)
BLOCK: Final = 400
"""Samples worked on at once: their intermediate values stay in the nearest cache.  It divides the rate."""


def mix(value: int) -> int:
    """SplitMix64's finaliser: 64 bits to 64 well-mixed bits (Steele, Lea, Flood 2014)."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)


def key(*parts: int) -> int:
    """A 64-bit key of a few numbers: meter, second, channel."""
    found = 0
    for part in parts:
        found = mix(found + GOLDEN + part & _MASK)
    return found


def noise_keys(seed: int, second: int) -> Any:
    """Keys of the noise of a meter's channels in a second: 7 uint64."""
    return np.uint64(key(seed, second)) + _STREAMS


def uniform(*parts: int) -> float:
    """A number in -1..1 that depends on `parts` alone."""
    return key(*parts) / 2**63 - 1.0


@kernel
def convert(block: Any, first: int, noise_key: Any, sigma: float, offset: float, limit: float, codes: Any) -> None:
    """Adds offset and noise (codes) to a block; rounds and clips if `limit` is positive; writes it to codes[first:]."""
    target = codes[first : first + BLOCK]
    if sigma > 0.0:
        for lane in range(BLOCK):
            bits = noise_key + _G * np.uint64(first + lane)
            bits = (bits ^ (bits >> _S30)) * _M1
            bits = (bits ^ (bits >> _S27)) * _M2
            bits ^= bits >> _S31
            total = ((bits & _BYTES) + ((bits >> _S8) & _BYTES)) * _ONES >> _S48
            target[lane] = block[lane] + (offset + (np.float64(np.int64(total)) - _MEAN) * (sigma / _SIGMA))
    else:
        for lane in range(BLOCK):
            target[lane] = block[lane] + offset
    if limit > 0.0:
        for lane in range(BLOCK):
            target[lane] = min(max(np.rint(target[lane]), -limit), limit - 1.0)


@kernel
def horner(real: Any, imaginary: Any, cosine: Any, sine: Any, y: Any, work: Any) -> None:
    """y[lane] = Re sum c[h] z[lane]**h over a block; `work` BLOCK."""
    top = len(real) - 1
    for lane in range(BLOCK):
        y[lane], work[lane] = real[top], imaginary[top]
    for order in range(top - 1, 0, -1):
        c, d = real[order], imaginary[order]
        for lane in range(BLOCK):
            re = c + (y[lane] * cosine[lane] - work[lane] * sine[lane])
            work[lane] = d + (y[lane] * sine[lane] + work[lane] * cosine[lane])
            y[lane] = re
    if top > 0:
        for lane in range(BLOCK):
            y[lane] = real[0] + (y[lane] * cosine[lane] - work[lane] * sine[lane])


@kernel
def synthesise(
    real: Any, imaginary: Any, cosine: Any, sine: Any, gate: Any, keys: Any, sigma: Any, offset: Any, limit: float, codes: Any
) -> None:
    """Writes the newest RATE_HZ columns of `codes` (channels x HISTORY + RATE_HZ) and moves the history up.

    `real`, `imaginary` channels x orders, in codes; `cosine`, `sine` RATE_HZ of the fundamental; `gate` channels x RATE_HZ
    or x 0; `keys` channels uint64; `sigma`, `offset` channels, in codes; `limit`: codes run -limit..limit-1, 0 for a
    converter without steps or end.
    """
    y, work = np.empty(BLOCK), np.empty(BLOCK)
    for channel in range(len(codes)):
        row = codes[channel]
        for n in range(HISTORY):
            row[n] = row[n + RATE_HZ]
        fresh = row[HISTORY:]
        top = real.shape[1]
        while top > 1 and real[channel, top - 1] == 0.0 and imaginary[channel, top - 1] == 0.0:
            top -= 1
        for first in range(0, RATE_HZ, BLOCK):
            horner(real[channel, :top], imaginary[channel, :top], cosine[first:], sine[first:], y, work)
            if gate.shape[1]:
                for lane in range(BLOCK):
                    y[lane] *= gate[channel, first + lane]
            convert(y, first, keys[channel], sigma[channel], offset[channel], limit, fresh)


@kernel
def shared_basis(turns: float, step_turns: float, orders: int, basis: Any) -> None:
    """cos, then sin, of orders 0..orders-1 over a second: `basis` blocks x 2 orders x BLOCK, 32 bits; for all of one mains."""
    cosine, sine = np.empty(RATE_HZ), np.empty(RATE_HZ)
    for order in range(orders):
        rotate(order * turns, order * step_turns, cosine, sine)
        for block in range(RATE_HZ // BLOCK):
            for n in range(BLOCK):
                basis[block, order, n] = cosine[block * BLOCK + n]
                basis[block, orders + order, n] = sine[block * BLOCK + n]


@reassociating_kernel
def combine(mixing: Any, basis: Any, waves: Any) -> None:
    """The matrix product `waves` = `mixing` `basis` of a meter, 32 bits: channels x terms (a multiple of 8) by `shared_basis`.

    0.3 of a code off at most at the nominal voltage: a hundredth of the converter's noise.
    """
    for block in range(len(basis)):
        part = basis[block]
        for channel in range(len(mixing)):
            row, y = mixing[channel], waves[channel, block * BLOCK : (block + 1) * BLOCK]
            y[:] = 0.0
            for k in range(0, len(row), 8):
                a, b, c, d, e, f, g, h = (
                    row[k],
                    row[k + 1],
                    row[k + 2],
                    row[k + 3],
                    row[k + 4],
                    row[k + 5],
                    row[k + 6],
                    row[k + 7],
                )
                p, q, r, s = part[k], part[k + 1], part[k + 2], part[k + 3]
                t, u, v, w = part[k + 4], part[k + 5], part[k + 6], part[k + 7]
                for n in range(BLOCK):
                    y[n] += (a * p[n] + b * q[n]) + (c * r[n] + d * s[n]) + (e * t[n] + f * u[n]) + (g * v[n] + h * w[n])


@kernel
def finish(waves: Any, history: Any, keys: Any, sigma: Any, offset: Any, limit: float, codes: Any) -> None:
    """As the end of `synthesise`, of waves that `combine` made.

    `history` channels x HISTORY in 32 bits (24-bit codes are exact) goes before the new codes, and is what is left of them for
    the next second: so a fleet needs `codes` but once.
    """
    for channel in range(len(codes)):
        row, kept = codes[channel], history[channel]
        for n in range(HISTORY):
            row[n] = kept[n]
        fresh = row[HISTORY:]
        for first in range(0, RATE_HZ, BLOCK):
            convert(waves[channel, first : first + BLOCK], first, keys[channel], sigma[channel], offset[channel], limit, fresh)
        for n in range(HISTORY):
            kept[n] = row[RATE_HZ + n]
