"""From spectra to codes: exact synthesis of a second at 8,000 samples/s, converter noise, rounding and clipping, fused.

Phase runs on across seconds because a second begins at the fraction of a cycle where the last one ended.  Noise is drawn
from a counter: sample n of a channel in a second is `mix(key + n * golden)`, so it depends on nothing that came before.  Its
law is the sum of eight uniform bytes: variance as wanted, kurtosis -0.15, never beyond 4.9 sigma.
"""

import math
from typing import Any, Final

import numpy as np

from nyala.meter.sampled.kernels import HISTORY, RATE_HZ
from nyala.vocab.jit import kernel

GOLDEN: Final = 0x9E3779B97F4A7C15
_MASK: Final = (1 << 64) - 1
_G = np.uint64(GOLDEN)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S8, _S48 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(8), np.uint64(48)
_BYTES = np.uint64(0x00FF00FF00FF00FF)
_ONES = np.uint64(0x0001000100010001)
_MEAN: Final = 8 * 127.5
_SIGMA: Final = math.sqrt(8 * (256 * 256 - 1) / 12)
BLOCK: Final = 1600
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


def uniform(*parts: int) -> float:
    """A number in -1..1 that depends on `parts` alone."""
    return key(*parts) / 2**63 - 1.0


@kernel
def convert(block: Any, first: int, noise_key: Any, sigma: float, offset: float, limit: float, codes: Any) -> None:
    """Adds offset and noise (codes) to a block; rounds and clips if `limit` is positive; writes it to codes[first:]."""
    target = codes[first : first + BLOCK]
    if sigma > 0.0:
        for l in range(BLOCK):
            bits = noise_key + _G * np.uint64(first + l)
            bits = (bits ^ (bits >> _S30)) * _M1
            bits = (bits ^ (bits >> _S27)) * _M2
            bits ^= bits >> _S31
            total = ((bits & _BYTES) + ((bits >> _S8) & _BYTES)) * _ONES >> _S48
            target[l] = block[l] + (offset + (np.float64(np.int64(total)) - _MEAN) * (sigma / _SIGMA))
    else:
        for l in range(BLOCK):
            target[l] = block[l] + offset
    if limit > 0.0:
        for l in range(BLOCK):
            target[l] = min(max(np.rint(target[l]), -limit), limit - 1.0)


@kernel
def horner(real: Any, imaginary: Any, cosine: Any, sine: Any, y: Any, work: Any) -> None:
    """y[l] = Re sum c[h] z[l]**h over a block; `work` BLOCK."""
    top = len(real) - 1
    for l in range(BLOCK):
        y[l], work[l] = real[top], imaginary[top]
    for order in range(top - 1, 0, -1):
        c, d = real[order], imaginary[order]
        for l in range(BLOCK):
            re = c + (y[l] * cosine[l] - work[l] * sine[l])
            work[l] = d + (y[l] * sine[l] + work[l] * cosine[l])
            y[l] = re
    if top > 0:
        for l in range(BLOCK):
            y[l] = real[0] + (y[l] * cosine[l] - work[l] * sine[l])


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
                for l in range(BLOCK):
                    y[l] *= gate[channel, first + l]
            convert(y, first, keys[channel], sigma[channel], offset[channel], limit, fresh)


@kernel
def finish(waves: Any, keys: Any, sigma: Any, offset: Any, limit: float, codes: Any) -> None:
    """Waves that are there already (channels x RATE_HZ, in codes) to codes: history, noise, rounding, clipping."""
    for channel in range(len(codes)):
        row = codes[channel]
        for n in range(HISTORY):
            row[n] = row[n + RATE_HZ]
        fresh = row[HISTORY:]
        for first in range(0, RATE_HZ, BLOCK):
            convert(waves[channel, first : first + BLOCK], first, keys[channel], sigma[channel], offset[channel], limit, fresh)
