"""A running server: the centre over a store, its ports for gateways, its web application.  Real sockets and threads.

`Serving` is an asynchronous context: inside it everything runs.  It is what `nyala serve` is, and the live part of the demo.
"""

import asyncio
import contextlib
import json
import signal
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import uvicorn
from sqlalchemy import Engine

from nyala import logs
from nyala.api.application import PREFIX, create_app, tell_alarms
from nyala.api.auth import COOKIE, hash_password
from nyala.api.state import ApiState
from nyala.app import Centre, settle_memory
from nyala.gateway.station import MESSAGE_MAX
from nyala.gateway.station_access import StationAccess
from nyala.headend.foreign.isolated import IsolatedEngine
from nyala.headend.foreign.sandbox import run_here, run_with
from nyala.headend.notify_loop import Notifier
from nyala.headend.notify_sender import Sender
from nyala.lorawan.network.plan import NetworkPlan
from nyala.store import users
from nyala.store.ingest import ThreadWriter
from nyala.store.notifications import Notifications
from nyala.vocab.errors import FileError, SurroundingsError

PROBE_TIMEOUT_S: Final = 20
STARTED_POLL_S: Final = 0.02
STARTED_POLLS: Final = 1_500
"""Half a minute for the web server to listen."""
STATION_PING_S: Final = 20.0
"""A station that is silent is asked after so long whether it is there, and has as long to answer."""
UNANSWERED_POLL_S: Final = 0.5
"""How often transmissions are looked through that no gateway said anything of."""


@dataclass(frozen=True, slots=True)
class StationPort:
    """Where Basics Stations connect; with TLS where a certificate (and its key) is given.  `port` 0: any free one."""

    host: str
    port: int
    cert: str | None = None
    key: str | None = None
    access: StationAccess = field(default_factory=StationAccess)

    def check(self) -> None:
        """FileError where certificate and key do not go together: to say so before the work begins."""
        if self.cert is not None:
            try:
                ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(self.cert, self.key)
            except (OSError, ssl.SSLError) as error:
                raise FileError(f"no certificate and key of a server: {error}", path=self.cert) from None


def bind(host: str, port: int) -> socket.socket:
    """A TCP socket on an address; SurroundingsError where the port is taken."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SurroundingsError(f"port {port} of {host}: {error.strerror}; choose another --port") from None
    return bound


def check_port(host: str, port: int) -> None:
    """SurroundingsError where a TCP port is taken: to say so before the work begins."""
    bind(host, port).close()


def people(engine: Engine, tenant: int, logins: Iterable[tuple[str, str]], password: str, now_s: int) -> None:
    """Adds users (name, role) with one password."""
    stored = hash_password(password)
    for name, role in logins:
        users.add(engine, tenant, name, stored, role, "en", now_s)


class _Web(uvicorn.Server):
    """uvicorn without its own signal handlers: whoever runs it says when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals alone."""
        yield


class Serving:
    """One process that serves a store."""

    def __init__(
        self,
        engine: Engine,
        now_us: Callable[[], int],
        *,
        host: str,
        port: int,
        udp_port: int,
        udp_host: str | None = None,
        stations: StationPort | None = None,
        bridges: Sequence[str] = (),
        plan: NetworkPlan | None = None,
        sender: Sender | None = None,
        slots: bool = False,
    ) -> None:
        self._slots = slots
        self._engine, self._now_us, self._host, self._port = engine, now_us, host, port
        self._udp_host, self._udp_port = udp_host or host, udp_port
        self._stations, self._bridges, self._plan = stations, bridges, plan
        self._sender = sender or Sender()
        self.centre: Centre
        self._codecs = IsolatedEngine()
        self.notifier: Notifier
        self._tasks: list[asyncio.Task[Any]] = []
        self._webs: list[_Web] = []

    @property
    def url(self) -> str:
        """Where the portal is."""
        host = "localhost" if self._host in ("127.0.0.1", "0.0.0.0", "::") else self._host  # noqa: S104 - compared only
        return f"http://{host}:{self._socket.getsockname()[1]}"

    @property
    def udp_address(self) -> tuple[str, int]:
        """Where gateways send."""
        address = self._transport.get_extra_info("sockname")
        return address[0], address[1]

    @property
    def station_url(self) -> str | None:
        """Where Basics Stations connect; None: nowhere."""
        if self._stations is None:
            return None
        host, port = self._station_socket.getsockname()[:2]
        return f"{'ws' if self._stations.cert is None else 'wss'}://{host}:{port}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        if self._stations is not None:
            self._stations.check()
        self._writer = ThreadWriter(self._engine)
        access = None if self._stations is None else self._stations.access
        self.centre = Centre(
            self._engine,
            self._writer,
            self._now_us,
            plan=self._plan,
            stations=access,
            bridges=self._bridges,
            slots=self._slots,
        )
        logs.watch(self.centre)
        settle_memory(for_good=True)
        try:
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: self.centre.udp, local_addr=(self._udp_host, self._udp_port)
            )
        except OSError as error:
            raise SurroundingsError(f"UDP port {self._udp_port} of {self._udp_host} is taken ({error.strerror})") from None
        state = ApiState(self._engine, self._now_us, self.centre)
        outbox = Notifications(self._engine)
        self.notifier = Notifier(outbox, self.centre.fleet(), self._sender, self._now_us, self._writer.run)
        self.notifier.listeners.append(lambda meter_ids: tell_alarms(state, self.centre, meter_ids))
        self._socket = bind(self._host, self._port)
        self._webs = [_Web(uvicorn.Config(create_app(state), log_level="warning", lifespan="off", ws="none"))]
        sockets = [self._socket]
        if self._stations is not None:
            self._station_socket = bind(self._stations.host, self._stations.port)
            self._webs.append(_Web(self._station_config(self._stations)))
            sockets.append(self._station_socket)
        webs = [web.serve(sockets=[bound]) for web, bound in zip(self._webs, sockets, strict=True)]
        self._tasks = [loop.create_task(work) for work in (self.centre.ingest.run(), self.notifier.run(), self._chase(), *webs)]
        for bridge in self.centre.bridges:
            bridge.start()
        for _ in range(STARTED_POLLS):
            if all(web.started for web in self._webs) or any(task.done() for task in self._tasks):
                break
            await asyncio.sleep(STARTED_POLL_S)
        self._raise_failures()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        if not all(web.started for web in self._webs):
            raise SurroundingsError(f"the web server does not listen on port {self._port}")
        run_with(self._codecs.run)
        return self

    def _station_config(self, stations: StationPort) -> uvicorn.Config:
        return uvicorn.Config(
            self.centre.stations,
            log_level="warning",
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=MESSAGE_MAX,
            ws_per_message_deflate=False,
            ws_ping_interval=STATION_PING_S,
            ws_ping_timeout=STATION_PING_S,
            ssl_certfile=stations.cert,
            ssl_keyfile=stations.key,
        )

    async def _chase(self) -> None:
        """Ends what gateways left unanswered, also when none of them says anything any more."""
        while True:
            await asyncio.sleep(UNANSWERED_POLL_S)
            self.centre.radio.expire(self._now_us())

    def _stop(self) -> None:
        for web in self._webs:
            web.should_exit = True

    def _raise_failures(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def until_stopped(self) -> int:
        """Until Ctrl-C or SIGTERM, or until the ingest fails; answers the exit code."""
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self._raise_failures()
        return 0

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run_with(run_here)
        self._codecs.close()
        self._stop()
        for bridge in self.centre.bridges:
            await bridge.stop()
        for task in self._tasks[: -len(self._webs)]:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self.notifier.close()
        self._transport.close()
        if kind is None or kind is asyncio.CancelledError:
            await self.centre.ingest.close_group(silent=True)
        self._writer.close()

    async def probe(self, name: str, password: str) -> list[str]:
        """Asks the running server over HTTP: health, a login, the fleet; answers a line each, raises where one fails."""
        return await asyncio.to_thread(self._probe, name, password)

    def _probe(self, name: str, password: str) -> list[str]:
        base = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        health = _get(f"{base}/health")
        login = json.dumps({"name": name, "password": password}).encode()
        request = urllib.request.Request(f"{base}{PREFIX}/session", login, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=PROBE_TIMEOUT_S) as answer:  # noqa: S310 - our own address
            cookie = answer.headers["Set-Cookie"].split(";")[0]
            user = json.load(answer)["user"]
        assert cookie.startswith(COOKIE)
        fleet = _get(f"{base}{PREFIX}/fleet", cookie)
        page = urllib.request.urlopen(base, timeout=PROBE_TIMEOUT_S).read()
        counts, energy = fleet["meters"], fleet["energy_today"]
        return [
            f"health {health['status']}, version {health['version']}, {health['meters']} meters",
            f"logged in as {user['name']} ({user['role']})",
            f"fleet: {counts['heard']} of {counts['total']} meters heard, {energy['import_wh']} Wh today",
            f"portal: {len(page)} bytes",
        ]


def _get(url: str, cookie: str = "") -> dict[str, Any]:
    request = urllib.request.Request(url, headers={"Cookie": cookie} if cookie else {})  # noqa: S310 - our own address
    with urllib.request.urlopen(request, timeout=PROBE_TIMEOUT_S) as answer:  # noqa: S310
        body: dict[str, Any] = json.load(answer)
        return body
