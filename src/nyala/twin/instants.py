"""When a twin reports: once in each report period, in its slot, or at an instant that is drawn anew for each from its DevEUI.

At the same instant of every hour the same neighbours would meet again and again, and what is lost would be lost together with
its repair (`sim/read_rate/aloha.py`).  Nothing is remembered: a twin that begins again finds the same instants.
"""

from typing import Final

from nyala.vocab.time import US_PER_S

_WORD: Final = (1 << 64) - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15
_MIX: Final = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
"""SplitMix64 (Steele, Lea and Flood 2014): neighbouring numbers give unlike ones."""


def mixed(dev_eui: int, number: int) -> int:
    """64 bits out of a DevEUI and a number."""
    word = (dev_eui + number * _GOLDEN) & _WORD
    for _ in range(2):  # once more, as DevEUIs of a fleet and numbers of periods both follow each other
        word = (word + _GOLDEN) & _WORD
        for shift, factor in _MIX:
            word = (word ^ word >> shift) * factor & _WORD
        word ^= word >> 31
    return word


def next_report_us(dev_eui: int, after_us: int, report_s: int, offset_min_s: int, slot_ms: int | None = None) -> int:
    """The first instant of a report after an instant of the clock; at least `offset_min_s` from the ends of its period, or
    where its slot is.
    """
    period_us, least_us = report_s * US_PER_S, offset_min_s * US_PER_S
    number = after_us // period_us
    while True:
        drawn_us = least_us + mixed(dev_eui, number) % max(period_us - 2 * least_us, 1)
        at_us = number * period_us + (drawn_us if slot_ms is None else slot_ms * 1_000)
        if at_us > after_us:
            return at_us
        number += 1
