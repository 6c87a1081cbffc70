"""MAC commands of a device: answers to what it asks, and what its answers change in its settings.  TS001-1.0.4 section 5.

What the network asks is for `asking`.  An answer that refuses, or that nobody asked for, is told in a line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.network.adr import SNR_FLOOR_DB
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.port import Reception, Refusal
from nyala.lorawan.network.sessions import Session
from nyala.vocab.time import US_PER_S, gps_from_utc_us

MARGIN_MAX: Final = 254


@dataclass(slots=True)
class Outcome:
    """What the commands of an uplink led to.  `wrong`: reason and detail of what is to be shown."""

    answers: list[mac.Command] = field(default_factory=list)
    wrong: list[tuple[Refusal, str]] = field(default_factory=list)
    changed: bool = False


def take(commands: Sequence[mac.Command], session: Session, receptions: Sequence[Reception], plan: NetworkPlan) -> Outcome:
    """Takes the device's answers into its settings and answers its own requests, each kind once."""
    outcome = Outcome()
    link_taken = False
    for command in commands:
        match command:
            case mac.LinkCheckReq():
                if not _has(outcome.answers, mac.LinkCheckAns):
                    outcome.answers.append(_link_check(receptions, plan))
            case mac.DeviceTimeReq():
                if not _has(outcome.answers, mac.DeviceTimeAns):
                    outcome.answers.append(_device_time(receptions))
            case mac.LinkAdrAns() if link_taken:  # a block of requests is answered with as many of the same
                pass
            case _:
                request = next((asked for asked in session.asked if asked.CID == command.CID), None)
                link_taken = link_taken or isinstance(command, mac.LinkAdrAns)
                if request is not None:
                    _settle(session, request, command, outcome)
                    if isinstance(command, mac.DevStatusAns):
                        session.settings.status_us = receptions[0].received_us
                elif not isinstance(command, mac.STICKY):
                    outcome.wrong.append((Refusal.MAC_UNASKED, f"{command} answers nothing"))
    return outcome


def _has(answers: Sequence[mac.Command], kind: type[mac.Command]) -> bool:
    """However often a device asks in one frame, it is answered once: the answers always fit."""
    return any(isinstance(each, kind) for each in answers)


def _link_check(receptions: Sequence[Reception], plan: NetworkPlan) -> mac.LinkCheckAns:
    best = receptions[0]
    floor = SNR_FLOOR_DB[plan.region.data_rate(best.data_rate).sf]
    gateways = {reception.gateway for reception in receptions}
    return mac.LinkCheckAns(max(0, min(MARGIN_MAX, int(best.snr_db - floor))), len(gateways))


def _device_time(receptions: Sequence[Reception]) -> mac.DeviceTimeAns:
    """GPS time of the end of the uplink: a gateway's with a fix, else the arrival of the first copy."""
    gps_us = next((reception.gps_us for reception in receptions if reception.gps_us is not None), None)
    if gps_us is None:
        gps_us = gps_from_utc_us(min(reception.received_us for reception in receptions))
    seconds, fraction = divmod(gps_us, US_PER_S)
    return mac.DeviceTimeAns(seconds, fraction * 256 // US_PER_S)


def _settle(session: Session, request: mac.Command, answer: mac.Command, outcome: Outcome) -> None:
    """Moves what was asked into what is confirmed, or notes that it was refused."""
    asked = list(session.asked)
    asked.remove(request)
    session.asked = tuple(asked)
    outcome.changed = True
    if not _accepted(answer):
        session.refused |= {request}
        outcome.wrong.append((Refusal.MAC_REFUSED, f"{request}: {answer}"))
        return
    settings = session.settings
    match request:
        case mac.LinkAdrReq():
            settings.data_rate, settings.tx_power = request.data_rate, request.tx_power
            settings.nb_trans = request.nb_trans or 1
            settings.channels = tuple([bit for bit in range(16) if request.ch_mask >> bit & 1])
            session.history = b""
        case mac.NewChannelReq():
            rest = {*settings.channels} - {request.index}
            settings.channels = tuple(sorted(rest | {request.index} if request.frequency_100hz else rest))
        case mac.TxParamSetupReq():
            settings.uplink_dwell = bool(request.uplink_dwell_time)
            settings.downlink_dwell = bool(request.downlink_dwell_time)
            settings.max_eirp_code, settings.tx_params_known = request.max_eirp, True
        case mac.RxParamSetupReq():
            settings.rx2_data_rate, settings.rx1_dr_offset = request.rx2_data_rate, request.rx1_dr_offset
            settings.rx2_hz = request.frequency_100hz * 100
        case mac.RxTimingSetupReq():
            settings.rx_delay_s = request.delay_s or 1
        case mac.DutyCycleReq():
            settings.max_duty_cycle = request.max_duty_cycle
        case mac.DlChannelReq():
            moved = dict(settings.rx1_hz) | {request.index: request.frequency_100hz * 100}
            settings.rx1_hz = tuple(sorted(moved.items()))
        case _:
            assert isinstance(answer, mac.DevStatusAns)
            settings.battery, settings.margin_db = answer.battery, answer.margin
            settings.status_f_cnt = session.f_cnt_up


def _accepted(answer: mac.Command) -> bool:
    """Whether all bits of an answer that may refuse are set."""
    match answer:
        case mac.LinkAdrAns():
            return answer.accepted
        case mac.RxParamSetupAns():
            return bool(answer.channel_ack and answer.rx2_data_rate_ack and answer.rx1_dr_offset_ack)
        case mac.NewChannelAns():
            return bool(answer.frequency_ack and answer.data_rate_range_ack)
        case mac.DlChannelAns():
            return bool(answer.frequency_ack and answer.uplink_frequency_exists)
        case _:
            return True
