"""Groups of meters by name, and templates for onboarding.  Not multicast groups: those are `groups`.

A fixed group lists its members; another one is a filter over site, model and tariff, looked at whenever it is used.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Select, func, select
from sqlalchemy.exc import IntegrityError

from nyala.headend.lifecycle import Life
from nyala.store import schema
from nyala.store.engine import writing
from nyala.store.schema_lives import meter_group, meter_group_member, meter_life, meter_template
from nyala.vocab.errors import BadArgumentError, ConflictError, UnknownError

GROUPS_MAX: Final = 1_000
"""Groups of one tenant, as templates: more are not found in a list any more."""
MEMBERS_MAX: Final = 100_000
PLACED: Final = (Life.COMMISSIONING, Life.ACTIVE, Life.SUSPENDED)
"""A meter in one of these states is on a wall: it can be ordered something."""
_meter = schema.meter


@dataclass(frozen=True, slots=True)
class Group:
    """A group.  Without `fixed`: the meters that fit `site`, `model` and `tariff`, where each is said."""

    id: int
    tenant_id: int
    name: str
    fixed: bool
    site: str = ""
    model: str = ""
    tariff: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """What the meters of an onboarding file are where the file does not say."""

    name: str
    period_min: int
    report_min: int
    tariff: str
    zone: str


def add_group(engine: Engine, group: Group, meter_ids: Iterable[int], *, by: str, now_us: int) -> Group:
    """Adds a group; ConflictError where the name is taken, UnknownError for a meter of nobody or a neighbour."""
    wanted = sorted(set(meter_ids))
    if group.fixed != bool(wanted) or len(wanted) > MEMBERS_MAX:
        raise BadArgumentError(f"a group has 1 to {MEMBERS_MAX} meters listed, or a filter")
    with writing(engine) as connection:
        _room(connection, meter_group, group.tenant_id)
        _refuse_strange(connection, group.tenant_id, wanted)
        values = {name: getattr(group, name) for name in ("tenant_id", "name", "fixed", "site", "model", "tariff")}
        made = _added(connection, meter_group, values | {"created_us": now_us, "created_by": by}, f"group {group.name!r}")
        if wanted:
            connection.execute(meter_group_member.insert(), [{"group_id": made, "meter_id": each} for each in wanted])
    return Group(made, group.tenant_id, group.name, group.fixed, group.site, group.model, group.tariff)


def _room(connection: Connection, table: Any, tenant: int) -> None:
    count = connection.scalar(select(func.count()).select_from(table).where(table.c.tenant_id == tenant)) or 0
    if count >= GROUPS_MAX:
        raise ConflictError(f"there are {count} already")


def _added(connection: Connection, table: Any, values: dict[str, Any], what: str) -> int:
    try:
        return int(connection.execute(table.insert().values(**values)).inserted_primary_key[0])  # type: ignore[index]
    except IntegrityError as error:
        raise ConflictError(f"{what} is there already") from error


def groups_of(connection: Connection, tenant: int) -> list[Group]:
    """All groups of a tenant by name."""
    query = select(meter_group).where(meter_group.c.tenant_id == tenant).order_by(meter_group.c.name)
    return [_group_of(row) for row in connection.execute(query).mappings()]


def group_by_id(connection: Connection, tenant: int, group_id: int) -> Group:
    """A group; UnknownError also for one of a neighbour."""
    query = select(meter_group).where(meter_group.c.id == group_id, meter_group.c.tenant_id == tenant)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise UnknownError("group", group_id)
    return _group_of(row)


def _group_of(row: Any) -> Group:
    return Group(*(row[name] for name in ("id", "tenant_id", "name", "fixed", "site", "model", "tariff")))


def members_of(connection: Connection, group: Group) -> list[int]:
    """The meters of a group that are on a wall, by serial number."""
    return list(connection.scalars(members(group).order_by(_meter.c.serial)))


def members(group: Group) -> Select[Any]:
    """The ids of the meters of a group that are on a wall, as a query; a filter may be a group that nobody has stored."""
    query = _placed(group.tenant_id)
    if group.fixed:
        query = query.join(meter_group_member, meter_group_member.c.meter_id == _meter.c.id)
        query = query.where(meter_group_member.c.group_id == group.id)
    for name in ("site", "model", "tariff"):
        wanted = getattr(group, name)
        if wanted:
            query = query.where(_meter.c[name] == wanted)
    return query


def _placed(tenant: int) -> Select[Any]:
    query = select(_meter.c.id).outerjoin(meter_life, meter_life.c.meter_id == _meter.c.id)
    state = func.coalesce(meter_life.c.state, Life.ACTIVE.value)
    return query.where(_meter.c.tenant_id == tenant, state.in_([each.value for each in PLACED]))


def placed_of(connection: Connection, tenant: int, meter_ids: Iterable[int]) -> list[int]:
    """Those of a list of meters that are on a wall, by serial number; UnknownError for a meter of nobody or a neighbour."""
    wanted = set(meter_ids)
    _refuse_strange(connection, tenant, wanted)
    return [each for each in connection.scalars(_placed(tenant).order_by(_meter.c.serial)) if each in wanted]


def _refuse_strange(connection: Connection, tenant: int, wanted: Iterable[int]) -> None:
    known = set(connection.scalars(select(_meter.c.id).where(_meter.c.tenant_id == tenant)))
    strange = next((each for each in wanted if each not in known), None)
    if strange is not None:
        raise UnknownError("meter", strange)


def by_serials(connection: Connection, tenant: int, serials: Iterable[str]) -> tuple[list[int], list[str]]:
    """(meters, serial numbers that nobody of the tenant has) of a list of serial numbers, each said once, in its order."""
    rows = connection.execute(select(_meter.c.serial, _meter.c.id).where(_meter.c.tenant_id == tenant))
    known = {serial: meter_id for serial, meter_id in rows}  # noqa: C416 - rows are no tuples to mypy
    said = list(dict.fromkeys(serials))
    return [known[each] for each in said if each in known], [each for each in said if each not in known]


# -- templates


def add_template(engine: Engine, tenant: int, template: Template) -> None:
    """Adds a template; ConflictError where the name is taken."""
    values = {name: getattr(template, name) for name in Template.__slots__}
    with writing(engine) as connection:
        _room(connection, meter_template, tenant)
        _added(connection, meter_template, values | {"tenant_id": tenant}, f"template {template.name!r}")


def templates_of(connection: Connection, tenant: int) -> list[Template]:
    """All templates of a tenant by name."""
    query = select(*(meter_template.c[name] for name in Template.__slots__))
    found = connection.execute(query.where(meter_template.c.tenant_id == tenant).order_by(meter_template.c.name))
    return [Template(*row) for row in found]


def template_named(connection: Connection, tenant: int, name: str) -> Template:
    """A template by name; UnknownError."""
    found = next((each for each in templates_of(connection, tenant) if each.name == name), None)
    if found is None:
        raise UnknownError("template", name)
    return found
