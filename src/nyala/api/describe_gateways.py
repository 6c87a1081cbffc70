"""Gateways as the API shows them: a line of the store and the state since the start, either of which may be missing."""

from collections.abc import Mapping

from nyala.api.shapes.gateways import GatewayLineOut, GatewayPositionOut, GatewaysOut, GatewayStatusOut
from nyala.gateway.known import Gateway, Status
from nyala.lorawan.network.port import TxResult
from nyala.store.gateways import GatewayLine
from nyala.vocab.identifiers import eui_text
from nyala.vocab.time import US_PER_S


def page_out(
    stored: Mapping[str, GatewayLine], live: Mapping[int, Gateway], after: str, limit: int, now_us: int
) -> GatewaysOut:
    """The page behind the EUI `after`.  `live` may change meanwhile in another thread: it is copied at once."""
    heard = {eui_text(eui): gateway for eui, gateway in list(live.items())}
    euis = sorted({*stored, *heard})
    page = [eui for eui in euis if eui > after][: limit + 1]
    items = [line_out(eui, stored.get(eui), heard.get(eui), now_us) for eui in page[:limit]]
    return GatewaysOut(items=items, next=items[-1].eui if len(page) > limit else None, total=len(euis))


def line_out(eui: str, stored: GatewayLine | None, live: Gateway | None, now_us: int) -> GatewayLineOut:
    """One gateway."""
    seen_us = [each.last_seen_us for each in (stored, live) if each is not None]
    frames = 0 if stored is None else stored.frames
    if live is None:
        return GatewayLineOut(
            eui=eui,
            last_seen_s=max(seen_us) // US_PER_S,
            frames=frames,
            state="unheard",
            link=None,
            address=None,
            software=None,
            not_taken=0,
            sent=0,
            not_sent={},
            warnings=0,
            status=None,
            position=None,
        )
    place = live.position
    return GatewayLineOut(
        eui=eui,
        last_seen_s=max(seen_us) // US_PER_S,
        frames=frames,
        state="online" if live.online(now_us) else "offline",
        link=live.link.value,
        address=live.address or None,
        software=live.software or None,
        not_taken=live.not_taken,
        sent=live.tx[TxResult.OK],
        not_sent={
            result.name: count for result, count in sorted(live.tx.copy().items()) if count and result is not TxResult.OK
        },
        warnings=live.tx_warnings,
        status=None if live.status is None else _status_out(live.status),
        position=None
        if place is None
        else GatewayPositionOut(
            latitude_deg=place.latitude_deg, longitude_deg=place.longitude_deg, altitude_m=place.altitude_m
        ),
    )


def _status_out(status: Status) -> GatewayStatusOut:
    return GatewayStatusOut(
        at_s=status.received_us // US_PER_S,
        rx=status.rx,
        rx_ok=status.rx_ok,
        rx_forwarded=status.rx_forwarded,
        acknowledged_percent=status.acknowledged_percent,
        downlinks=status.downlinks,
        transmitted=status.transmitted,
        temperature_c=status.temperature_c,
    )
