"""Gateways: what the store knows of each, and what it said and did since the start."""

from typing import Literal

from pydantic import BaseModel


class GatewayStatusOut(BaseModel):
    """A packet forwarder's own counters, between its last two reports."""

    at_s: int
    rx: int
    rx_ok: int
    rx_forwarded: int
    acknowledged_percent: float
    downlinks: int
    transmitted: int
    temperature_c: float | None


class GatewayPositionOut(BaseModel):
    """Where a gateway says that it stands."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float


class GatewayLineOut(BaseModel):
    """A gateway.  `frames` since it was first heard; what follows `state` since the start, null or 0 where it was not heard."""

    eui: str
    last_seen_s: int
    frames: int
    state: Literal["online", "offline", "unheard"]
    """Whether a downlink can reach it; unheard: it said nothing since the start."""
    link: Literal["semtech-udp", "basics-station"] | None
    address: str | None
    software: str | None
    not_taken: int
    """Frames without a good CRC, of another modulation, or that could not be read."""
    sent: int
    not_sent: dict[str, int]
    """By the result that the gateway gave, or NO_ANSWER, NO_PATH."""
    warnings: int
    status: GatewayStatusOut | None
    position: GatewayPositionOut | None


class GatewaysOut(BaseModel):
    """A page of gateways, by EUI."""

    items: list[GatewayLineOut]
    next: str | None
    total: int
