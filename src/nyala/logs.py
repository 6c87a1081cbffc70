"""Log lines: what was refused, by whom and why, one line each.

The core logs nothing: it gives events.  `watch` turns those of a centre into lines, at most `LINES_PER_MINUTE` of them, so
that a flood of bad frames fills counters and not disks.
"""

from collections.abc import Callable
from typing import Final

import structlog

from nyala.app import Centre
from nyala.headend.service import RefusedTelegram
from nyala.lorawan.network.port import Refusal, Refused
from nyala.vocab.identifiers import eui_text

LINES_PER_MINUTE: Final = 60
QUIET: Final = frozenset((Refusal.REPEATED,))
"""Ordinary on the air: counted, not told."""
MINUTE_US: Final = 60_000_000


class _Limit:
    """How many lines may still be written in this minute."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us, self._minute, self._left, self.dropped = now_us, 0, LINES_PER_MINUTE, 0

    def allows(self) -> bool:
        minute = self._now_us() // MINUTE_US
        if minute != self._minute:
            self._minute, self._left = minute, LINES_PER_MINUTE
        self._left -= 1
        self.dropped += self._left < 0
        return self._left >= 0


def watch(centre: Centre) -> None:
    """Logs what a centre refuses."""
    log, limit = structlog.get_logger("nyala"), _Limit(centre.now_us)

    def on_frame(refused: Refused) -> None:
        if refused.reason not in QUIET and limit.allows():
            gateways = [eui_text(reception.gateway) for reception in refused.receptions]
            log.warning("uplink refused", reason=refused.reason.value, detail=refused.detail, gateways=gateways)

    def on_telegram(refused: RefusedTelegram) -> None:
        if limit.allows():
            log.warning(
                "telegram refused",
                meter=refused.serial,
                port=refused.port,
                payload=refused.payload.hex(),
                detail=refused.detail,
            )

    def on_gateway(reason: str, detail: str) -> None:
        if limit.allows():
            log.warning("gateway message refused", reason=reason, detail=detail)

    centre.ingest.refused.append(on_frame)
    centre.headend.refused.append(on_telegram)
    centre.udp.refused.append(on_gateway)
    centre.stations.refused.append(on_gateway)
    for bridge in centre.bridges:
        bridge.refused.append(on_gateway)
