"""Gateways in the store."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from nyala.store import schema


@dataclass(frozen=True, slots=True)
class GatewayLine:
    """A gateway as lists show it."""

    eui: str
    last_seen_us: int
    frames: int


def all_gateways(connection: Connection) -> list[GatewayLine]:
    """All gateways that were ever heard, by EUI."""
    gateway = schema.gateway
    query = select(gateway.c.eui, gateway.c.last_seen_us, gateway.c.frames).order_by(gateway.c.eui)
    return [GatewayLine(*row) for row in connection.execute(query)]
