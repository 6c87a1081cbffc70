"""What `nyala serve` runs."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from nyala.serving import Serving, check_port
from nyala.store.engine import open_engine, upgrade
from nyala.store.lock import CentreLock
from nyala.vocab.time import US_PER_S


def now_us() -> int:
    """The wall clock, microseconds UTC."""
    return int(time.time() * US_PER_S)


def run_server(settings: dict[str, Any], say: Callable[[str], None]) -> None:
    """Serves a store until it is stopped."""
    check_port(settings["host"], settings["port"])
    engine = open_engine(settings["db"])
    with CentreLock(engine):
        upgrade(engine)
        asyncio.run(_serve(engine, settings, say))
    engine.dispose()


async def _serve(engine: Any, settings: dict[str, Any], say: Callable[[str], None]) -> None:
    serving = Serving(
        engine,
        now_us,
        host=settings["host"],
        port=settings["port"],
        udp_host=settings["udp_host"],
        udp_port=settings["udp_port"],
    )
    async with serving:
        say(f"nyala serves {serving.url}, gateways at udp {serving.udp_address[0]}:{serving.udp_address[1]}")
        say(f"{len(serving.centre.registry)} meters, {len(serving.centre.network.sessions)} sessions")
        await serving.until_stopped()
