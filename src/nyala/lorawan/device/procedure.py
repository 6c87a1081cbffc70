"""The uplink in progress: where it is on the air, when its windows open, and what the radio is tuned to.  Values only.

TS001-1.0.4 section 3: RX1 opens RECEIVE_DELAY1 after the end of the uplink on its channel, RX2 one second later.
"""

from dataclasses import dataclass
from typing import Final

from nyala.lorawan.airtime import airtime_us, preamble_us
from nyala.lorawan.device.effects import Window
from nyala.lorawan.device.law import Law
from nyala.lorawan.device.state import Activation, Channel
from nyala.lorawan.region import Region
from nyala.vocab.time import US_PER_S

WINDOW_MARGIN_US: Final = 10_000
"""How much earlier or later than its instant a window still hears a preamble."""


@dataclass(frozen=True, slots=True)
class Message:
    """What the application sends.  `port` None with an empty payload is a bare frame (acknowledgement, MAC answers)."""

    port: int | None
    payload: bytes
    confirmed: bool = False
    token: object = None
    tries: int | None = None
    """Copies of an unconfirmed one; None: NbTrans of the network."""
    channel: int | None = None
    """Index of the channel on which it goes out if it can do so at once; None, and later: any."""


@dataclass(frozen=True, slots=True)
class Emission:
    """How an uplink goes out, and where its answer may come: frequency and data rate of RX1 and RX2."""

    frequency_hz: int
    data_rate: int
    eirp_dbm: int
    rx1: tuple[int, int]
    rx2: tuple[int, int]
    delay_s: int


@dataclass(slots=True)
class UplinkInProgress:
    """One uplink with its repeats, from the first emission to the end of its last windows."""

    phy: bytes
    confirmed: bool
    token: object
    joining: bool
    repeats_left: int
    asks_time: bool = False
    until_us: int | None = None
    """No emission begins later: what it acknowledges would be mistaken for something else."""
    channel: int | None = None
    """As `Message.channel`, until it had to wait."""
    emissions: int = 0
    start_us: int = 0
    end_us: int = 0
    rx1: tuple[int, int, int] = (0, 0, 0)
    """Opening instant, frequency, data rate."""
    rx2: tuple[int, int, int] = (0, 0, 0)
    close_us: int = 0

    def emit(self, emission: Emission, region: Region, now_us: int) -> None:
        """It goes on the air now."""
        self.start_us, self.end_us = now_us, now_us + self.airtime_us(emission, region)
        self.rx1 = (self.end_us + emission.delay_s * US_PER_S, *emission.rx1)
        self.rx2 = (self.rx1[0] + US_PER_S, *emission.rx2)
        self.close_us = self.rx2[0] + WINDOW_MARGIN_US + preamble_us(*modulation(region, emission.rx2[1]))
        self.repeats_left -= 1
        self.emissions += 1

    def channels(self, usable: list[int]) -> list[int]:
        """Those of the usable channels on which it may go out now."""
        return [self.channel] if self.channel is not None and self.channel in usable else usable

    def too_late(self, at_us: int) -> bool:
        """Whether no emission may begin at an instant any more."""
        return self.until_us is not None and at_us > self.until_us

    def airtime_us(self, emission: Emission, region: Region) -> int:
        """How long it is on the air."""
        return airtime_us(len(self.phy), *modulation(region, emission.data_rate))

    def window_at(self, region: Region, at_us: int) -> tuple[Window, int, int] | None:
        """The window that is open at an instant, with its frequency and data rate."""
        for window, (open_us, hz, rate) in ((Window.RX1, self.rx1), (Window.RX2, self.rx2)):
            length_us = preamble_us(*modulation(region, rate))
            if open_us - WINDOW_MARGIN_US <= at_us <= open_us + WINDOW_MARGIN_US + length_us:
                return window, hz, rate
        return None


def modulation(region: Region, data_rate: int) -> tuple[int, int]:
    """Spreading factor and bandwidth in kHz of a data rate."""
    row = region.data_rate(data_rate)
    return row.sf, row.bandwidth_khz


def data_emission(activation: Activation, region: Region, law: Law, channel: Channel) -> Emission:
    """How a data uplink goes out on a channel."""
    offset, dwell = activation.rx1_dr_offset, activation.downlink_dwell
    return Emission(
        frequency_hz=channel.frequency_hz,
        data_rate=activation.data_rate,
        eirp_dbm=law.eirp_dbm(activation.tx_power, activation.max_eirp_dbm, channel.frequency_hz),
        rx1=(channel.downlink_hz, region.rx1_data_rate(activation.data_rate, offset, dwell=dwell)),
        rx2=(activation.rx2_hz, activation.rx2_data_rate),
        delay_s=activation.rx_delay_s,
    )


def join_emission(region: Region, law: Law, data_rate: int, frequency_hz: int) -> Emission:
    """How a join request goes out: the region's own settings."""
    return Emission(
        frequency_hz=frequency_hz,
        data_rate=data_rate,
        eirp_dbm=law.eirp_dbm(0, region.default_max_eirp_dbm, frequency_hz),
        rx1=(frequency_hz, region.rx1_data_rate(data_rate, 0, dwell=False)),
        rx2=(region.rx2_hz, region.rx2_data_rate),
        delay_s=region.join_accept_delay1_s,
    )
