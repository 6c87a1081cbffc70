"""Sampled fidelity: terminal waveforms at 8,000 samples/s through sensors and measurement chip to a `Second` and pulses."""
