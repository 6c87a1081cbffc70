"""What a downlink says and how it is built: acknowledgement, MAC commands, a payload of the application.  TS001-1.0.4 4.

MAC commands go into FOpts; where that is too small and nothing else is to be said, all of them go on port 0.  What the
commands are is for `commands` and `asking`, where and when the frame goes for `schedule`.
"""

from dataclasses import dataclass
from typing import Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.frame import FOPTS_MAX, DataFrame, FType, seal
from nyala.lorawan.network.asking import fitting, size, wanted
from nyala.lorawan.network.pending import Reply, Waiting, Window
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.sessions import Session
from nyala.lorawan.region import FHDR_AND_PORT
from nyala.vocab.time import US_PER_S

FHDR: Final = 7
DATA_OVERHEAD: Final = 13
"""Bytes of a data frame around its FRMPayload with a port and without FOpts."""


@dataclass(frozen=True, slots=True)
class Said:
    """The content of a downlink.  `requests` are those of the `commands` that wait for an answer."""

    waiting: Waiting | None = None
    commands: tuple[mac.Command, ...] = ()
    requests: tuple[mac.Command, ...] = ()
    on_port_zero: bool = False
    acknowledge: bool = False

    @property
    def phy_bytes(self) -> int:
        """Length of the frame."""
        payload = -1 if self.waiting is None else len(self.waiting.downlink.payload)
        return DATA_OVERHEAD + size(self.commands) + (0 if self.on_port_zero else payload)


def data_windows(plan: NetworkPlan, session: Session, uplink_hz: int, uplink_data_rate: int) -> tuple[Window, ...]:
    """RX1 and RX2 after a data uplink."""
    settings, region = session.settings, plan.region
    rx1 = region.rx1_data_rate(uplink_data_rate, settings.rx1_dr_offset, dwell=settings.downlink_dwell)
    delay_us = settings.rx_delay_s * US_PER_S
    if settings.rx1_hz and uplink_hz in plan.uplink_channels_hz:
        uplink_hz = dict(settings.rx1_hz).get(plan.uplink_channels_hz.index(uplink_hz), uplink_hz)
    return (Window(delay_us, uplink_hz, rx1), Window(delay_us + US_PER_S, *rxc(plan, session)))


def rxc(plan: NetworkPlan, session: Session) -> tuple[int, int]:
    """(frequency in Hz, data rate) of RX2 and of class C."""
    return session.settings.rx2_hz or plan.region.rx2_hz, session.settings.rx2_data_rate


def join_windows(plan: NetworkPlan, uplink_hz: int, uplink_data_rate: int) -> tuple[Window, ...]:
    """RX1 and RX2 after a join request: the region's own settings."""
    region = plan.region
    delay_us = region.join_accept_delay1_s * US_PER_S
    rx1 = region.rx1_data_rate(uplink_data_rate, 0, dwell=False)
    return (Window(delay_us, uplink_hz, rx1), Window(delay_us + US_PER_S, region.rx2_hz, region.rx2_data_rate))


def payload_max(plan: NetworkPlan, data_rate: int) -> int:
    """Largest FRMPayload of a downlink without FOpts, in bytes; below 0 where the data rate may not be used."""
    return plan.region.mac_payload_max(data_rate, dwell=plan.downlink_dwell) - FHDR_AND_PORT


def compose(
    plan: NetworkPlan, session: Session, reply: Reply, window: Window, waiting: Waiting | None, now_us: int
) -> Said | None:
    """What to say in a window: answers first, then requests, then a payload that fits beside them; None: nothing."""
    room = payload_max(plan, window.data_rate)
    if room + 1 < size(reply.answers):
        return None
    candidates = wanted(session, plan, now_us)
    if not (reply.acknowledge or reply.must or reply.answers or candidates or waiting):
        return None
    f_opts_room = min(FOPTS_MAX, room + 1)
    mac_room = f_opts_room if waiting is not None else max(f_opts_room, room)
    requests = fitting(candidates, mac_room - size(reply.answers), _answer_room(plan, session))
    said = (*reply.answers, *requests)
    if waiting is not None and len(waiting.downlink.payload) > room - size(said):
        waiting = None
    if not (reply.acknowledge or reply.must or said or waiting):
        return None
    return Said(waiting, said, requests, size(said) > f_opts_room, reply.acknowledge)


def _answer_room(plan: NetworkPlan, session: Session) -> int:
    """Bytes that the next uplink has for MAC answers."""
    settings = session.settings
    limit = plan.region.mac_payload_max(settings.data_rate, dwell=settings.uplink_dwell)
    return min(FOPTS_MAX, max(limit - FHDR, 0))


def build(session: Session, said: Said, *, pending: bool = False) -> bytes:
    """Builds, counts and seals a downlink.  The counter must be stored before the frame leaves."""
    waiting, coded = said.waiting, mac.encode(said.commands)
    downlink = None if waiting is None else waiting.downlink
    assert not (said.on_port_zero and downlink)
    frame = DataFrame(
        f_type=FType.CONFIRMED_DOWN if downlink is not None and downlink.confirmed else FType.UNCONFIRMED_DOWN,
        dev_addr=session.dev_addr,
        f_cnt=session.f_cnt_down,
        f_opts=b"" if said.on_port_zero else coded,
        f_port=0 if said.on_port_zero else None if downlink is None else downlink.port,
        payload=coded if said.on_port_zero else b"" if downlink is None else downlink.payload,
        adr=True,
        ack=said.acknowledge,
        pending=pending,
    )
    session.f_cnt_down += 1
    return seal(frame, session.nwk_s_key, session.app_s_key)
