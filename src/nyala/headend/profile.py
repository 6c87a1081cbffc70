"""The reporting profile of a meter at the centre: intervals of which channels are expected, and how often they come.

It is what the meter has acknowledged last of its setting REPORTING; before any was set, what it was onboarded with.
"""

from functools import lru_cache
from typing import Final

from nyala.headend.foreign.mapping import foreign_model
from nyala.headend.registry import MeterRecord, MeterState
from nyala.vocab.quantities import Channel
from nyala.vocab.reporting import decode_reporting
from nyala.vocab.settings import Setting

PROFILE: Final = (Channel.IMPORT, Channel.EXPORT)
"""Channels that every meter of ours reports where it was not told otherwise."""
CACHED: Final = 256
"""Different profiles that are kept decoded: a fleet has a handful."""


def profile_of(meter: MeterRecord) -> tuple[Channel, ...]:
    """The channels that intervals are expected of as long as a meter was not told otherwise."""
    model = foreign_model(meter.model)
    return PROFILE if model is None else tuple(channel for channel in model.channels if channel in PROFILE)


def acknowledged(state: MeterState) -> None:
    """The meter has told of its settings: where it has the profile that is wanted, that one is expected from now on."""
    shadow = state.config.get(Setting.REPORTING)
    if shadow is not None and shadow.wanted and shadow.in_step(Setting.REPORTING):
        state.reporting = shadow.wanted


_profile: Final = lru_cache(maxsize=CACHED)(decode_reporting)


def channels_of(meter: MeterRecord, state: MeterState) -> tuple[Channel, ...]:
    """The channels that intervals are expected of."""
    return _profile(state.reporting).channels if state.reporting else profile_of(meter)


def report_s_of(meter: MeterRecord, state: MeterState) -> int:
    """Seconds between its reports."""
    return _profile(state.reporting).report_s if state.reporting else meter.report_s
