"""Downlinks: building the frame, and finding a window, a gateway and an instant for it.  TS001-1.0.4 sections 3 and 4.3.1.

A downlink in the windows of an uplink (class A) goes to the gateway that heard it best and is free, in RX1, else in RX2.
Class C goes out at once in RX2's channel, but not while the device is in the windows of its last uplink.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.frame import FOPTS_MAX, DataFrame, FType, seal
from nyala.lorawan.network.air import GatewayAir
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.port import Downlink, Reception, Transmission
from nyala.lorawan.network.sessions import Session
from nyala.lorawan.region import FHDR_AND_PORT
from nyala.vocab.time import US_PER_S

LEAD_US: Final = 80_000
"""A frame for a window must be ready this much before it: the commit, the backhaul and the gateway's own queue."""
WINDOWS_OVER_US: Final = 150_000
"""After RX2 opened, until a class C device is surely back in RXC."""
TMST_WRAP: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Slot:
    """Where and when a frame can go."""

    gateway: int
    frequency_hz: int
    data_rate: int
    tmst_us: int | None
    start_us: int


class Downlinks:
    """The transmit plans of all gateways, and the placing of frames in them."""

    def __init__(self, plan: NetworkPlan) -> None:
        self._plan = plan
        self._air: dict[int, GatewayAir] = {}

    def air(self, gateway: int) -> GatewayAir:
        """The plan of one gateway."""
        return self._air.setdefault(gateway, GatewayAir())

    def airtime_us(self, phy_bytes: int, data_rate: int) -> int:
        """Time on air of a downlink in microseconds."""
        row = self._plan.region.data_rate(data_rate)
        return airtime_us(phy_bytes, row.sf, row.bandwidth_khz, crc=False)

    def window_slot(
        self, receptions: Iterable[Reception], windows: tuple["Window", ...], phy_bytes: int, now_us: int
    ) -> Slot | None:
        """A slot in the windows of an uplink, RX1 before RX2, the gateway that heard best first; None: no time left."""
        copies = tuple(receptions)
        for window in windows:
            length_us = self.airtime_us(phy_bytes, window.data_rate)
            for copy in copies:
                start_us = copy.received_us + window.delay_us
                if now_us + LEAD_US > start_us:
                    continue
                air = self.air(copy.gateway)
                air.forget(now_us)
                if air.is_free(start_us, length_us):
                    tmst_us = (copy.tmst_us + window.delay_us) % TMST_WRAP
                    return Slot(copy.gateway, window.frequency_hz, window.data_rate, tmst_us, start_us)
        return None

    def class_c_slot(self, session: Session, phy_bytes: int, now_us: int) -> Slot | None:
        """The gateway that can send to a class C device first; None where no gateway has heard it in this run."""
        settings = session.settings
        length_us = self.airtime_us(phy_bytes, settings.rx2_data_rate)
        best: Slot | None = None
        for copy in session.last:
            air = self.air(copy.gateway)
            air.forget(now_us)
            start_us = air.earliest(now_us, length_us)
            if best is None or start_us < best.start_us:
                best = Slot(copy.gateway, self._plan.region.rx2_hz, settings.rx2_data_rate, None, start_us)
        return best

    def place(self, slot: Slot, phy: bytes, token: object) -> Transmission:
        """Plans a frame in its slot."""
        self.air(slot.gateway).reserve(slot.start_us, self.airtime_us(len(phy), slot.data_rate))
        eirp_dbm = self._plan.max_eirp_dbm
        return Transmission(slot.gateway, phy, slot.frequency_hz, slot.data_rate, eirp_dbm, slot.tmst_us, slot.start_us, token)


@dataclass(frozen=True, slots=True)
class Window:
    """A receive window of a device, by its delay after the uplink's end."""

    delay_us: int
    frequency_hz: int
    data_rate: int


def data_windows(plan: NetworkPlan, session: Session, uplink_hz: int, uplink_data_rate: int) -> tuple[Window, ...]:
    """RX1 and RX2 after a data uplink."""
    settings, region = session.settings, plan.region
    rx1 = region.rx1_data_rate(uplink_data_rate, settings.rx1_dr_offset, dwell=settings.downlink_dwell)
    delay_us = settings.rx_delay_s * US_PER_S
    return (Window(delay_us, uplink_hz, rx1), Window(delay_us + US_PER_S, region.rx2_hz, settings.rx2_data_rate))


def join_windows(plan: NetworkPlan, uplink_hz: int, uplink_data_rate: int) -> tuple[Window, ...]:
    """RX1 and RX2 after a join request: the region's own settings."""
    region = plan.region
    delay_us = region.join_accept_delay1_s * US_PER_S
    rx1 = region.rx1_data_rate(uplink_data_rate, 0, dwell=False)
    return (Window(delay_us, uplink_hz, rx1), Window(delay_us + US_PER_S, region.rx2_hz, region.rx2_data_rate))


def payload_max(plan: NetworkPlan, data_rate: int) -> int:
    """Largest FRMPayload of a downlink without FOpts, in bytes."""
    return plan.region.mac_payload_max(data_rate, dwell=plan.downlink_dwell) - FHDR_AND_PORT


def build(
    session: Session,
    downlink: Downlink | None,
    *,
    acknowledges: bool = False,
    commands: Iterable[mac.Command] = (),
    pending: bool = False,
) -> bytes:
    """Builds, counts and seals a downlink.  The counter must be stored before the frame leaves."""
    f_opts = mac.encode(commands)
    assert len(f_opts) <= FOPTS_MAX
    frame = DataFrame(
        f_type=FType.CONFIRMED_DOWN if downlink is not None and downlink.confirmed else FType.UNCONFIRMED_DOWN,
        dev_addr=session.dev_addr,
        f_cnt=session.f_cnt_down,
        f_opts=f_opts,
        f_port=None if downlink is None else downlink.port,
        payload=b"" if downlink is None else downlink.payload,
        adr=True,
        ack=acknowledges,
        pending=pending,
    )
    session.f_cnt_down += 1
    return seal(frame, session.nwk_s_key, session.app_s_key)
