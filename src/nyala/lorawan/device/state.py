"""What a device remembers: identity, activation, channels, windows, counters.  Plain values, no behaviour of the protocol.

`DeviceMemory` is what the modelled non-volatile memory holds: it survives a power cut, and its counters only rise.
"""

from dataclasses import dataclass, field

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.multicast import MulticastSession
from nyala.lorawan.region import FHDR_AND_PORT, Region


@dataclass(frozen=True, slots=True)
class Identity:
    """What the factory writes.  EUIs as integers."""

    dev_eui: int
    join_eui: int
    app_key: bytes


@dataclass(frozen=True, slots=True)
class Channel:
    """An uplink channel: frequency in Hz, data-rate range, RX1 frequency where DlChannelReq moved it."""

    frequency_hz: int
    data_rate_min: int
    data_rate_max: int
    enabled: bool = True
    rx1_hz: int | None = None

    @property
    def downlink_hz(self) -> int:
        """Frequency of RX1 after an uplink on this channel."""
        return self.frequency_hz if self.rx1_hz is None else self.rx1_hz


@dataclass(slots=True)
class Activation:
    """One session: made by a join accept, ended by the next one."""

    dev_addr: int
    nwk_s_key: AesKey
    app_s_key: AesKey
    f_cnt_up: int = 0
    """Counter of the next uplink, 32 bits."""
    f_cnt_down: int = 0
    """Counter of the next downlink expected, 32 bits."""
    data_rate: int = 0
    tx_power: int = 0
    nb_trans: int = 1
    channels: dict[int, Channel] = field(default_factory=dict)
    rx1_dr_offset: int = 0
    rx2_data_rate: int = 0
    rx2_hz: int = 0
    rx_delay_s: int = 1
    uplink_dwell: bool = True
    downlink_dwell: bool = False
    max_eirp_dbm: int = 16
    max_duty_cycle: int = 0
    """n of an aggregated duty cycle of 1 / 2**n."""
    adr_ack_count: int = 0
    sticky: dict[int, bytes] = field(default_factory=dict)
    """MAC answers that every uplink repeats, CID -> CID and body."""

    def usable_channels(self, data_rate: int) -> list[int]:
        """Indices of the enabled channels that carry a data rate."""
        return [
            index
            for index, channel in sorted(self.channels.items())
            if channel.enabled and channel.data_rate_min <= data_rate <= channel.data_rate_max
        ]

    def settle(self, region: Region) -> None:
        """After a change: a data rate that the dwell limit allows, and a channel that carries it."""
        while not region.mac_payload_max(self.data_rate, dwell=self.uplink_dwell):
            self.data_rate += 1
        if not self.usable_channels(self.data_rate):
            low, high = region.channel_data_rates
            self.data_rate = min(self.data_rate, high)
            self.channels |= {index: Channel(hz, low, high) for index, hz in enumerate(region.default_channels_hz)}

    def room(self, region: Region, mac_bytes: int) -> int:
        """Largest application payload of the next uplink in bytes, beside `mac_bytes` of FOpts."""
        limit = region.mac_payload_max(self.data_rate, dwell=self.uplink_dwell)
        return max(limit - FHDR_AND_PORT - mac_bytes, 0)


@dataclass(slots=True)
class DeviceMemory:
    """The non-volatile part.  `dev_nonce` is the next one to use; `join_nonce` the last one seen (-1: none)."""

    dev_nonce: int = 0
    join_nonce: int = -1
    activation: Activation | None = None
    multicast: dict[int, MulticastSession] = field(default_factory=dict)
    """By McGroupID; at most `multicast.GROUPS`."""


def activate(region: Region, dev_addr: int, keys: tuple[bytes, bytes], data_rate: int) -> Activation:
    """A session as the region starts it, before the join accept's own settings."""
    low, high = region.channel_data_rates
    return Activation(
        dev_addr=dev_addr,
        nwk_s_key=AesKey(keys[0]),
        app_s_key=AesKey(keys[1]),
        data_rate=data_rate,
        channels={index: Channel(hz, low, high) for index, hz in enumerate(region.default_channels_hz)},
        rx2_data_rate=region.rx2_data_rate,
        rx2_hz=region.rx2_hz,
        rx_delay_s=region.receive_delay1_s,
        uplink_dwell=region.tx_param_setup,
        max_eirp_dbm=region.default_max_eirp_dbm,
    )
