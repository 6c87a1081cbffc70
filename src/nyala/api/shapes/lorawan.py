"""The LoRaWAN side of a meter.  No key is ever in a response."""

from typing import Literal

from pydantic import BaseModel


class HeardByOut(BaseModel):
    """A gateway that heard the last uplinks, the best first."""

    gateway: str
    snr_db: float


class SessionOut(BaseModel):
    """An activation.  `f_cnt_up` is the next uplink counter expected, `f_cnt_down` the next downlink counter."""

    joined_s: int | None
    f_cnt_up: int
    f_cnt_down: int
    data_rate: str
    eirp_dbm: int
    repeats: int
    battery: int | None
    """0 external supply, 1-254 from empty to full, 255 not known; null: not asked yet."""
    margin_db: int | None
    """SNR of a downlink as the device heard it."""


class ReadmissionOut(BaseModel):
    """Somebody let the device join again.  `dev_nonce`: the last one that it had used, -1 for none."""

    at_s: int
    by: str
    dev_nonce: int
    refused_nonce: int | None


class LostOut(BaseModel):
    """Since when the device asks in vain to join, the nonce it asked with last, and the last one it had used."""

    since_s: int
    refused_nonce: int
    dev_nonce: int


class LorawanOut(BaseModel):
    """The device of a meter; `session` null: it has not joined, `needs_readmission` null: it does not."""

    dev_eui: str
    join_eui: str
    dev_addr: str
    version: str
    device_class: Literal["A", "C"]
    session: SessionOut | None
    heard_by: list[HeardByOut]
    rssi_dbm: float | None
    """Of the last uplink, at the best gateway."""
    needs_readmission: LostOut | None
    readmissions: list[ReadmissionOut]
