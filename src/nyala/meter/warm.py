"""Compiles the kernels of a meter, or loads them from their cache: what the first second of a meter would else wait for.

Run as a module by `make setup`; the demo does it before its history and says so.
"""

from pathlib import Path

import numpy as np

from nyala.meter import kernels
from nyala.meter.bank import Bank
from nyala.meter.fleet import Fleet
from nyala.meter.model import MODELS, meter_model
from nyala.meter.sampled.specimen import SampledMeter
from nyala.meter.sampled.waveform import signal


def is_cached() -> bool:
    """Whether the kernels of the bank were compiled before on this machine."""
    return any(Path(kernels.__file__).parent.glob("__pycache__/kernels.advance-*.nbi"))


def warm_bank() -> None:
    """The kernels that every meter needs."""
    bank = Bank([meter_model(MODELS[0])], 0, ring_days=1)
    rows = np.array([0])
    bank.set_segment(rows, 2_000, np.zeros((1, 8), np.int64))
    bank.set_terminals(rows, np.zeros((1, 3)), np.zeros((1, 3)), np.zeros((1, 3)), np.full(1, 50.0))
    bank.advance(rows, 1_000)
    bank.set_powered(0, powered=False)
    bank.set_powered(0, powered=True)
    bank.set_clock(0, 5_000_000_000)


def warm_all() -> None:
    """The fleet's step and the sampled chain too."""
    warm_bank()
    bank = Bank([meter_model("three-phase")], 0, ring_days=1)
    zero = np.zeros((3, 1), np.float32)
    fleet = Fleet(bank)
    fleet.second(zero, zero, zero)
    fleet.flush()
    second = SampledMeter(meter_model("three-phase")).second(signal(230, 5))
    bank.take_second(np.array([0]), second)


if __name__ == "__main__":
    warm_all()
