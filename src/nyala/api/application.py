"""The web application: API under /api/v1, the portal, health and metrics."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from nyala import __version__
from nyala.api import describe, describe_alarms, metrics, problems
from nyala.api.fleet import is_heard
from nyala.api.live import LiveHub
from nyala.api.routes import (
    alarms,
    bills,
    blocks,
    campaigns,
    commands,
    completeness,
    config_orders,
    configuration,
    fleet,
    gateways,
    groups,
    health,
    incidents,
    lives,
    lorawan,
    meters,
    models,
    notifications,
    reads,
    session,
)
from nyala.api.shapes.commands import CommandOut
from nyala.api.shapes.session import HealthOut
from nyala.api.state import ApiState
from nyala.app import Centre
from nyala.headend.alarms import severity_counts
from nyala.headend.commands import CommandRow
from nyala.headend.ports import AlarmChange
from nyala.headend.registry import MeterState
from nyala.store import commands as stored_commands
from nyala.vocab.errors import UnknownError
from nyala.vocab.time import US_PER_S

PREFIX: Final = "/api/v1"
STATIC: Final = Path(str(files("nyala.api").joinpath("static")))
SECURITY: Final = (
    (b"content-security-policy", b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
)
"""Headers of every response."""
NO_PORTAL: Final = "<!doctype html><title>nyala</title><p>The portal is not built: run <code>make setup-demo</code>."


class SecurityHeaders:
    """Adds `SECURITY` to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def with_headers(message: dict) -> None:  # type: ignore[type-arg]
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SECURITY]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)  # type: ignore[arg-type]


def create_app(state: ApiState) -> FastAPI:
    """The application over a state."""
    app = FastAPI(title="nyala", version=__version__, docs_url=None, redoc_url=None, openapi_url=f"{PREFIX}/openapi.json")
    app.state.nyala = state
    app.add_middleware(SecurityHeaders)
    problems.install(app)
    api = APIRouter(prefix=PREFIX)
    for routes in (
        session,
        fleet,
        completeness,
        health,
        gateways,
        meters,
        lorawan,
        models,
        commands,
        config_orders,
        configuration,
        alarms,
        incidents,
        notifications,
        bills,
        lives,
        groups,
        campaigns,
        blocks,
        reads,
    ):
        api.include_router(routes.router)
    app.include_router(api)
    _install_system(app, state)
    _install_portal(app)
    if state.centre is not None:
        feed_live(state, state.centre)
    return app


def _install_system(app: FastAPI, state: ApiState) -> None:
    @app.get("/health", tags=["system"])
    def get_health() -> HealthOut:
        """Whether the process lives and its store answers."""
        with state.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
        count = 0 if state.centre is None else len(state.centre.registry)
        return HealthOut(status="ok", version=__version__, now_s=state.now_s, meters=count)

    @app.get("/metrics", tags=["system"], include_in_schema=False)
    async def get_metrics() -> Response:
        """Prometheus metrics; empty where no centre runs in this process."""
        body = b"" if state.centre is None else metrics.text_of(state.centre)
        return Response(body, media_type="text/plain; version=0.0.4")


def _install_portal(app: FastAPI) -> None:
    if not (STATIC / "index.html").is_file():

        @app.get("/", include_in_schema=False)
        def get_missing() -> HTMLResponse:
            return HTMLResponse(NO_PORTAL, 503)

        return
    app.mount("/assets", StaticFiles(directory=STATIC / "assets"), name="assets")

    @app.get("/{path:path}", include_in_schema=False)
    def get_portal(path: str) -> FileResponse:
        """The portal's page for every address of its own."""
        if path.startswith("api/"):
            raise UnknownError("address", f"/{path}")
        file = (STATIC / path).resolve()
        inside = file.is_relative_to(STATIC.resolve()) and file.is_file()
        return FileResponse(file if inside else STATIC / "index.html", headers={"Cache-Control": "no-cache"})


def feed_live(state: ApiState, centre: Centre) -> None:
    """Connects a centre to the browsers that listen: what is stored is told."""

    def on_stored(states: list[MeterState], commands: list[CommandRow], changed: list[AlarmChange]) -> None:
        if len(state.hub):
            _publish(state, centre, states, commands)
            tell_alarms(state, centre, {change.meter_id for change in changed})

    centre.headend.listeners.append(on_stored)


def tell_alarms(state: ApiState, centre: Centre, meter_ids: set[int]) -> None:
    """Alarms of these meters moved."""
    for meter_id in meter_ids:
        state.hub.publish(centre.registry.meter(meter_id).tenant_id, meter_id, "alarm", {"meter_id": meter_id})


def _publish(state: ApiState, centre: Centre, states: list[MeterState], commands: list[CommandRow]) -> None:
    hub: LiveHub = state.hub
    tenants: set[int] = set()
    for shadow in states:
        record = centre.registry.meter(shadow.meter_id)
        tenants.add(record.tenant_id)
        if hub.wanted(record.tenant_id, record.id):
            live = describe.live_of(shadow)
            data = {
                "id": record.id,
                "last_heard_s": shadow.last_heard_us // US_PER_S or None,
                "live": None if live is None else live.model_dump(),
                "switch": describe.switch_of(record, shadow).model_dump(),
                "registers": [register.model_dump() for register in describe.registers_of(shadow)],
                "alarms": [alarm.model_dump() for alarm in describe_alarms.active_alarms(shadow)],
            }
            hub.publish(record.tenant_id, record.id, "meter", data)
    for command in commands:
        record = centre.registry.meter(command.meter_id)
        with state.engine.connect() as connection:
            steps = stored_commands.steps_of(connection, [command.id])[command.id]
        hub.publish(record.tenant_id, record.id, "command", CommandOut.of(command, steps).model_dump())
    for tenant in tenants:
        if hub.wanted(tenant, None):
            hub.publish(tenant, None, "fleet", _pulse(centre, tenant, state.now_us()))


def _pulse(centre: Centre, tenant: int, now_us: int) -> dict[str, object]:
    """How the fleet does right now."""
    fleet = [(record, centre.registry.state(record.id)) for record in centre.registry if record.tenant_id == tenant]
    heard = sum(1 for record, shadow in fleet if is_heard(record, shadow.last_heard_us, now_us))
    alarms = describe_alarms.counts_of(severity_counts(shadow for _, shadow in fleet))
    return {"heard": heard, "uplinks_per_minute": centre.headend.uplinks_per_minute(), "alarms": alarms.model_dump()}
