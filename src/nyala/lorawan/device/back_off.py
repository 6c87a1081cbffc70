"""The back-off of a device that hears nothing: power, then data rate, then channels.  TS001-1.0.4 section 4.3.1.1, table 9."""

from nyala.lorawan.device.state import Activation, Channel
from nyala.lorawan.region import Region


def unanswered(activation: Activation, region: Region) -> bool:
    """So many uplinks without any class A downlink that the back-off has begun."""
    return activation.adr_ack_count >= region.adr_ack_limit + region.adr_ack_delay


def step(activation: Activation, region: Region) -> None:
    """Takes the step that is due after an uplink, if one is: `room` is then that of the next one."""
    delay = region.adr_ack_delay
    over = activation.adr_ack_count - region.adr_ack_limit
    if over < delay or over % delay:
        return
    slower = activation.data_rate - 1
    if over == delay:
        activation.tx_power = 0
    elif slower >= 0 and region.mac_payload_max(slower, dwell=activation.uplink_dwell):
        activation.data_rate = slower
    else:
        activation.nb_trans = 1
        low, high = region.channel_data_rates
        for index, hz in enumerate(region.default_channels_hz):
            activation.channels[index] = Channel(hz, low, high)
    activation.settle(region)
