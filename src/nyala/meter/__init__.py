"""The virtual meter: sensors and measurement chip, registers, demand, tariff, alarms, switch, credit, logs, memory, face.

`Second` is the seam (ADR 0013): sampled, phasor and profile fidelity end in it, and behind it there is one meter, the row
of a bank.  Stepped by signals and time; no clock, no radio, no centre in it.
"""
