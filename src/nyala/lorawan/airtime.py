"""Time on air of a LoRa frame.  Source: Semtech AN1200.13, SX1276 data sheet 4.1.1.7; explicit header, coding rate 4/5."""

from functools import cache

PREAMBLE_SYMBOLS = 8
_SYNC_QUARTERS = 17  # 4.25 symbols, in quarters
_LOW_RATE_SYMBOL_US = 16_000


@cache
def symbol_us(sf: int, bandwidth_khz: int) -> int:
    """Length of a symbol in microseconds (exact for 125, 250 and 500 kHz)."""
    return (1 << sf) * 1000 // bandwidth_khz


@cache
def airtime_us(phy_bytes: int, sf: int, bandwidth_khz: int = 125, *, crc: bool = True) -> int:
    """Time on air in microseconds of a PHYPayload.  Uplinks carry a CRC, downlinks none."""
    symbol = symbol_us(sf, bandwidth_khz)
    low_rate = 1 if symbol >= _LOW_RATE_SYMBOL_US else 0
    bits = 8 * phy_bytes - 4 * sf + 28 + 16 * crc
    per_group = 4 * (sf - 2 * low_rate)
    payload_symbols = 8 + max(-(-bits // per_group) * 5, 0)
    return (4 * (PREAMBLE_SYMBOLS + payload_symbols) + _SYNC_QUARTERS) * symbol // 4


@cache
def preamble_us(sf: int, bandwidth_khz: int = 125) -> int:
    """Time on air in microseconds of preamble and sync word."""
    return (4 * PREAMBLE_SYMBOLS + _SYNC_QUARTERS) * symbol_us(sf, bandwidth_khz) // 4
