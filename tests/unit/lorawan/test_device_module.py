"""What the module shows, and what its state takes of its memory."""

from dataclasses import fields
from itertools import product

import pytest

from nyala.lorawan.device.budget import (
    ACCOUNTS,
    FLASH_BYTES,
    MAC_FLASH_SHARE,
    MAC_RAM_SHARE,
    RAM_BYTES,
    WIDTHS,
    budget,
)
from nyala.lorawan.device.module import TRANSITIONS, ModuleState, Trigger
from nyala.lorawan.device.profile import LORAWAN_1_0_4
from nyala.lorawan.device.state import DeviceMemory
from nyala.lorawan.regulation import regulation
from tests.unit.lorawan.harness import SECOND, Air
from tests.unit.lorawan.lone import Lone

LASTING = (ModuleState.OFF, ModuleState.JOINING, ModuleState.JOINED, ModuleState.NO_NETWORK)
IMPOSSIBLE = {
    (ModuleState.OFF, Trigger.UNANSWERED),
    (ModuleState.OFF, Trigger.HEARD),
    (ModuleState.OFF, Trigger.SUPPLY_LOST),
    (ModuleState.JOINING, Trigger.RESUMED),
    (ModuleState.JOINED, Trigger.RESUMED),
    (ModuleState.NO_NETWORK, Trigger.RESUMED),
}


@pytest.mark.parametrize("pair", list(product(LASTING, Trigger)))
def test_every_pair_has_a_row_or_cannot_happen(pair):
    assert (pair in TRANSITIONS) != (pair in IMPOSSIBLE)


def test_the_table_leads_to_lasting_states_only():
    assert {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values()) == set(LASTING)


def test_a_join_is_shown_from_the_first_request_to_the_accept():
    air = Air()
    assert air.device.module_state(air.now_us) is ModuleState.OFF
    air.device.start_join(air.now_us + SECOND)
    assert air.device.module_state(air.now_us) is ModuleState.JOINING
    air.run(1.02)
    assert air.device.module_state(air.now_us) is ModuleState.TRANSMITTING
    air.run(1)
    assert air.device.module_state(air.now_us) is ModuleState.JOINING
    air.run(4.1)
    assert air.device.module_state(air.now_us) is ModuleState.RECEIVING
    air.run(10)
    assert air.device.module_state(air.now_us) is ModuleState.JOINED


def test_a_device_that_nobody_answers_has_no_network_after_one_pass_of_its_data_rates():
    air = Air()
    air.up = lambda _: []
    air.device.start_join(air.now_us)
    seen = {}
    for _ in range(600):
        air.run(1)
        seen[len(air.sent)] = air.device.module_state(air.now_us)
    assert (seen[1], seen[3], seen[5]) == (ModuleState.JOINING, ModuleState.JOINING, ModuleState.NO_NETWORK)
    air.up = Air().up
    air.run(600)
    assert air.device.module_state(air.now_us) is ModuleState.JOINED


def test_a_session_without_answers_loses_the_network_when_the_back_off_begins_and_finds_it_with_the_next_downlink():
    device = Lone()
    assert device.device.module_state(device.now_us) is ModuleState.JOINED
    device.activation.adr_ack_count = 94
    device.send()
    assert device.device.module_state(device.now_us) is ModuleState.JOINED
    device.send()
    assert device.device.module_state(device.now_us) is ModuleState.NO_NETWORK
    device.say()
    device.hear(device.downlink())
    assert device.device.module_state(device.now_us) is ModuleState.JOINED


@pytest.mark.parametrize("kind", WIDTHS)
def test_every_field_of_the_state_is_in_the_budget(kind):
    assert list(WIDTHS[kind]) == [field.name for field in fields(kind)]


def test_the_budget_has_room_for_the_largest_duty_cycle_table():
    assert (
        max(sum(band.per_mille < 1000 for band in regulation(name).sub_bands) for name in ("eu868", "indonesia-lbt"))
        <= ACCOUNTS
    )
    assert DeviceMemory in WIDTHS


def test_the_state_fits_the_module_with_room_for_the_rest():
    rows = budget(LORAWAN_1_0_4)
    ram, flash = sum(row.ram_bytes for row in rows), sum(row.flash_bytes for row in rows)
    assert (ram, flash) == (4316, 922)  # a change of the state is a change of the budget: say so here
    assert ram <= MAC_RAM_SHARE * RAM_BYTES
    assert flash <= MAC_FLASH_SHARE * FLASH_BYTES
