"""The virtual meter: models, measurement chip, registers, load profile, supply switch, clock.  Stepped by signals and time."""
