"""The radio world: profiles, links, the air, and the array kernel that answers how many meters it carries."""

from nyala.sim.radio.channel import Heard, OnAir, RadioWorld
from nyala.sim.radio.profile import DEFAULT_PROFILE, PROFILES, RadioProfile, radio_profile

__all__ = ["DEFAULT_PROFILE", "PROFILES", "Heard", "OnAir", "RadioProfile", "RadioWorld", "radio_profile"]
