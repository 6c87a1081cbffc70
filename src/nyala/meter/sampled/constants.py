"""Calibration constants of one specimen: what the laboratory finds and the chip multiplies with.  Bytes with a checksum.

Not here: how they are found (`calibration.py`), and what the meter does when the checksum is wrong (it raises an alarm).
"""

import struct
import zlib
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from nyala.meter.chip import PHASES
from nyala.vocab.errors import ForeignError

_PHASE: Final = struct.Struct("<7d")
_HEAD: Final = struct.Struct("<BB")
_CHECK: Final = struct.Struct("<I")
_VERSION: Final = 1
SIZE: Final = _HEAD.size + PHASES * _PHASE.size + 8 + _CHECK.size


@dataclass(frozen=True, slots=True)
class PhaseConstants:
    """Of one phase: factors on voltage and current, delay given to the current (s), what is added to P (W) and Q (var), and
    the noise power that is taken from U**2 (V**2) and I**2 (A**2).
    """

    gain_u: float = 1.0
    gain_i: float = 1.0
    phase_s: float = 0.0
    offset_p_w: float = 0.0
    offset_q_var: float = 0.0
    noise_u_v2: float = 0.0
    noise_i_a2: float = 0.0

    def values(self) -> tuple[float, ...]:
        """In the order of the bytes."""
        return (
            self.gain_u,
            self.gain_i,
            self.phase_s,
            self.offset_p_w,
            self.offset_q_var,
            self.noise_u_v2,
            self.noise_i_a2,
        )


@dataclass(frozen=True, slots=True)
class CalibrationConstants:
    """Of a meter: three phases (those that a model does not have stay neutral) and the gain of the neutral's current."""

    phases: tuple[PhaseConstants, PhaseConstants, PhaseConstants] = (PhaseConstants(),) * 3
    gain_n: float = 1.0

    def with_phase(self, phase: int, constants: PhaseConstants) -> Self:
        """The same with another phase (0..2)."""
        first, second, third = (constants if p == phase else old for p, old in enumerate(self.phases))
        return replace(self, phases=(first, second, third))

    def array(self) -> NDArray[np.float64]:
        """3 x 7, in the order of `PhaseConstants`."""
        return np.array([phase.values() for phase in self.phases])

    def to_bytes(self) -> bytes:
        """Version, phases, values, CRC-32: `SIZE` bytes, little endian."""
        body = _HEAD.pack(_VERSION, PHASES) + b"".join(_PHASE.pack(*phase.values()) for phase in self.phases)
        body += struct.pack("<d", self.gain_n)
        return body + _CHECK.pack(zlib.crc32(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Reads `to_bytes`; ForeignError for another length, version or a wrong checksum."""
        if len(data) != SIZE:
            raise ForeignError(f"calibration constants of {len(data)} bytes; they have {SIZE}")
        body, (check,) = data[: -_CHECK.size], _CHECK.unpack_from(data, len(data) - _CHECK.size)
        if zlib.crc32(body) != check:
            raise ForeignError("the checksum of the calibration constants is wrong")
        if _HEAD.unpack_from(body) != (_VERSION, PHASES):
            raise ForeignError(f"calibration constants of version {body[0]}; {_VERSION} is known")
        first, second, third = (PhaseConstants(*_PHASE.unpack_from(body, _HEAD.size + p * _PHASE.size)) for p in range(PHASES))
        return cls((first, second, third), struct.unpack_from("<d", body, len(body) - 8)[0])

    def checksum(self) -> int:
        """CRC-32 of the values: names a calibration on the certificate."""
        found: int = _CHECK.unpack(self.to_bytes()[-_CHECK.size :])[0]
        return found
