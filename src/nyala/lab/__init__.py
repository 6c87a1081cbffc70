"""The laboratory: a bench that applies test loads to a specimen, counts its pulses and judges them by the standards' tables.

It stands above the meter and knows only terminals, pulse outputs and registers, as a real bench does.  No clock, no files.
"""
