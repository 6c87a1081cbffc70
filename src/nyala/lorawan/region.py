"""A region as rows of data (`regions/*.toml`): channels, data rates, payload limits, windows.  No rule of one region is code.

Source: RP002-1.0.4; each file names its section.  Regulatory limits that are not settled (LBT, duty cycle, EIRP) belong
to a profile of the network, not to the region.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

from nyala.vocab.errors import BadArgumentError, UnknownError

FHDR_AND_PORT: Final = 8
"""M - N: FHDR without FOpts and FPort."""


@dataclass(frozen=True, slots=True)
class DataRate:
    """One row: `payload` is M, the largest MACPayload, `payload_dwell` under the dwell limit; 0 where it is not usable so."""

    index: int
    sf: int
    bandwidth_khz: int
    payload: int
    payload_dwell: int = 0

    @property
    def text(self) -> str:
        """As gateways write it: `SF10BW125`."""
        return f"SF{self.sf}BW{self.bandwidth_khz}"


@dataclass(frozen=True, slots=True)
class Region:
    """One region.  Frequencies in Hz, power in dBm EIRP, delays in seconds."""

    name: str
    source: str
    band_hz: tuple[int, int]
    default_channels_hz: tuple[int, ...]
    channel_limit: int
    channel_data_rates: tuple[int, int]
    cf_list: str
    join_data_rates: tuple[int, int]
    rx2_hz: int
    rx2_data_rate: int
    default_max_eirp_dbm: int
    tx_power_step_db: int
    tx_power_limit: int
    tx_param_setup: bool
    dwell_ms: int
    receive_delay1_s: int
    join_accept_delay1_s: int
    adr_ack_limit: int
    adr_ack_delay: int
    data_rates: tuple[DataRate, ...]
    rx1_data_rates: Mapping[bool, tuple[tuple[int, ...], ...]] = field(hash=False)

    def data_rate(self, index: int) -> DataRate:
        """A data rate by index; UnknownError for one that the region does not have."""
        if not 0 <= index < len(self.data_rates):
            raise UnknownError(f"data rate of {self.name}", index)
        return self.data_rates[index]

    def data_rate_of(self, text: str) -> DataRate:
        """A data rate by the text of a gateway (`SF10BW125`); UnknownError for another."""
        found = _data_rates_by_text(self.name).get(text)
        if found is None:
            raise UnknownError(f"data rate of {self.name}", text)
        return found

    def mac_payload_max(self, data_rate: int, *, dwell: bool) -> int:
        """M in bytes at a data rate, with or without the dwell-time limit (a region may have none); 0: it may not be used."""
        row = self.data_rate(data_rate)
        return row.payload_dwell if dwell and self.dwell_ms else row.payload

    def rx1_data_rate(self, uplink_data_rate: int, offset: int, *, dwell: bool) -> int:
        """Data rate of RX1 for an uplink, by RX1DROffset and the downlink dwell limit."""
        rows = self.rx1_data_rates[dwell and self.dwell_ms > 0]
        if not (0 <= uplink_data_rate < len(rows) and 0 <= offset < len(rows[0])):
            raise UnknownError(f"RX1 row of {self.name}", (uplink_data_rate, offset))
        return min(rows[uplink_data_rate][offset], len(self.data_rates) - 1)

    def eirp_dbm(self, tx_power: int, max_eirp_dbm: int) -> int:
        """EIRP of a TXPower index."""
        if not 0 <= tx_power <= self.tx_power_limit:
            raise BadArgumentError(f"TXPower {tx_power} is not 0..{self.tx_power_limit} of {self.name}")
        return max_eirp_dbm - self.tx_power_step_db * tx_power

    def allows(self, frequency_hz: int) -> bool:
        """Whether a frequency lies in the band."""
        return self.band_hz[0] <= frequency_hz <= self.band_hz[1]


def named_row(kind: str, name: str) -> dict[str, Any]:
    """The table of a file of `regions` or `regulations`, which says its own name; UnknownError for another."""
    file = files("nyala.lorawan").joinpath(f"{kind}s", f"{name.lower().replace('-', '_')}.toml")
    row: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if row.get("name") != name:
        raise UnknownError(kind, name)
    return row


@cache
def region(name: str) -> Region:
    """A region by name (`AS923-2`); UnknownError for one without a file."""
    row = named_row("region", name)
    rates = tuple(DataRate(index=i, **rate) for i, rate in enumerate(row.pop("data_rate")))
    tables = row.pop("rx1_data_rate")
    rx1 = {dwell: tuple(map(tuple, tables[key])) for dwell, key in ((False, "no_dwell"), (True, "dwell")) if key in tables}
    row = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Region(data_rates=rates, rx1_data_rates=rx1, **row)


@cache
def _data_rates_by_text(name: str) -> dict[str, DataRate]:
    return {rate.text: rate for rate in region(name).data_rates}
