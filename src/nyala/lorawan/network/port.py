"""What passes between the network server and its neighbours: receptions and transmissions of gateways on one side,
uplinks, joins and the fate of downlinks on the other.  Values only; instants are the server's, in microseconds UTC.
"""

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Transmission:
    """One frame that one gateway is to send."""

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


class Refusal(StrEnum):
    """Why an uplink was not taken; each is counted in the metrics under this name."""

    NOT_A_FRAME = "not_a_frame"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_DEVICE = "unknown_device"
    BAD_MIC = "bad_mic"
    REPLAYED = "replayed"
    REPEATED = "repeated"
    DEV_NONCE_USED = "dev_nonce_used"
    BAD_MAC_COMMAND = "bad_mac_command"


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
    TOO_LONG = "too_long"
    NO_SESSION = "no_session"


@dataclass(frozen=True, slots=True)
class DownlinkFate:
    """What became of a downlink of the application.  A confirmed one is SENT first."""

    dev_eui: int
    token: object
    fate: Fate


Event = Refused | Uplink | JoinedDevice | DownlinkFate | Transmission


@dataclass(frozen=True, slots=True)
class Downlink:
    """What the application wants sent to a device."""

    dev_eui: int
    port: int
    payload: bytes
    confirmed: bool = False
    token: object = None
