"""Channel samples per second of the sampled fidelity, on one core: the chip alone against plain NumPy, and with synthesis.

    channel_samples_per_s            waveform given (64-bit floats, V and A): rounding, chip arithmetic
    synthesis_samples_per_s_exact    11 harmonics of every channel, noise, rounding, chip: each meter by its own series
    synthesis_samples_per_s_shared   the same for a fleet on one mains: the sines are shared, a matrix product mixes them

Time is the processor's, so that a busy machine does not change the figures much.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from nyala.bench.plain_chain import PlainChip
from nyala.meter.model import meter_model
from nyala.meter.sampled.calibration import factory_constants
from nyala.meter.sampled.chain import Chip
from nyala.meter.sampled.kernels import CHANNELS, HISTORY, quantise, rotate
from nyala.meter.sampled.sensor import Sensor
from nyala.meter.sampled.synthesis import BLOCK, combine, finish, noise_keys, shared_basis, synthesise
from nyala.meter.sampled.waveform import Harmonic, signal, spectrum
from nyala.meter.sampled.window import RATE_HZ

MODEL: Final = "three-phase"
HARMONICS: Final = 11
SAMPLES: Final = CHANNELS * RATE_HZ
ROUNDS: Final = 15
PER_ROUND: Final = 64
FLEET: Final = 32
F_HZ: Final = 50.0


def run() -> dict[str, Any]:
    """The benchmark."""
    ours, plain = _given()
    exact, shared = _exact(), _shared()
    for work in (ours, plain, exact, shared):
        work(1)
    times: dict[str, list[float]] = {"ours": [], "plain": [], "exact": [], "shared": []}
    for _ in range(ROUNDS):
        for name, work in (("ours", ours), ("plain", plain), ("exact", exact), ("shared", shared)):
            times[name].append(_timed(work))
    ratios = [b / a for a, b in zip(times["ours"], times["plain"], strict=True)]
    best = {name: SAMPLES * PER_ROUND / min(found) for name, found in times.items()}
    return {
        "bench": "metrology",
        "figures": {
            "channel_samples_per_s": round(best["ours"]),
            "ratio_to_numpy": round(statistics.median(ratios), 2),
            "numpy_samples_per_s": round(best["plain"]),
            "synthesis_samples_per_s_exact": round(best["exact"]),
            "synthesis_samples_per_s_shared": round(best["shared"]),
            "three_phase_meters_in_real_time": round(best["exact"] / SAMPLES),
        },
        "baseline": "nyala.bench.plain_chain: the same arithmetic of a second by whole arrays in NumPy and SciPy (rint, clip, "
        "cos, lfilter, dot), waveform given; the ratio is its time over ours, the median of the rounds",
        "conditions": {
            "channels": CHANNELS,
            "rate_hz": RATE_HZ,
            "harmonics": HARMONICS,
            "rounds": ROUNDS,
            "seconds_per_round": PER_ROUND,
            "time": "processor time, best round",
            "shared_basis": f"{FLEET} meters, 32-bit matrix product; the chip in 64 bits",
        },
    }


def _timed(work: Callable[[int], None]) -> float:
    began = time.process_time()
    work(PER_ROUND)
    return time.process_time() - began


def _chip(seed: int) -> tuple[Sensor, Chip]:
    model = meter_model(MODEL)
    sensor = Sensor.drawn(model, seed)
    constants = factory_constants(model, sensor)
    return sensor, Chip(sensor.lsb, model.phases, model.nominal_voltage_v, F_HZ, constants)


def _codes(sensor: Sensor) -> Any:
    """Spectrum of the load in codes of a sensor: 7 x orders."""
    tones = tuple(Harmonic(order, 0.3 / order, 20.0 * order) for order in range(2, HARMONICS + 1))
    load = signal(230.0, 5.0, 60.0, f_hz=F_HZ, u_harmonics=tones, i_harmonics=tones)
    return sensor.seen(spectrum(load), F_HZ, 23.0, 5.0)


def _given() -> tuple[Callable[[int], None], Callable[[int], None]]:
    """The chip and the plain chain on the same waves."""
    sensor, chip = _chip(1)
    at = 2 * np.pi * F_HZ / RATE_HZ * np.arange(RATE_HZ)
    seen = _codes(sensor)
    wave = np.real(seen @ np.exp(1j * np.outer(np.arange(seen.shape[1]), at))) * sensor.lsb[:, None]
    per_unit = 1.0 / sensor.lsb
    plain = PlainChip(sensor.lsb, F_HZ, chip.constants)

    def ours(seconds: int) -> None:
        for _ in range(seconds):
            quantise(wave, per_unit, sensor.limit, chip.codes)
            chip.measure()

    def baseline(seconds: int) -> None:
        for _ in range(seconds):
            plain.second(wave, sensor.limit)

    return ours, baseline


def _exact() -> Callable[[int], None]:
    sensor, chip = _chip(1)
    seen = _codes(sensor)
    real, imaginary = np.ascontiguousarray(seen.real), np.ascontiguousarray(seen.imag)
    tables, gate = np.empty((2, RATE_HZ)), np.empty((CHANNELS, 0))

    def work(seconds: int) -> None:
        for second in range(seconds):
            rotate(second * F_HZ % 1.0, F_HZ / RATE_HZ, tables[0], tables[1])
            keys = noise_keys(1, second)
            synthesise(
                real,
                imaginary,
                tables[0],
                tables[1],
                gate,
                keys,
                sensor.sigma_codes,
                sensor.offset_codes,
                sensor.limit,
                chip.codes,
            )
            chip.measure()

    return work


def _shared() -> Callable[[int], None]:
    """A fleet on one mains: each second of the mains is worked for all its meters, until `seconds` meter-seconds are done.

    All share one array of codes, which stays in the cache; of each meter only the history is kept (24-bit codes are exact in
    32 bits).
    """
    fleet = [_chip(seed) for seed in range(1, FLEET + 1)]
    rows = [_codes(sensor) for sensor, _ in fleet]
    mixing = [np.concatenate([row.real, -row.imag], axis=1).astype(np.float32) for row in rows]
    basis = np.empty((RATE_HZ // BLOCK, 2 * (HARMONICS + 1), BLOCK), np.float32)
    codes = np.zeros_like(fleet[0][1].codes)
    waves = np.empty((CHANNELS, RATE_HZ), np.float32)
    history = np.zeros((FLEET, CHANNELS, HISTORY), np.float32)
    for _, chip in fleet:
        chip.codes = codes

    def work(seconds: int) -> None:
        for done in range(seconds):
            second, meter = divmod(done, FLEET)
            if meter == 0:
                shared_basis(second * F_HZ % 1.0, F_HZ / RATE_HZ, HARMONICS + 1, basis)
            sensor, chip = fleet[meter]
            keys = noise_keys(meter, second)
            combine(mixing[meter], basis, waves)
            finish(waves, history[meter], keys, sensor.sigma_codes, sensor.offset_codes, sensor.limit, codes)
            chip.measure()

    return work
