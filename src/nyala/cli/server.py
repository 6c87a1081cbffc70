"""What `nyala serve` runs."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from nyala.gateway.station_access import StationAccess, read_access
from nyala.headend.foreign.mapping import add_models
from nyala.headend.notify_sender import Sender, mail_server
from nyala.lorawan.network.plan import network_plan
from nyala.serving import Serving, StationPort, check_port
from nyala.store.engine import open_engine, upgrade
from nyala.store.lock import CentreLock
from nyala.telegram.warm import warm
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import US_PER_S

MAIL_PASSWORD: Final = "NYALA_MAIL_PASSWORD"  # noqa: S105 - the name of a variable


def now_us() -> int:
    """The wall clock, microseconds UTC."""
    return int(time.time() * US_PER_S)


def run_server(settings: dict[str, Any], say: Callable[[str], None]) -> None:
    """Serves a store until it is stopped."""
    check_port(settings["host"], settings["port"])
    stations = _stations(settings)
    if settings["codecs"] is not None:
        add_models(Path(settings["codecs"]))
    _sender(settings)  # to say what is wrong before the work begins
    engine = open_engine(settings["db"], key_file=settings["key_file"])
    with CentreLock(engine):
        upgrade(engine)
        warm()  # here, and not in the first group of frames
        asyncio.run(_serve(engine, settings, stations, say))
    engine.dispose()


def _stations(settings: dict[str, Any]) -> StationPort | None:
    if settings["station_port"] is None:
        return None
    cert, key, access = (settings[name] for name in ("station_cert", "station_key", "stations"))
    if (cert is None) != (key is None):
        raise BadArgumentError("station_cert and station_key go together")
    allowed = StationAccess() if access is None else read_access(Path(access))
    port = StationPort(settings["station_host"], settings["station_port"], cert, key, allowed)
    port.check()
    return port


def _sender(settings: dict[str, Any]) -> Sender:
    """How notifications leave.  The password of the mail server is in the environment, not on the command line."""
    said = settings["mail_server"]
    mail = None if said is None else mail_server(said, settings["mail_from"], os.environ.get(MAIL_PASSWORD, ""))
    return Sender(mail, private=settings["webhook_private"])


async def _serve(engine: Any, settings: dict[str, Any], stations: StationPort | None, say: Callable[[str], None]) -> None:
    serving = Serving(
        engine,
        now_us,
        host=settings["host"],
        port=settings["port"],
        udp_host=settings["udp_host"],
        udp_port=settings["udp_port"],
        stations=stations,
        bridges=settings["bridge"],
        plan=network_plan(settings["network"]),
        sender=_sender(settings),
        slots=settings["slots"],
    )
    async with serving:
        say(f"nyala serves {serving.url}, gateways at udp {serving.udp_address[0]}:{serving.udp_address[1]}")
        if serving.station_url is not None:
            say(f"Basics Stations at {serving.station_url}, {serving.centre.stations.access}")
        say(f"{len(serving.centre.registry)} meters, {len(serving.centre.network.sessions)} sessions")
        await serving.until_stopped()
