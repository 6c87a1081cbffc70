"""What the MAC's state takes in a module of 64 KB RAM and 256 KB flash (product sheet B), as it would lie there in C.

`WIDTHS` gives each field of the state's classes its bytes; a test holds that no field is missing, so the budget grows with
the state.  Code, stack and the radio driver are not here: nothing of this package runs on such a module.
"""

from dataclasses import dataclass
from typing import Final

from nyala.lorawan.device.law import SLOTS
from nyala.lorawan.device.listening import Listening
from nyala.lorawan.device.multicast import GROUPS, ClassCWindow, MulticastSession
from nyala.lorawan.device.procedure import Emission, UplinkInProgress
from nyala.lorawan.device.profile import DeviceProfile
from nyala.lorawan.device.state import Activation, Channel, DeviceMemory, Identity
from nyala.lorawan.device.tuning import Hearing
from nyala.lorawan.frame import FOPTS_MAX, PHY_MAX

RAM_BYTES: Final = 64 * 1024
FLASH_BYTES: Final = 256 * 1024
MAC_RAM_SHARE: Final = 0.1
MAC_FLASH_SHARE: Final = 0.01
"""Of the module, for the state of the MAC: the rest is for code, stack and the telegrams that wait."""
FLASH_COPIES: Final = 2
"""What survives a power cut is written to one copy while the other stays whole."""
AES_SCHEDULE: Final = 176
"""Eleven round keys, expanded once per key in use."""
KEY: Final = 16
INSTANT: Final = 8
FREQUENCY: Final = 4
ACCOUNTS: Final = 6
"""Sub-bands with a duty cycle, at most (EU868)."""

WIDTHS: Final[dict[type, dict[str, int]]] = {
    Identity: {"dev_eui": 8, "join_eui": 8, "app_key": KEY},
    Channel: {"frequency_hz": FREQUENCY, "data_rate_min": 1, "data_rate_max": 1, "enabled": 1, "rx1_hz": FREQUENCY},
    Activation: {
        "dev_addr": 4,
        "nwk_s_key": KEY,
        "app_s_key": KEY,
        "f_cnt_up": 4,
        "f_cnt_down": 4,
        "data_rate": 1,
        "tx_power": 1,
        "nb_trans": 1,
        "channels": 0,
        "rx1_dr_offset": 1,
        "rx2_data_rate": 1,
        "rx2_hz": FREQUENCY,
        "rx_delay_s": 1,
        "uplink_dwell": 1,
        "downlink_dwell": 1,
        "max_eirp_dbm": 1,
        "max_duty_cycle": 1,
        "adr_ack_count": 2,
        "sticky": FOPTS_MAX,
    },
    ClassCWindow: {"frequency_hz": FREQUENCY, "data_rate": 1, "start_us": INSTANT, "end_us": INSTANT},
    MulticastSession: {"address": 4, "nwk_s_key": KEY, "app_s_key": KEY, "f_cnt": 4, "f_cnt_end": 4, "class_c": 0},
    DeviceMemory: {"dev_nonce": 2, "join_nonce": 4, "activation": 0, "multicast": 0},
    Emission: {"frequency_hz": FREQUENCY, "data_rate": 1, "eirp_dbm": 1, "rx1": 5, "rx2": 5, "delay_s": 1},
    UplinkInProgress: {
        "phy": PHY_MAX + 1,
        "confirmed": 1,
        "token": 4,
        "joining": 1,
        "repeats_left": 1,
        "asks_time": 1,
        "until_us": INSTANT,
        "channel": 1,
        "emissions": 1,
        "start_us": INSTANT,
        "end_us": INSTANT,
        "rx1": INSTANT + 5,
        "rx2": INSTANT + 5,
        "close_us": INSTANT,
    },
    Hearing: {"window": 1, "until_us": INSTANT, "groups": 1},
    Listening: {"rounds_left": 1, "channels": 0, "until_us": INSTANT},
}
"""Bytes of each field.  0: what it points to has a row of its own."""


@dataclass(frozen=True, slots=True)
class Row:
    """So many things of so many bytes each, in RAM and in flash."""

    what: str
    count: int
    size: int
    ram: bool
    flash: bool

    @property
    def ram_bytes(self) -> int:
        """In the working memory."""
        return self.count * self.size if self.ram else 0

    @property
    def flash_bytes(self) -> int:
        """In the non-volatile memory, both copies."""
        return FLASH_COPIES * self.count * self.size if self.flash else 0


def budget(profile: DeviceProfile) -> tuple[Row, ...]:
    """All that the MAC remembers, with every group, channel and account in use."""

    def of(kind: type) -> int:
        return sum(WIDTHS[kind].values())

    keys = 1 + 2 + 2 * GROUPS
    return (
        Row("identity", 1, of(Identity), ram=False, flash=True),
        Row("nonces", 1, of(DeviceMemory), ram=True, flash=True),
        Row("session", 1, of(Activation), ram=True, flash=True),
        Row("channels", profile.channels_max, of(Channel), ram=True, flash=True),
        Row("multicast groups", GROUPS, of(MulticastSession) + of(ClassCWindow), ram=True, flash=True),
        Row("key schedules", keys, AES_SCHEDULE, ram=True, flash=False),
        Row("uplink in progress", 1, of(UplinkInProgress), ram=True, flash=False),
        Row("frame being received", 1, of(Hearing) + PHY_MAX + 1, ram=True, flash=False),
        Row("channels to listen to", profile.channels_max, of(Emission), ram=True, flash=False),
        Row("instants and flags of the procedure", 10, INSTANT, ram=True, flash=False),
        Row("listening", 1, of(Listening), ram=True, flash=False),
        Row("MAC commands that wait", 2, PHY_MAX + 1, ram=True, flash=False),
        Row("duty cycle accounts", ACCOUNTS * (SLOTS + 1), 4 + 4, ram=True, flash=False),
    )
