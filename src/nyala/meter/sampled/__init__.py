"""Sampled fidelity: terminal waveforms at 8,000 samples/s through sensors and the measurement chip to a `Second`, with pulses."""
