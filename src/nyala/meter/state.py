"""The state of n meters as arrays: what the kernels work on.  A row is a meter; nothing here is computed.

energy    whole units (Wh, varh, VAh) int64 and a remainder below one unit in mW-, mvar- or mVA-seconds
time      `now_s` whole seconds of true time; the meter's clock is off by `clock_error_ns`, of which `offset_s` is
          taken into its whole seconds at edges
alarms    one bit, one delay, one figure for each row of the alarm table
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nyala.meter.chip import PHASES
from nyala.meter.model import MeterModel
from nyala.vocab.alarms import Alarm, alarm_table
from nyala.vocab.quantities import RATES, Channel
from nyala.vocab.time import DAY_S

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
CHANNELS: Final = len(Channel)
ALARMS: Final = len(Alarm)
DEMANDS: Final = 6
"""Demand of import and export P, +R and -R, import and export S, in the order of the catalogue."""
SUBS_MAX: Final = 15
"""Sub-periods of a sliding demand period, at most."""
FAR: Final = np.iinfo(np.int64).max // 4
OVER_POWER_PERCENT: Final = 120
"""Without a contract, over power is above this share of the model's maximum power (reference metrology.md 4)."""


_AROUND: Final = ("neutral_a", "residual_a", "u0_v", "dc_percent", "sequence")
_RATINGS: Final = ("nominal_v", "basic_a", "maximum_a", "starting_a", "limit_w", "export_agreed")


class State(NamedTuple):
    """Arrays of n rows; see each for shape and unit."""

    # time
    now_s: Integers
    clock_error_ns: Integers
    drift_ppb: Integers
    slew_ns: Integers
    """What is still to be added to the clock, at `SLEW_PPB`."""
    offset_s: Integers
    next_switch_s: Integers
    """Clock time of the next rate switch, n."""
    at_switch: NDArray[np.bool_]
    """The row stands at its switch: the calendar is to be asked."""
    # supply
    powered: NDArray[np.bool_]
    closed: NDArray[np.bool_]
    # the signal until `segment_end_s`
    segment_start_s: Integers
    segment_end_s: Integers
    segment_mws: Integers
    """n x channels: energy of the whole segment."""
    phase_mws: Integers
    """n x 3 x channels: the same of each phase, its direction judged alone."""
    u_v: Floats
    i_a: Floats
    p_w: Floats
    q_var: Floats
    """n x 3."""
    f_hz: Floats
    around: Floats
    """n x 5, together because alarms read them together; its columns are:"""
    neutral_a: Floats
    residual_a: Floats
    """Vector sum of all currents, n."""
    u0_v: Floats
    dc_percent: Floats
    sequence: Floats
    # inputs
    covers: NDArray[np.bool_]
    """n x 3: main, terminal, module cover are open."""
    magnet_mt: Floats
    battery_v: Floats
    """n x 2: internal, replaceable."""
    temperature_c: Floats
    calibrated: NDArray[np.bool_]
    # registers
    rate: Integers
    wh: Integers
    rest_mws: Integers
    """n x channels x (total, rates 1..8)."""
    phase_wh: Integers
    phase_rest_mws: Integers
    """n x 3 x channels."""
    withheld_mws: Integers
    """n x channels: asked for while the switch was open or the supply gone."""
    # demand
    demand_mws: Integers
    """n x demands: energy of the sub-period that runs."""
    sub_mws: Integers
    """n x demands x sub-periods, the newest at `next_sub` - 1 modulo their number."""
    next_sub: Integers
    """Clock index of the edge that ends the running sub-period, n."""
    spoiled: NDArray[np.int64]
    """Sub-periods to come whose length a clock correction changed: they make no maximum, n."""
    demand_w: Integers
    """n x demands: of the last whole period."""
    max_w: Integers
    max_at_s: Integers
    """n x demands x (total, rates): highest since the last reset, and the clock at the end of its period."""
    # load profile
    edge_wh: Integers
    """n x ring x profiled channels: register readings at interval edges."""
    edge_status: NDArray[np.uint8]
    status: NDArray[np.uint8]
    next_edge: Integers
    first_edge: Integers
    # alarms
    alarms: Integers
    pending: Integers
    """Bits whose delay runs."""
    flipped: Integers
    """Bits that changed and were not read yet."""
    since_s: Integers
    """n x alarms: true time at which the condition of a pending bit began."""
    changed_s: Integers
    """n x alarms: true time at which the bit changed last."""
    figure: Floats
    """n x alarms: what was measured when the bit changed."""
    raised: Integers
    """n x alarms: how often."""
    # constants of the rows
    phases: Integers
    no_load_w: Floats
    ratings: Floats
    """n x 6, together because alarms read them together; its columns are:"""
    nominal_v: Floats
    basic_a: Floats
    maximum_a: Floats
    starting_a: Floats
    limit_w: Floats
    """Above it there is over power: the contract, or what the model carries."""
    export_agreed: Floats
    """1, or 0."""
    # settings of the bank
    profiled: Integers
    """Channels of the load profile."""
    period_s: Integers
    """[load profile interval, demand sub-period, sub-periods in a demand period]"""
    alarm_on: Floats
    alarm_off: Floats
    alarm_low: NDArray[np.bool_]
    """An alarm whose figure is too low."""
    alarm_delay_s: Integers
    """alarms x (on, off)."""


def new_state(
    models: Sequence[MeterModel],
    start_s: int,
    *,
    profiled: Sequence[Channel],
    period_s: int,
    ring_days: int,
    demand: tuple[int, int],
) -> State:
    """Meters that were never used, at `start_s`.  `demand`: (sub-period in seconds, sub-periods in a period)."""
    ring = ring_days * DAY_S // period_s
    return State(
        **_time_and_signal(len(models), start_s),
        **_registers(len(models), ring, len(profiled), demand[1]),
        **_edges(len(models), start_s, period_s, demand[0]),
        **_constants(models),
        **_alarms(len(models)),
        profiled=np.array([int(channel) for channel in profiled], np.int64),
        period_s=np.array([period_s, *demand], np.int64),
    )


def _time_and_signal(n: int, start_s: int) -> dict[str, Any]:
    whole = ("clock_error_ns", "drift_ppb", "slew_ns", "offset_s")
    of_phases = ("u_v", "i_a", "p_w", "q_var")
    around = np.zeros((n, len(_AROUND)))
    return {
        "around": around,
        **{name: around[:, column] for column, name in enumerate(_AROUND)},
        **{name: np.zeros(n, np.int64) for name in whole},
        **{name: np.zeros((n, PHASES)) for name in of_phases},
        "magnet_mt": np.zeros(n),
        **{name: np.full(n, start_s, np.int64) for name in ("now_s", "segment_start_s", "segment_end_s")},
        "next_switch_s": np.full(n, FAR, np.int64),
        "at_switch": np.zeros(n, bool),
        "powered": np.ones(n, bool),
        "closed": np.ones(n, bool),
        "segment_mws": np.zeros((n, CHANNELS), np.int64),
        "phase_mws": np.zeros((n, PHASES, CHANNELS), np.int64),
        "f_hz": np.full(n, 50.0),
        "covers": np.zeros((n, 3), bool),
        "battery_v": np.full((n, 2), 3.6),
        "temperature_c": np.full(n, 25.0),
        "calibrated": np.ones(n, bool),
    }


def _registers(n: int, ring: int, profiled: int, subs: int) -> dict[str, Any]:
    shapes: dict[str, tuple[int, ...]] = {
        "wh": (CHANNELS, 1 + RATES),
        "rest_mws": (CHANNELS, 1 + RATES),
        "phase_wh": (PHASES, CHANNELS),
        "phase_rest_mws": (PHASES, CHANNELS),
        "withheld_mws": (CHANNELS,),
        "demand_mws": (DEMANDS,),
        "sub_mws": (DEMANDS, subs),
        "spoiled": (),
        "demand_w": (DEMANDS,),
        "max_w": (DEMANDS, 1 + RATES),
        "max_at_s": (DEMANDS, 1 + RATES),
        "edge_wh": (ring, profiled),
    }
    counted: dict[str, Any] = {name: np.zeros((n, *shape), np.int64) for name, shape in shapes.items()}
    return counted | {
        "rate": np.ones(n, np.int64),
        "edge_status": np.zeros((n, ring), np.uint8),
        "status": np.zeros(n, np.uint8),
    }


def _edges(n: int, start_s: int, period_s: int, sub_s: int) -> dict[str, Any]:
    first = start_s // period_s
    return {
        "next_edge": np.full(n, first, np.int64),
        "first_edge": np.full(n, first, np.int64),
        "next_sub": np.full(n, start_s // sub_s + 1, np.int64),
    }


def _constants(models: Sequence[MeterModel]) -> dict[str, Any]:
    ratings = np.array(
        [
            (
                model.nominal_voltage_v,
                model.basic_current_a,
                model.maximum_current_a,
                model.starting_current_a,
                model.phases * model.nominal_voltage_v * model.maximum_current_a * OVER_POWER_PERCENT / 100,
                1.0,
            )
            for model in models
        ]
    )
    return {
        "phases": np.array([model.phases for model in models], np.int64),
        "no_load_w": np.array([model.no_load_w for model in models], float),
        "ratings": ratings,
        **{name: ratings[:, column] for column, name in enumerate(_RATINGS)},
    }


def _alarms(n: int) -> dict[str, Any]:
    table = alarm_table()
    return {
        **{name: np.zeros(n, np.int64) for name in ("alarms", "pending", "flipped")},
        **{name: np.zeros((n, ALARMS), np.int64) for name in ("since_s", "changed_s", "raised")},
        "figure": np.zeros((n, ALARMS)),
        "alarm_on": np.array([row.on for row in table]),
        "alarm_off": np.array([row.off for row in table]),
        "alarm_low": np.array([row.on < row.off for row in table]),
        "alarm_delay_s": np.array([(row.on_delay_s, row.off_delay_s) for row in table], np.int64),
    }
