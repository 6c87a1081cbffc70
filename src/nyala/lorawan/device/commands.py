"""What a device does with each MAC command of the network, TS001-1.0.4 section 5.  One function per command.

A handler changes the activation and returns the answer, or None where there is none.  A refused command changes nothing.
LinkADRReq comes as the whole contiguous block.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.device.effects import Effect, LinkChecked, TimeReceived
from nyala.lorawan.device.law import Law
from nyala.lorawan.device.procedure import UplinkInProgress
from nyala.lorawan.device.profile import DeviceProfile
from nyala.lorawan.device.state import Activation, Channel
from nyala.lorawan.region import Region
from nyala.vocab.time import US_PER_S, utc_from_gps_us

DOWNLINK_STEP_HZ: Final = 100
ALL_DEFINED_CHANNELS: Final = 6
"""ChMaskCntl that switches every defined channel on."""
BATTERY_EXTERNAL: Final = 0
BATTERY_UNKNOWN: Final = 255
MARGIN_DB: Final = (-32, 31)
"""What DevStatusAns can say of an SNR."""


@dataclass(slots=True)
class Outcome:
    """What a list of commands led to: the answers in order, and what the layers above want to know."""

    answers: list[mac.Command] = field(default_factory=list)
    link_check: mac.LinkCheckAns | None = None
    device_time: mac.DeviceTimeAns | None = None

    def news(self, uplink: UplinkInProgress | None) -> list[Effect]:
        """What the layers above are told; the time only where the uplink in progress asked for it."""
        told: list[Effect] = []
        if self.link_check is not None:
            told.append(LinkChecked(self.link_check.margin, self.link_check.gateway_count))
        if self.device_time is not None and uplink is not None and uplink.asks_time:
            gps_us = self.device_time.gps_s * US_PER_S + self.device_time.fraction_256 * US_PER_S // 256
            told.append(TimeReceived(utc_from_gps_us(gps_us), uplink.end_us))
        return told


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler may look at besides the activation."""

    region: Region
    """As the device sends in it (`profile.narrowed`)."""
    law: Law
    profile: DeviceProfile
    snr_db: float
    """Signal-to-noise ratio of the frame that carried the command."""
    battery: int = BATTERY_EXTERNAL


def carry_out(commands: Sequence[mac.Command], activation: Activation, context: Context) -> Outcome:
    """Carries out the commands of one downlink in order."""
    outcome = Outcome()
    for cls, block in groupby(commands, key=type):
        if cls is mac.LinkAdrReq:
            requests = [command for command in block if isinstance(command, mac.LinkAdrReq)]
            answer: mac.Command | None = _link_adr(requests, activation, context)
            outcome.answers += [answer] * len(requests) if answer else []
            continue
        for command in block:
            if isinstance(command, mac.LinkCheckAns):
                outcome.link_check = command
            elif isinstance(command, mac.DeviceTimeAns):
                outcome.device_time = command
            else:
                given = _HANDLERS[type(command)](command, activation, context)
                outcome.answers += [] if given is None else [given]
    return outcome


def _link_adr(requests: Sequence[mac.LinkAdrReq], activation: Activation, context: Context) -> mac.LinkAdrAns:
    region, last = context.region, requests[-1]
    enabled = {index for index, channel in activation.channels.items() if channel.enabled}
    mask_ok = True
    for request in requests:
        asked = {bit for bit in range(16) if request.ch_mask >> bit & 1}
        if request.ch_mask_cntl == 0:
            mask_ok &= asked <= activation.channels.keys()
            enabled = asked
        elif request.ch_mask_cntl == ALL_DEFINED_CHANNELS:
            enabled = set(activation.channels)
        else:
            mask_ok = False
    mask_ok &= bool(enabled)
    rate = activation.data_rate if last.data_rate == mac.KEEP else last.data_rate
    power = activation.tx_power if last.tx_power == mac.KEEP else last.tx_power
    rate_ok = rate < len(region.data_rates) and region.mac_payload_max(rate, dwell=activation.uplink_dwell) > 0
    rate_ok = rate_ok and any(
        activation.channels[index].data_rate_min <= rate <= activation.channels[index].data_rate_max
        for index in enabled & activation.channels.keys()
    )
    power_ok = last.tx_power == mac.KEEP or context.law.can_lower_to(power, activation.max_eirp_dbm)
    if mask_ok and rate_ok and power_ok:
        activation.data_rate, activation.tx_power = rate, power
        activation.nb_trans = last.nb_trans or 1
        for index, channel in activation.channels.items():
            activation.channels[index] = replace(channel, enabled=index in enabled)
    return mac.LinkAdrAns(int(mask_ok), int(rate_ok), int(power_ok))


def _duty_cycle(command: mac.Command, activation: Activation, _: Context) -> mac.Command:
    assert isinstance(command, mac.DutyCycleReq)
    activation.max_duty_cycle = command.max_duty_cycle
    return mac.DutyCycleAns()


def _rx_param_setup(command: mac.Command, activation: Activation, context: Context) -> mac.Command:
    assert isinstance(command, mac.RxParamSetupReq)
    frequency_hz = command.frequency_100hz * DOWNLINK_STEP_HZ
    channel_ok = context.region.allows(frequency_hz)
    rate_ok = command.rx2_data_rate < len(context.region.data_rates)
    offset_ok = command.rx1_dr_offset < len(context.region.rx1_data_rates[False][0])
    if channel_ok and rate_ok and offset_ok:
        activation.rx2_hz = frequency_hz
        activation.rx2_data_rate = command.rx2_data_rate
        activation.rx1_dr_offset = command.rx1_dr_offset
    return mac.RxParamSetupAns(int(channel_ok), int(rate_ok), int(offset_ok))


def _dev_status(_: mac.Command, __: Activation, context: Context) -> mac.Command:
    low, high = MARGIN_DB
    return mac.DevStatusAns(context.battery, max(low, min(high, round(context.snr_db))))


def _new_channel(command: mac.Command, activation: Activation, context: Context) -> mac.Command:
    assert isinstance(command, mac.NewChannelReq)
    region = context.region
    frequency_hz = command.frequency_100hz * DOWNLINK_STEP_HZ
    settable = len(region.default_channels_hz) <= command.index < region.channel_limit
    has_room = command.index in activation.channels or len(activation.channels) < context.profile.channels_max
    frequency_ok = settable and (frequency_hz == 0 or (has_room and context.law.allows(frequency_hz)))
    range_ok = command.min_data_rate <= command.max_data_rate < len(region.data_rates)
    if frequency_ok and range_ok:
        if frequency_hz == 0:
            activation.channels.pop(command.index, None)
        else:
            activation.channels[command.index] = Channel(frequency_hz, command.min_data_rate, command.max_data_rate)
    return mac.NewChannelAns(int(frequency_ok), int(range_ok))


def _rx_timing_setup(command: mac.Command, activation: Activation, _: Context) -> mac.Command:
    assert isinstance(command, mac.RxTimingSetupReq)
    activation.rx_delay_s = command.delay_s or 1
    return mac.RxTimingSetupAns()


def _tx_param_setup(command: mac.Command, activation: Activation, context: Context) -> mac.Command | None:
    assert isinstance(command, mac.TxParamSetupReq)
    if not context.region.tx_param_setup:
        return None  # TS001-1.0.4 5.9: a region without this command is silent
    activation.uplink_dwell = bool(command.uplink_dwell_time) or context.law.uplink_dwell
    activation.downlink_dwell = bool(command.downlink_dwell_time)
    activation.max_eirp_dbm = mac.MAX_EIRP_DBM[command.max_eirp]
    return mac.TxParamSetupAns()


def _dl_channel(command: mac.Command, activation: Activation, context: Context) -> mac.Command:
    assert isinstance(command, mac.DlChannelReq)
    frequency_hz = command.frequency_100hz * DOWNLINK_STEP_HZ
    frequency_ok = context.region.allows(frequency_hz)
    channel = activation.channels.get(command.index)
    if frequency_ok and channel is not None:
        activation.channels[command.index] = replace(channel, rx1_hz=frequency_hz)
    return mac.DlChannelAns(int(frequency_ok), int(channel is not None))


_HANDLERS: Final[dict[type[mac.Command], Callable[[mac.Command, Activation, Context], mac.Command | None]]] = {
    mac.DutyCycleReq: _duty_cycle,
    mac.RxParamSetupReq: _rx_param_setup,
    mac.DevStatusReq: _dev_status,
    mac.NewChannelReq: _new_channel,
    mac.RxTimingSetupReq: _rx_timing_setup,
    mac.TxParamSetupReq: _tx_param_setup,
    mac.DlChannelReq: _dl_channel,
}
