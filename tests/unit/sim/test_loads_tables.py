"""The tables of customers and profiles, every row."""

import pytest

from nyala.meter.model import MODELS, meter_model
from nyala.meter.tariff import DAY_MINUTES
from nyala.sim.loads.appliances import appliances, kinds, kinds_of
from nyala.sim.loads.customers import CT_MODEL, CT_PRIMARIES_A
from nyala.sim.loads.days import REACH_MIN
from nyala.sim.loads.simbench import profiles

LOWEST_V = 207


@pytest.mark.parametrize("model", MODELS)
def test_every_meter_model_has_customers_and_profiles(model: str) -> None:
    assert sum(kind.weight for kind in kinds_of(model)) == 100
    assert any(profile.model == model for profile in profiles())


def test_every_kind_is_of_a_known_model_and_its_contracts_fit_the_meter() -> None:
    for kind in kinds().values():
        model = meter_model(kind.model)
        for contract_va in kind.contracts_va:
            current_a = contract_va / (model.phases * LOWEST_V)
            assert current_a < (max(CT_PRIMARIES_A) if kind.model == CT_MODEL else model.maximum_current_a), kind.name
        assert 0 <= kind.solar_share <= 1
        assert 0 <= kind.solar_rating[0] <= kind.solar_rating[1] <= 1


def test_what_is_owned_is_used_and_what_is_used_is_owned() -> None:
    for kind in kinds().values():
        owned = [equipment.appliance.name for equipment in kind.equipment]
        assert len(owned) == len(set(owned)), kind.name
        assert set(owned) == {habit.appliance for habit in kind.habits}, kind.name


def test_every_appliance_is_owned_by_somebody_and_can_be() -> None:
    owned = {equipment.appliance.name for kind in kinds().values() for equipment in kind.equipment}
    assert owned == set(appliances())
    for appliance in appliances().values():
        assert appliance.va.real > 0
        assert 0.75 <= appliance.va.real / abs(appliance.va) <= 1, appliance.name
        assert 0 <= appliance.spread < 1
        assert appliance.phases in (1, 3)
        assert (appliance.period_min == 0) == (appliance.on_min == 0)
        assert appliance.on_min <= appliance.period_min


def test_every_habit_is_a_time_of_the_day() -> None:
    for kind in kinds().values():
        for habit in kind.habits:
            assert 0 <= habit.start_min < 1440, habit
            assert 0 <= habit.duration_jitter_min < habit.duration_min <= 1440, habit
            assert 0 <= habit.jitter_min < 720, habit
            assert DAY_MINUTES - 1 + 2 * habit.jitter_min + habit.duration_min + habit.duration_jitter_min < REACH_MIN, habit
            assert all(0 <= chance <= 1 for chance in habit.chance), habit


def test_every_profile_is_of_a_known_model_and_named_once() -> None:
    names = [profile.name for profile in profiles()]
    assert len(names) == len(set(names))
    for profile in profiles():
        meter_model(profile.model)
        assert profile.scale_wh > 0
        assert profile.grid_wh in (0, 1)
        assert (profile.model == "single-phase") == profile.name.startswith("H0-")
