"""What the network asks of a device by MAC commands.  TS001-1.0.4 section 5.

The wanted settings (`NetworkPlan`, adaptive data rate) are compared with what the device has confirmed (`Settings`); the
difference becomes requests, as many as a downlink holds and as the device can answer in one uplink.  Each is made again
until it is answered; what was refused, or never answered, is left.  Answers are for `commands`.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.network import history
from nyala.lorawan.network.adr import ALGORITHMS, Link
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.sessions import Session

ASKED_MAX: Final = 8
"""Downlinks in a row with requests that had not been answered before: then the device is taken not to know them."""
ADR_REFUSALS_MAX: Final = 3
"""LinkADRReq that a device may refuse before its data rate is left to it."""


def size(commands: Iterable[mac.Command]) -> int:
    """Bytes of commands on the air."""
    return sum([1 + command.size() for command in commands])


def wanted(session: Session, plan: NetworkPlan, now_us: int) -> list[mac.Command]:
    """The requests that would bring the device's settings to the wanted ones, most important first."""
    requests = [*_radio(session, plan), *_channels(session, plan)]
    if plan.adr and session.adr:
        requests += _link(session, plan)
    if _status_due(session, plan, now_us):
        requests.append(mac.DevStatusReq())
    return [request for request in requests if request not in session.refused] if session.refused else requests


def _radio(session: Session, plan: NetworkPlan) -> Iterable[mac.Command]:
    """Dwell limits, power, windows, duty cycle."""
    settings, region = session.settings, plan.region
    if region.tx_param_setup and not (
        settings.tx_params_known
        and (settings.uplink_dwell, settings.downlink_dwell) == (plan.uplink_dwell, plan.downlink_dwell)
        and settings.max_eirp_code == plan.max_eirp_code
    ):
        yield mac.TxParamSetupReq(plan.max_eirp_code, int(plan.uplink_dwell), int(plan.downlink_dwell))
    windows = settings.rx2_data_rate, settings.rx1_dr_offset, settings.rx2_hz or region.rx2_hz
    if windows != (plan.rx2_data_rate, plan.rx1_dr_offset, plan.rx2_hz):
        yield mac.RxParamSetupReq(plan.rx2_data_rate, plan.rx1_dr_offset, 0, plan.rx2_hz // 100)
    if settings.rx_delay_s != plan.rx_delay_s:
        yield mac.RxTimingSetupReq(plan.rx_delay_s)
    if settings.max_duty_cycle != plan.max_duty_cycle:
        yield mac.DutyCycleReq(plan.max_duty_cycle)


def _channels(session: Session, plan: NetworkPlan) -> Iterable[mac.Command]:
    """Channels that are missing, that are too many, and whose RX1 is elsewhere."""
    settings = session.settings
    if len(settings.channels) != len(plan.uplink_channels_hz):
        low, high = plan.region.channel_data_rates
        for index, hz in enumerate(plan.uplink_channels_hz):
            if index not in settings.channels:
                yield mac.NewChannelReq(index, hz // 100, low, high)
        for index in settings.channels[len(plan.uplink_channels_hz) :]:
            yield mac.NewChannelReq(index, 0, low, high)
    if settings.rx1_hz != plan.rx1_hz:
        there, moved = dict(settings.rx1_hz), dict(plan.rx1_hz)
        for index in settings.channels:
            own_hz = plan.uplink_channels_hz[index] if index < len(plan.uplink_channels_hz) else 0
            if own_hz and there.get(index, own_hz) != moved.get(index, own_hz):
                yield mac.DlChannelReq(index, moved.get(index, own_hz) // 100)


def _link(session: Session, plan: NetworkPlan) -> Iterable[mac.Command]:
    """Data rate, power and repetitions."""
    if sum(isinstance(request, mac.LinkAdrReq) for request in session.refused) >= ADR_REFUSALS_MAX:
        return
    settings = session.settings
    link = Link(settings.data_rate, settings.tx_power, settings.nb_trans)
    target = ALGORITHMS[plan.adr_algorithm](plan.region, link, history.read(session.history), plan.adr_margin_db)
    if target != link:
        mask = sum(1 << index for index in settings.channels)
        yield mac.LinkAdrReq(target.tx_power, target.data_rate, mask, target.nb_trans, 0)


def _status_due(session: Session, plan: NetworkPlan, now_us: int) -> bool:
    """Whether the device is to be asked for its status: so many uplinks, or so long, after the last time."""
    if not plan.dev_status_uplinks:
        return False
    settings = session.settings
    if not settings.status_us:
        settings.status_us, settings.status_f_cnt = now_us, session.f_cnt_up
        return False
    uplinks = session.f_cnt_up - settings.status_f_cnt
    return uplinks >= plan.dev_status_uplinks or now_us - settings.status_us >= plan.dev_status_us


_ANSWER_BYTES: Final = {request: 1 + mac.UPLINK[request.CID].size() for request in mac.DOWNLINK.values()}


def fitting(candidates: Sequence[mac.Command], room: int, answer_room: int) -> tuple[mac.Command, ...]:
    """Those of the wanted requests that fit `room` bytes, and whose answers fit `answer_room` bytes."""
    requests: list[mac.Command] = []
    for request in candidates:
        takes, answer = 1 + request.size(), _ANSWER_BYTES[type(request)]
        if takes <= room and answer <= answer_room:
            requests.append(request)
            room, answer_room = room - takes, answer_room - answer
    return tuple(requests)


def asked(session: Session, requests: tuple[mac.Command, ...]) -> list[mac.Command]:
    """Notes that requests go out; answers those that will not be made again because the device never answers them."""
    kinds = {type(request) for request in session.asked}
    again = [request for request in requests if type(request) in kinds]
    session.unanswered = session.unanswered + 1 if again else 0
    session.asked = requests
    if session.unanswered < ASKED_MAX:
        return []
    session.unanswered = 0
    session.refused |= frozenset(again)
    return again


def holds_class_c(session: Session) -> bool:
    """Whether it is not known where the device listens: RX2 was to be moved, and no answer has come."""
    return any(isinstance(request, mac.RxParamSetupReq) for request in session.asked)
