"""Who gets a slot: the centre's side of `slots`.  A slot is part of the reporting profile that is wanted of a meter.

A meter is looked at when it was heard for some hours, when its data rate changes, and once a day.  What its clock may be off
until it asks for the time again follows from its last correction; before there was one, from what the data sheet promises.
The plan is not stored: a centre that starts again reads it out of the wanted profiles.

One cell for all gateways: two meters of the same slot would meet at a gateway that hears both.  So a network has the slots of
one hour, and who comes later reports at drawn instants; slots that repeat in the distance are not here.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from nyala.headend.foreign.mapping import foreign_model
from nyala.headend.profile import channels_of, report_s_of
from nyala.headend.registry import MeterRecord, MeterState, Registry
from nyala.headend.slots import GUARD_MOST_MS, Need, SlotPlan
from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.frame import DATA_OVERHEAD
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.region import FHDR_AND_PORT
from nyala.vocab.reporting import ReportingSetting, ReportingSlot, decode_reporting, encode_reporting
from nyala.vocab.settings import Setting
from nyala.vocab.time import DAY_S, US_PER_S

PERIOD_S: Final = 3_600
"""Meters that report at another pace have no slots."""
DEMODULATORS: Final = 8
"""Of the smallest gateways (SX1301)."""
CELL: Final = 0
FRAME_BYTES: Final = {1: 16, 2: 24, 6: 53, 8: 64}
"""Of an hour of four intervals with register and parity, by how many channels it tells: nine frames of ten are shorter."""
LIVE_S: Final = 6 * PERIOD_S
"""Between live values, where a meter was told nothing."""
SHEET_MS: Final = 520
"""Half a second a day (product sheet A9), and the answer of the network's clock."""
SETTLED_UPLINKS: Final = 12
"""Before them a fleet that comes up has enough to hear, and its data rates still change."""
TRUSTED_S: Final = 3 * DAY_S
"""A clock of which nothing newer is known is not trusted."""

Want = Callable[[int, bytes, int], None]
"""Meter, bytes of the profile, instant in microseconds."""


class Slotting:
    """The slots of one centre; without a `plan` nobody gets one."""

    def __init__(self, registry: Registry, want: Want, plan: NetworkPlan | None = None) -> None:
        self._registry, self._want, self._network = registry, want, plan
        self._seen: dict[int, tuple[int, int]] = {}
        """Day and data rate at which each meter was looked at last."""
        if plan is not None:
            self.plan = SlotPlan(PERIOD_S, len(plan.uplink_channels_hz), DEMODULATORS)
            self.plan.restore(
                (self._need(meter, state), slot.channel, slot.start_ms)
                for meter in registry
                if (slot := _profile(meter, state := registry.state(meter.id)).slot) is not None
            )

    def heard(self, meter: MeterRecord, state: MeterState, now_us: int) -> None:
        """A meter was heard: looks whether its slot still serves, and tells it another one."""
        look = now_us // US_PER_S // DAY_S, state.data_rate
        if self._network is None or state.uplinks < SETTLED_UPLINKS or self._seen.get(meter.id) == look:
            return
        self._seen[meter.id] = look
        if state.via or report_s_of(meter, state) != PERIOD_S or foreign_model(meter.model) is not None:
            return
        slot, said = self.plan.assign(self._need(meter, state)), _profile(meter, state)
        wanted = None if slot is None else ReportingSlot(slot.start_ms, slot.channel)
        if wanted != said.slot:
            self._want(meter.id, encode_reporting(replace(said, slot=wanted)), now_us)

    def _need(self, meter: MeterRecord, state: MeterState) -> Need:
        assert self._network is not None
        region, rate = self._network.region, self._network.region.data_rate(state.data_rate)
        room = region.mac_payload_max(rate.index, dwell=self._network.uplink_dwell) - FHDR_AND_PORT
        size = DATA_OVERHEAD + min(FRAME_BYTES[len(channels_of(meter, state))], room)
        air_ms = -(-airtime_us(size, rate.sf, rate.bandwidth_khz) // 1_000)
        return Need(meter.id, CELL, rate.sf, air_ms, clock_error_ms(state))


def clock_error_ms(state: MeterState) -> int:
    """How far the clock of a meter may be off before it is set again: it asks once a day, and once a day tells what it was."""
    value, at_s = state.health.told.get("clock_error_ms", (0, 0))
    if not at_s:
        return SHEET_MS
    newest_s = state.last_heard_us // US_PER_S
    return 2 * abs(value) if newest_s - at_s < TRUSTED_S else GUARD_MOST_MS + 1


def _profile(meter: MeterRecord, state: MeterState) -> ReportingSetting:
    """The profile that is wanted of a meter, or the one it came with."""
    shadow = state.config.get(Setting.REPORTING)
    if shadow is not None and shadow.wanted:
        return decode_reporting(shadow.wanted)
    return ReportingSetting(report_s_of(meter, state), max(LIVE_S, report_s_of(meter, state)))
