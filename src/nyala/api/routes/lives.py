"""The lives of meters: looking, activating, suspending, removing, exchanging, and files of new meters."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends

from nyala.api.auth import State, require
from nyala.api.permissions import Permission
from nyala.api.shapes.lives import (
    CheckOut,
    ExchangeAsked,
    ExchangeIn,
    ExchangeLooked,
    ExchangeOut,
    ImportedOut,
    LifeOut,
    LifeSaid,
    LifeStepOut,
    MetersIn,
    RegisterAsked,
    SideOut,
)
from nyala.api.state import ApiState
from nyala.headend.command_life import CommandState
from nyala.headend.commands import Kind
from nyala.headend.exchange import Exchange, leads_to, weighed
from nyala.headend.foreign.mapping import foreign_model, foreign_models
from nyala.headend.lifecycle import Evidence, Life, LifeEvent, check, moves
from nyala.headend.onboarding import read_file
from nyala.headend.profile import profile_of
from nyala.headend.registry import MeterRecord, MeterState
from nyala.meter.model import MODELS, meter_model
from nyala.store import commands, lifecycle, meters
from nyala.store import groups_of_meters as groups
from nyala.store.users import User
from nyala.vocab.errors import BadArgumentError, CallerError, ConflictError, UnknownError
from nyala.vocab.quantities import register
from nyala.vocab.time import US_PER_S

router = APIRouter(prefix="/meters", tags=["meters"])
Reader = Annotated[User, Depends(require(Permission.READ_METERS))]
Keeper = Annotated[User, Depends(require(Permission.MANAGE_METERS))]
_SWITCH = (Kind.SWITCH_OPEN, Kind.SWITCH_CLOSE)


def _record(state: ApiState, user: User, meter_id: int) -> MeterRecord:
    with state.engine.connect() as connection:
        return meters.meter_of_tenant(connection, user.tenant_id, meter_id)


def _evidence(state: ApiState, record: MeterRecord) -> Evidence:
    with state.engine.connect() as connection:
        shadow = meters.state_of_meter(connection, record.id) or MeterState(record.id)
        answered = any(
            c.kind in _SWITCH and c.state is CommandState.VERIFIED for c in commands.commands_of(connection, record.id)
        )
    centre = state.centre
    session = None if centre is None else centre.network.sessions.of_device(record.dev_eui)
    return Evidence(
        state=shadow,
        joined=bool(shadow.via) or session is not None,
        has_switch=foreign_model(record.model) is None and meter_model(record.model).supply_switch,
        switch_verified=answered or shadow.switch_state is not None,
        clock_s=shadow.live_at_s - shadow.last_heard_us // US_PER_S if shadow.live_at_s else None,
    )


def _shown(state: ApiState, record: MeterRecord) -> LifeOut:
    with state.engine.connect() as connection:
        row, steps = lifecycle.life_of(connection, record.id), lifecycle.steps_of(connection, record.id)
        exchanges = lifecycle.exchanges_of(connection, record.id)
    checks = check(_evidence(state, record)) if row.state in (Life.IN_STOCK, Life.COMMISSIONING) else []
    return LifeOut(
        meter_id=record.id,
        state=row.state.value,
        since_s=row.since_us // US_PER_S or None,
        ended_s=row.ended_s,
        checks=[CheckOut(name=each.name, holds=each.holds, seen=each.seen) for each in checks],
        steps=[
            LifeStepOut(
                event=each.event.value,
                state=each.state.value,
                at_s=each.at_s,
                recorded_s=each.recorded_us // US_PER_S,
                by=each.by,
                reason=each.reason,
            )
            for each in steps
        ],
        exchanges=[
            ExchangeOut(
                old_meter_id=each.old_meter_id,
                new_meter_id=each.new_meter_id,
                at_s=each.at_s,
                final=each.final,
                start=each.start,
                by=each.by,
                reason=each.reason,
            )
            for each in exchanges
        ],
        moves=[each.value for each in moves(row.state)],
    )


@router.get("/{meter_id}/life")
def get_life(meter_id: int, user: Reader, state: State) -> LifeOut:
    """Where a meter stands in its life, how it came there, and what commissioning still wants."""
    return _shown(state, _record(state, user, meter_id))


@router.post("/{meter_id}/life")
async def post_life(meter_id: int, said: LifeSaid, user: Keeper, state: State) -> LifeOut:
    """Activates, suspends, resumes or removes a meter; a conflict where that does not fit, or a check does not hold."""
    record, event = _record(state, user, meter_id), LifeEvent(said.event)
    at_s = state.now_s if said.at_s is None else said.at_s
    if at_s > state.now_s:
        raise BadArgumentError("the instant is still to come")
    centre = state.running
    if event is LifeEvent.ACTIVATE and not said.despite_checks:
        bad = [f"{each.name} ({each.seen})" for each in check(_evidence(state, record)) if not each.holds]
        if bad:
            raise ConflictError(f"meter {record.serial} is not ready: {', '.join(bad)}")
    centre.say_life(meter_id, event, at_s=at_s, by=user.name, reason=said.reason)
    await centre.ingest.stored()
    return _shown(state, record)


@router.post("/{meter_id}/exchange")
async def post_exchange(meter_id: int, said: ExchangeIn, user: Keeper, state: State) -> LifeOut:
    """Puts another meter in the place of this one; answers the life of the new one."""
    old = _record(state, user, meter_id)
    try:
        new = _record(state, user, said.new_meter_id)
    except UnknownError as error:
        raise BadArgumentError(f"new_meter_id: {error}") from None
    centre = state.running
    order = Exchange(old, new, said.at_s, said.final, said.start, state.now_us(), user.name, said.reason)
    done = centre.exchange(order)
    await centre.ingest.stored()
    return _shown(state, done.new)


@router.post("/{meter_id}/exchange/look")
async def post_exchange_look(meter_id: int, said: ExchangeAsked, user: Keeper, state: State) -> ExchangeLooked:
    """What an exchange would ask and do; nothing changes."""
    old, centre = _record(state, user, meter_id), state.running
    try:
        with state.engine.connect() as connection:
            new = meters.meter_of_serial(connection, user.tenant_id, said.new_serial.strip())
    except UnknownError as error:
        raise BadArgumentError(f"new_serial: {error}") from None
    order, refused, estimated = Exchange(old, new, said.at_s, said.final, said.start, state.now_us(), user.name, ""), "", {}
    try:
        estimated = weighed(centre.headend.book, centre.lives, order)
    except CallerError as error:
        refused = str(error)
    return ExchangeLooked(
        old=_side(state, old, said.at_s),
        new=_side(state, new, None),
        edge_s=said.at_s - said.at_s % max(old.period_s, new.period_s),
        refused=refused,
        estimated=estimated,
    )


def _side(state: ApiState, record: MeterRecord, until_s: int | None) -> SideOut:
    """One meter of an exchange.  `until_s`: the instant to which its intervals are followed."""
    centre, asked = state.running, []
    followed = until_s is not None and record.installed_s < until_s <= state.now_s and until_s % record.period_s == 0
    with state.engine.connect() as connection:
        shadow = meters.state_of_meter(connection, record.id) or MeterState(record.id)
    for channel in profile_of(record):
        name = register(channel).name
        last_wh, last_s = shadow.registers.get(name, (None, None))
        led_wh = leads_to(centre.headend.book, record, channel, until_s) if followed and until_s is not None else None
        asked.append(RegisterAsked(name=name, last_wh=last_wh, last_s=last_s, leads_to_wh=led_wh))
    life = centre.lives.of(record.id).state.value
    return SideOut(meter_id=record.id, serial=record.serial, model=record.model, state=life, registers=asked)


@router.post("/import")
async def post_import(said: MetersIn, user: Keeper, state: State) -> ImportedOut:
    """Onboards a CSV or JSON file of meters, or, with `dry_run`, only says what is wrong.  A bad row: nothing is taken."""
    reading = read_file(said.text, "file", (*MODELS, *foreign_models()), state.now_s)
    new = reading.meters
    if said.template:
        with state.engine.connect() as connection:
            template = groups.template_named(connection, user.tenant_id, said.template)
        new = tuple(
            replace(
                meter,
                period_s=template.period_min * 60,
                report_s=template.report_min * 60,
                tariff=meter.tariff or template.tariff,
                zone=template.zone,
            )
            for meter in new
        )
    errors = [str(error) for error in reading.errors]
    if errors or said.dry_run or not new:
        return ImportedOut(meters=len(new), taken=False, errors=errors)
    state.running.onboard(user.tenant_id, new)
    return ImportedOut(meters=len(new), taken=True, errors=[])
