"""Synthetic customers: determinism, both fidelities, plausibility."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.meter.bank import Bank
from nyala.meter.chip import Integers
from nyala.meter.model import MODELS, MeterModel, meter_model
from nyala.sim.loads.appliances import kinds
from nyala.sim.loads.customers import CT_MODEL, Customer, make_customer
from nyala.sim.loads.days import Days, day_class
from nyala.sim.loads.source import WIB_S, Segments
from nyala.sim.loads.synthetic import DAYS_CACHED, ROWS_AT_ONCE, SyntheticLoads
from nyala.vocab.errors import BadArgumentError, UnknownError
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S

MONDAY = 20_458
"""2026-01-05."""
START_S = MONDAY * DAY_S
WEEK = 7
FLEET = [meter_model(name) for name in MODELS for _ in range(45)]
"""More than `ROWS_AT_ONCE` and no multiple of it."""
SMALL = [meter_model(name) for name in (*MODELS, *MODELS)]
PHASE_LOWEST_V = 207


def _equal(one: Segments, other: Segments) -> bool:
    return one.end_s == other.end_s and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("energy_mws", "u_v", "p_w", "q_var", "f_hz")
    )


@cache
def _fleet() -> SyntheticLoads:
    return SyntheticLoads(FLEET, 1, 900)


@cache
def _week() -> Integers:
    """Energies of the fleet over a week, 672 x n x 8 in mWs."""
    return np.array([_fleet().segments(start_s).energy_mws for start_s in range(START_S, START_S + WEEK * DAY_S, 900)])


def _minutes(customer: Customer, days: int = 2, seed: int = 1) -> tuple[Integers, Integers]:
    """Powers of some days in mW and mvar, phases x minutes."""
    parts = [Days(customer, seed, WIB_S).minutes(MONDAY + day) for day in range(days)]
    return tuple(np.concatenate([part[at] for part in parts], axis=1).astype(np.int64) for at in (0, 1))  # type: ignore[return-value]


# -- determinism


@pytest.mark.parametrize("step_s", [60, 900])
def test_segments_do_not_depend_on_the_order_in_which_they_are_asked_for(step_s: int) -> None:
    starts = [START_S + day * DAY_S + at * step_s for day in (0, 3, 1, 0, 5, 3) for at in (0, 40, 7)]
    one, other = SyntheticLoads(SMALL, 4, step_s), SyntheticLoads(SMALL, 4, step_s)
    forth = [one.segments(start_s) for start_s in starts]
    back = [other.segments(start_s) for start_s in reversed(starts)]
    assert all(_equal(a, b) for a, b in zip(forth, reversed(back), strict=True))
    assert all(_equal(a, one.segments(start_s)) for a, start_s in zip(forth, starts, strict=True))


def test_another_seed_gives_another_world() -> None:
    one, other = (SyntheticLoads(SMALL, seed, 900).segments(START_S) for seed in (1, 2))
    assert not np.array_equal(one.energy_mws, other.energy_mws)


def test_a_meter_does_not_depend_on_who_else_is_in_the_fleet() -> None:
    few, many = SyntheticLoads(FLEET[: ROWS_AT_ONCE + 1], 1, 900), _fleet()
    one, other = few.segments(START_S), many.segments(START_S)
    assert np.array_equal(one.energy_mws, other.energy_mws[: ROWS_AT_ONCE + 1])
    assert np.array_equal(one.u_v, other.u_v[: ROWS_AT_ONCE + 1])


def test_only_the_last_days_are_kept() -> None:
    loads = SyntheticLoads(SMALL, 1, 900)
    for day in range(6):
        loads.segments(START_S + day * DAY_S)
    assert list(loads._cache) == [MONDAY + 5 - DAYS_CACHED + 1 + day for day in range(DAYS_CACHED)]


def test_nobody_can_write_into_a_segment() -> None:
    segment = SyntheticLoads(SMALL, 1, 900).segments(START_S)
    with pytest.raises(ValueError, match="read-only"):
        segment.energy_mws[0, 0] = 1


def test_a_step_or_seed_or_model_that_is_not_documented_is_refused() -> None:
    with pytest.raises(BadArgumentError, match="60 or 900"):
        SyntheticLoads(SMALL, 1, 300)
    with pytest.raises(BadArgumentError, match="negative"):
        SyntheticLoads(SMALL, -1, 900)
    stranger = MeterModel(**{name: getattr(SMALL[0], name) for name in MeterModel.__slots__} | {"name": "gas"})
    with pytest.raises(UnknownError, match="gas"):
        make_customer(1, 0, stranger)


# -- fidelities


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**64), day=st.integers(0, 40_000), quarters=st.sets(st.integers(0, 95), min_size=4, max_size=4))
def test_profile_is_the_sum_of_phasor(seed: int, day: int, quarters: set[int]) -> None:
    """The bound is zero: powers are whole mW, and the way over current and angle is off by less than 1e-6 mW.

    A minute whose P or Q is the creep threshold to the mW may be counted or not: such a quarter is left out.
    """
    coarse, fine = SyntheticLoads(SMALL, seed, 900), SyntheticLoads(SMALL, seed, 60)
    no_load_w = np.array([model.no_load_w for model in SMALL])
    for quarter in quarters:
        start_s = day * DAY_S + quarter * 900
        minutes = [fine.segments(start_s + 60 * minute) for minute in range(15)]
        profile = coarse.segments(start_s)
        doubtful = np.any(
            [np.abs(np.abs(power.sum(axis=1)) - no_load_w) < 1e-4 for each in minutes for power in (each.p_w, each.q_var)],
            axis=0,
        )
        energy = np.sum([each.energy_mws for each in minutes], axis=0)
        assert np.array_equal(energy[~doubtful], profile.energy_mws[~doubtful])
        assert profile.end_s == minutes[-1].end_s
        assert np.allclose(np.mean([each.p_w for each in minutes], axis=0), profile.p_w)
        assert np.allclose(np.mean([each.q_var for each in minutes], axis=0), profile.q_var)
        assert np.allclose(np.mean([each.u_v for each in minutes], axis=0), profile.u_v, atol=0.01)


def test_energies_are_never_negative_and_a_minute_never_both_imports_and_exports() -> None:
    loads = SyntheticLoads(FLEET, 1, 60)
    assert np.all(_week() >= 0)
    for start_s in range(START_S, START_S + DAY_S, 420):
        energy = loads.segments(start_s).energy_mws
        assert np.all(energy >= 0)
        assert not np.any((energy[:, Channel.IMPORT] > 0) & (energy[:, Channel.EXPORT] > 0))


def test_a_bank_takes_the_segments_and_keeps_every_watt_hour() -> None:
    loads, bank = SyntheticLoads(SMALL, 1, 900), Bank(SMALL, START_S)
    rows, total = np.arange(len(SMALL)), np.zeros((len(SMALL), len(Channel)), np.int64)
    for start_s in range(START_S, START_S + DAY_S, 900):
        segment = loads.segments(start_s)
        bank.set_segment(rows, segment.end_s, segment.energy_mws)
        bank.advance(rows, segment.end_s)
        total += segment.energy_mws
    assert np.array_equal(bank.wh[:, :, 0] * 3_600_000 + bank.rest_mws[:, :, 0], total)


# -- plausibility


def _daily_kwh(channel: Channel) -> dict[Customer, float]:
    kwh = _week()[:, :, channel].sum(axis=0) / 3.6e9 / WEEK
    return dict(zip(_fleet().customers, kwh.tolist(), strict=True))


def test_households_take_what_indonesian_households_take() -> None:
    days = {c: kwh for c, kwh in _daily_kwh(Channel.IMPORT).items() if c.kind == "household" and c.solar is None}
    small = [kwh for c, kwh in days.items() if c.contract_va <= 2200]
    assert len(small) >= 20
    assert all(2 < kwh < 12 for kwh in small)
    assert 3 < np.mean(small) < 8
    assert all(5 < kwh < 30 for c, kwh in days.items() if c.contract_va > 2200)


@pytest.mark.parametrize(
    ("kind", "load_factor"),
    [("home", (0.04, 0.3)), ("shop", (0.08, 0.35)), ("workshop", (0.06, 0.3)), ("factory", (0.15, 0.6))],
)
def test_other_customers_use_a_plausible_share_of_their_contract(kind: str, load_factor: tuple[float, float]) -> None:
    found = [
        kwh * c.ct_ratio[0] / c.ct_ratio[1] / (c.contract_va * 24 / 1000)
        for c, kwh in _daily_kwh(Channel.IMPORT).items()
        if c.kind == kind and c.solar is None
    ]
    assert len(found) >= 8
    assert all(load_factor[0] < each < load_factor[1] for each in found)


def test_power_factors_are_those_of_their_kind() -> None:
    sums = _week().sum(axis=0).astype(float)
    factors: dict[str, list[float]] = {name: [] for name in kinds()}
    for customer, energy in zip(_fleet().customers, sums, strict=True):
        if customer.solar is None:
            reactive = energy[Channel.Q1] - energy[Channel.Q4]
            factors[customer.kind].append(energy[Channel.IMPORT] / np.hypot(energy[Channel.IMPORT], reactive))
    for kind, found in factors.items():
        low, high = (0.82, 0.92) if kinds()[kind].model == CT_MODEL else (0.85, 1)
        assert found, kind
        assert low <= min(found), kind
        assert max(found) <= high, kind


def test_working_days_and_free_days_differ() -> None:
    days = _week()[:, :, Channel.IMPORT].reshape(WEEK, 96, -1).sum(axis=1)
    factory = np.array([customer.kind == "factory" for customer in _fleet().customers])
    working, sunday = days[1:4, factory].mean(axis=0), days[6, factory]
    assert np.all(sunday < 0.5 * working)
    assert [day_class(MONDAY + day) for day in range(8)] == [0, 0, 0, 0, 0, 1, 2, 0]


def test_households_peak_in_the_evening_and_shops_by_day() -> None:
    hours = _week()[:, :, Channel.IMPORT].reshape(WEEK, 24, 4, -1).sum(axis=(0, 2))
    local = np.roll(hours, 7, axis=0)
    names = np.array([customer.kind if customer.solar is None else "" for customer in _fleet().customers])
    household, shop = (local[:, names == kind].sum(axis=1) for kind in ("household", "shop"))
    assert household[18:23].mean() > 1.3 * household[8:16].mean()
    assert shop[10:20].mean() > 1.5 * shop[0:6].mean()


def test_currents_stay_within_the_meter_and_the_contract() -> None:
    for customer, model in zip(_fleet().customers, FLEET, strict=True):
        active, reactive = _minutes(customer)
        apparent_va = np.hypot(active, reactive) / 1000
        assert apparent_va.max() / PHASE_LOWEST_V < model.maximum_current_a
        if model.name == CT_MODEL:
            assert np.abs(active.sum(axis=0)).max() <= 3_500_000
        if customer.solar is None:
            assert apparent_va.max() <= customer.limit_va + 0.001
            assert active.min() >= 0


def test_a_customer_with_transformers_has_the_smallest_that_carries_his_contract() -> None:
    for customer, model in zip(_fleet().customers, FLEET, strict=True):
        primary, secondary = customer.ct_ratio
        if model.name != CT_MODEL:
            assert (primary, secondary) == (1, 1)
        else:
            assert secondary == 5
            assert customer.contract_va / (3 * 230) <= primary


# -- solar


def test_as_many_have_solar_as_the_table_says() -> None:
    for name, expected in (("single-phase", 0.1), ("three-phase", 0.34)):
        customers = [make_customer(9, index, meter_model(name)) for index in range(400)]
        share = np.mean([customer.solar is not None for customer in customers])
        assert abs(share - expected) < 0.06


def test_solar_exports_at_noon_and_nobody_exports_at_night() -> None:
    export = _week()[:, :, Channel.EXPORT].reshape(WEEK, 96, -1)
    local = np.roll(export.transpose(1, 0, 2), 28, axis=0)
    has = np.array([customer.solar is not None for customer in _fleet().customers])
    assert has.sum() > 10
    assert np.all(local[44:52, :, has].sum(axis=(0, 1)) > 0)
    assert np.all(local[:, :, ~has] == 0)
    assert np.all(local[: 4 * 5] == 0)
    assert np.all(local[4 * 19 :] == 0)


def test_all_four_quadrants_are_seen() -> None:
    assert np.all(_week().sum(axis=(0, 1)) > 0)
