"""What the network asks of a device by MAC commands, and what it does with the answers.  TS001-1.0.4 section 5.

The wanted settings (`NetworkPlan`, adaptive data rate) are compared with what the device has confirmed (`Settings`); the
difference becomes requests, as many as fit, and each stays asked until its answer comes or another uplink goes by without.
"""

from collections.abc import Sequence
from typing import Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.network.adr import SNR_FLOOR_DB, Link, recommend
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.port import Reception
from nyala.lorawan.network.sessions import Session
from nyala.vocab.time import US_PER_S, gps_from_utc_us

MARGIN_MAX: Final = 254


def answer(
    commands: Sequence[mac.Command], session: Session, receptions: Sequence[Reception], plan: NetworkPlan
) -> list[mac.Command]:
    """Takes the device's answers into its settings and returns the answers to its own requests."""
    answers: list[mac.Command] = []
    adr_taken = False
    for command in commands:
        match command:
            case mac.LinkCheckReq() if not _has(answers, mac.LinkCheckAns):
                best = receptions[0]
                floor = SNR_FLOOR_DB[plan.region.data_rate(best.data_rate).sf]
                answers.append(mac.LinkCheckAns(max(0, min(MARGIN_MAX, int(best.snr_db - floor))), len(receptions)))
            case mac.DeviceTimeReq() if not _has(answers, mac.DeviceTimeAns):
                gps_us = gps_from_utc_us(min(reception.received_us for reception in receptions))
                seconds, fraction = divmod(gps_us, US_PER_S)
                answers.append(mac.DeviceTimeAns(seconds, fraction * 256 // US_PER_S))
            case mac.LinkAdrAns():
                if not adr_taken:
                    adr_taken = _take(session, mac.LinkAdrReq, accepted=command.accepted)
            case mac.NewChannelAns():
                accepted = bool(command.frequency_ack and command.data_rate_range_ack)
                _take(session, mac.NewChannelReq, accepted=accepted)
            case mac.TxParamSetupAns():
                _take(session, mac.TxParamSetupReq, accepted=True)
            case mac.DevStatusAns():
                session.settings.battery = command.battery
                _take(session, mac.DevStatusReq, accepted=True)
            case _:
                pass
    return answers


def _has(answers: Sequence[mac.Command], kind: type[mac.Command]) -> bool:
    """However often a device asks in one frame, it is answered once: the answers always fit."""
    return any(isinstance(each, kind) for each in answers)


def _take(session: Session, request_type: type[mac.Command], *, accepted: bool) -> bool:
    """Moves what was asked into what is confirmed; answers that nobody asked for (sticky repeats) change nothing."""
    request = next((asked for asked in session.asked if isinstance(asked, request_type)), None)
    if request is None:
        return False
    session.asked.remove(request)
    if not accepted:
        session.refused.add(request)
        return True
    settings = session.settings
    match request:
        case mac.LinkAdrReq():
            settings.data_rate, settings.tx_power = request.data_rate, request.tx_power
            settings.nb_trans = request.nb_trans or 1
            settings.channels = [bit for bit in range(16) if request.ch_mask >> bit & 1]
            session.snr_db.clear()
        case mac.NewChannelReq():
            settings.channels = sorted({*settings.channels, request.index})
        case mac.TxParamSetupReq():
            settings.uplink_dwell = bool(request.uplink_dwell_time)
            settings.downlink_dwell = bool(request.downlink_dwell_time)
            settings.max_eirp_code, settings.tx_params_known = request.max_eirp, True
        case _:
            pass
    return True


def wanted(session: Session, plan: NetworkPlan) -> list[mac.Command]:
    """The requests that would bring the device's settings to the wanted ones, most important first."""
    settings, region = session.settings, plan.region
    requests: list[mac.Command] = []
    if region.tx_param_setup and not (
        settings.tx_params_known
        and (settings.uplink_dwell, settings.downlink_dwell) == (plan.uplink_dwell, plan.downlink_dwell)
        and settings.max_eirp_code == plan.max_eirp_code
    ):
        requests.append(mac.TxParamSetupReq(plan.max_eirp_code, int(plan.uplink_dwell), int(plan.downlink_dwell)))
    if len(settings.channels) < len(plan.uplink_channels_hz):
        low, high = region.channel_data_rates
        for index, hz in enumerate(plan.uplink_channels_hz):
            if index not in settings.channels:
                requests.append(mac.NewChannelReq(index, hz // 100, low, high))
    if plan.adr:
        link = Link(settings.data_rate, settings.tx_power, settings.nb_trans)
        target = recommend(region, link, session.snr_db, plan.adr_margin_db)
        if target != link:
            mask = sum(1 << index for index in settings.channels)
            requests.append(mac.LinkAdrReq(target.tx_power, target.data_rate, mask, target.nb_trans, 0))
    return [request for request in requests if request not in session.refused] if session.refused else requests


def ask(session: Session, candidates: Sequence[mac.Command], room: int) -> list[mac.Command]:
    """Those of the wanted requests that fit `room` bytes; they count as asked from now on."""
    requests: list[mac.Command] = []
    for request in candidates:
        size = 1 + request.size()
        if size <= room:
            requests.append(request)
            room -= size
    session.asked = list(requests)
    return requests
