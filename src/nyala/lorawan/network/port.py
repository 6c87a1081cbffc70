"""What passes between the network server and its neighbours: receptions and transmissions of gateways on one side,
uplinks, joins and the fate of downlinks on the other.  Values only; instants are the server's, in microseconds UTC.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

CLASS_C_RETRIES: Final = 2
"""A confirmed class C downlink goes out three times at most.  A payload may so be heard more than once."""


@dataclass(frozen=True, slots=True)
class Reception:
    """One frame as one gateway heard it."""

    gateway: int
    """EUI of the gateway."""
    phy: bytes
    received_us: int
    frequency_hz: int
    data_rate: int
    rssi_dbm: float
    snr_db: float
    tmst_us: int
    """The gateway's 32-bit microsecond counter at the end of the frame."""
    journal: int = 0
    """Sequence number in the uplink journal; 0: not journaled (replayed from elsewhere)."""
    gps_us: int | None = None
    """GPS time of the end of the frame, where the gateway has a fix."""
    context: bytes = b""
    """What the gateway wants back with an answer in the windows of this frame; only its own protocol reads it."""


@dataclass(frozen=True, slots=True)
class Transmission:
    """One frame that one gateway is to send: in a window of an uplink, at a GPS time, or at once."""

    gateway: int
    phy: bytes
    frequency_hz: int
    data_rate: int
    eirp_dbm: int
    tmst_us: int | None
    """At this instant of the gateway's counter; None: at once (class C)."""
    start_us: int
    """The server's own estimate of when it begins; what its plan of this gateway holds."""
    token: object = None
    number: int = 0
    """Names it in `NetworkServer.transmitted`; 0: nobody asks what became of it."""
    dev_eui: int = 0
    """The device it is for; 0: a multicast group."""
    delay_us: int | None = None
    """After the end of the uplink that it answers; None: it answers none."""
    context: bytes = b""
    """`Reception.context` of that uplink."""
    gps_us: int | None = None
    """Begins at this GPS time; only gateways with a fix can do it."""


class TxResult(StrEnum):
    """What a gateway said of a transmission.  The names of TX_ACK, and two of our own."""

    OK = "NONE"
    """Taken, or sent."""
    TOO_LATE = "TOO_LATE"
    TOO_EARLY = "TOO_EARLY"
    COLLISION_PACKET = "COLLISION_PACKET"
    COLLISION_BEACON = "COLLISION_BEACON"
    TX_FREQ = "TX_FREQ"
    TX_POWER = "TX_POWER"
    GPS_UNLOCKED = "GPS_UNLOCKED"
    NO_PATH = "NO_PATH"
    """No way to the gateway is open."""
    NO_ANSWER = "NO_ANSWER"
    """The gateway did not say anything in time: it may have sent the frame, or not."""


class Refusal(StrEnum):
    """Why an uplink was not taken; each is counted in the metrics under this name."""

    NOT_A_FRAME = "not_a_frame"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_DEVICE = "unknown_device"
    BAD_MIC = "bad_mic"
    REPLAYED = "replayed"
    REPEATED = "repeated"
    DEV_NONCE_USED = "dev_nonce_used"
    COUNTER_RESET = "counter_reset"
    """The device counts from the beginning again without a join: it must join anew."""
    BAD_MAC_COMMAND = "bad_mac_command"
    MAC_REFUSED = "mac_refused"
    """The uplink was taken, but the device did not take a setting."""
    MAC_UNASKED = "mac_unasked"
    """The uplink was taken; it answers a MAC request that nobody made."""
    MAC_IGNORED = "mac_ignored"
    """The uplink was taken; a MAC request is not made again, because it was never answered."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An uplink that was not taken, and why.  `detail` is one line for a log."""

    reason: Refusal
    detail: str
    receptions: tuple[Reception, ...]


@dataclass(frozen=True, slots=True)
class Uplink:
    """An application payload of a device of ours, once, however many gateways heard it."""

    dev_eui: int
    f_cnt: int
    port: int | None
    payload: bytes
    """Clear; empty where the frame had no port (a bare acknowledgement)."""
    confirmed: bool
    acknowledges: object
    """Token of the confirmed downlink that this frame acknowledges, or None."""
    data_rate: int
    receptions: tuple[Reception, ...]
    """At least one; the best SNR first."""
    received_us: int
    """Arrival of the first copy."""


@dataclass(frozen=True, slots=True)
class AppUplink:
    """A telegram that came without a radio frame of ours: from another network server, or from the demo's history."""

    dev_eui: int
    port: int
    payload: bytes
    received_us: int
    journal: int = 0
    via: str = ""
    """Name of the bridge to the other network server, where answers go."""
    data_rate: int = 0
    rssi_dbm: float = 0.0
    snr_db: float = 0.0
    """As the best gateway heard it, by the other server's word."""
    gateways: int = 0
    """How many heard it; 0: nothing is known of the radio."""


@dataclass(frozen=True, slots=True)
class JoinedDevice:
    """A device has joined; counters start at 0."""

    dev_eui: int
    dev_addr: int
    received_us: int


class Fate(StrEnum):
    """What became of a downlink of the application."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    NOT_SENT = "not_sent"
    """No gateway could send it, though one was told to."""
    TOO_LONG = "too_long"
    NO_SESSION = "no_session"


@dataclass(frozen=True, slots=True)
class DownlinkFate:
    """What became of a downlink of the application: SENT (handed to a gateway), once, and what came after it, once.

    What comes after SENT is ACKNOWLEDGED or NOT_ACKNOWLEDGED for a confirmed one, NOT_SENT where all gateways refused it.
    """

    dev_eui: int
    token: object
    fate: Fate


@dataclass(frozen=True, slots=True)
class GroupSent:
    """A message to a multicast group is through: what can be done for it was done."""

    mc_addr: int
    token: object
    f_cnt: int | None
    """Its counter; None: no gateway reaches any member, and none was used."""
    gateways: tuple[int, ...]
    """Those that sent it, or may have."""
    refused: tuple[int, ...]
    """Those that should have and did not."""
    uncovered: tuple[int, ...]
    """Members (DevEUI) that no gateway surely reaches at the group's data rate."""


Event = Refused | Uplink | JoinedDevice | DownlinkFate | GroupSent | Transmission


class Urgency(IntEnum):
    """Of a downlink: in the queue of a device, and where devices wait for one gateway, the smaller goes first."""

    AT_ONCE = 0
    """A relay order."""
    SOON = 1
    """Another order that changes something."""
    ASKED = 2
    """What a person waits to see."""
    LATER = 3
    """Configuration, back-fill."""
    WITH_UPLINK = 4
    """Back-fill that waits for the windows of an uplink."""


@dataclass(frozen=True, slots=True)
class Downlink:
    """What the application wants sent to a device."""

    dev_eui: int
    port: int
    payload: bytes
    confirmed: bool = False
    token: object = None
    retries: int = CLASS_C_RETRIES
    """How often a confirmed class C downlink is repeated, with new counters; 0 where the sender chases by himself."""
    urgency: Urgency = Urgency.LATER
    with_uplink_until_us: int = 0
    """Until then it goes in the windows of an uplink only, at the uplink's own data rate; of urgency `WITH_UPLINK`."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a payload would get to a device.  `gateway`: the one that hears it best; time on air of the downlink in each way."""

    gateway: int
    window_us: int
    """In the windows of an uplink like the last one."""
    at_once_us: int | None
    """By class C; None: it does not listen, or where it listens is not known."""

    @property
    def waits(self) -> bool:
        """Whether the windows are the shorter way, or the only one."""
        return self.at_once_us is None or self.window_us < self.at_once_us
