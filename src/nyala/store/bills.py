"""Bills in the store.  A bill is never changed: another run of the same month makes a next version, if anything differs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select

from nyala.billing.run import Account, NewBill
from nyala.mdm.load_day import Key, LoadDay, from_row
from nyala.store import lifecycle, load_days, meters, schema, tariffs
from nyala.store.engine import writing
from nyala.vocab.errors import UnknownError
from nyala.vocab.quantities import Channel

PAGE_MAX: Final = 500
_bill, _meter = schema.bill, schema.meter


@dataclass(frozen=True, slots=True)
class BillRow:
    """A bill as it is stored; `document` is `nyala.billing.bill_json`."""

    id: int
    tenant_id: int
    meter_id: int
    month: str
    version: int
    tariff_id: int
    created_s: int
    total: str
    currency: str
    energy_wh: int
    estimated_wh: int
    document: dict[str, Any]


def add(engine: Engine, tenant: int, bills: Sequence[NewBill], now_s: int) -> int:
    """Stores bills; answers how many are new: one that equals the newest version of its month is not stored again."""
    stored = 0
    with writing(engine) as connection:
        for bill in bills:
            document = json.dumps(bill.document, sort_keys=True, separators=(",", ":"))
            newest = connection.execute(
                select(_bill.c.version, _bill.c.document)
                .where(_bill.c.meter_id == bill.meter_id, _bill.c.month == bill.month)
                .order_by(_bill.c.version.desc())
                .limit(1)
            ).first()
            if newest is not None and newest.document == document:
                continue
            connection.execute(
                _bill.insert().values(
                    tenant_id=tenant,
                    meter_id=bill.meter_id,
                    month=bill.month,
                    version=1 if newest is None else newest.version + 1,
                    tariff_id=bill.tariff_id,
                    created_s=now_s,
                    total=bill.total,
                    currency=bill.currency,
                    energy_wh=bill.energy_wh,
                    estimated_wh=bill.estimated_wh,
                    document=document,
                )
            )
            stored += 1
    return stored


def months(connection: Connection, tenant: int) -> list[str]:
    """The months that have bills, newest first."""
    query = select(_bill.c.month).where(_bill.c.tenant_id == tenant).distinct().order_by(_bill.c.month.desc())
    return list(connection.scalars(query))


@dataclass(frozen=True, slots=True)
class BillLine:
    """A bill as a list shows it."""

    id: int
    meter_id: int
    serial: str
    customer: str
    month: str
    version: int
    tariff: str
    total: str
    currency: str
    energy_wh: int
    estimated_wh: int
    ct_ratio: tuple[int, int]


def list_bills(
    connection: Connection, tenant: int, month: str, *, after: int = 0, limit: int = 50
) -> tuple[list[BillLine], int | None, int]:
    """The newest version of each bill of a month, by id after the cursor; the cursor of the next page; how many in all."""
    limit = min(max(limit, 1), PAGE_MAX)
    newest = (
        select(_bill.c.meter_id, func.max(_bill.c.version).label("version"))
        .where(_bill.c.tenant_id == tenant, _bill.c.month == month)
        .group_by(_bill.c.meter_id)
        .subquery()
    )
    query = (
        select(
            _bill.c.id,
            _bill.c.meter_id,
            _meter.c.serial,
            _meter.c.customer,
            _bill.c.month,
            _bill.c.version,
            schema.tariff.c.code,
            _bill.c.total,
            _bill.c.currency,
            _bill.c.energy_wh,
            _bill.c.estimated_wh,
            _meter.c.ct_primary,
            _meter.c.ct_secondary,
        )
        .join(newest, (newest.c.meter_id == _bill.c.meter_id) & (newest.c.version == _bill.c.version))
        .join(_meter, _meter.c.id == _bill.c.meter_id)
        .join(schema.tariff, schema.tariff.c.id == _bill.c.tariff_id)
        .where(_bill.c.tenant_id == tenant, _bill.c.month == month, _bill.c.id > after)
        .order_by(_bill.c.id)
        .limit(limit + 1)
    )
    found = [BillLine(*meters.with_ratio(row)) for row in connection.execute(query)]
    total = connection.scalar(select(func.count()).select_from(newest)) or 0
    return found[:limit], found[limit - 1].id if len(found) > limit else None, total


def by_id(connection: Connection, tenant: int, bill_id: int) -> BillRow:
    """A bill of a tenant; UnknownError also for one of a neighbour."""
    query = select(_bill).where(_bill.c.id == bill_id, _bill.c.tenant_id == tenant)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise UnknownError("bill", bill_id)
    return BillRow(**{**row, "document": json.loads(row["document"])})


def of_meter(connection: Connection, meter_id: int, month: str, version: int | None = None) -> BillRow:
    """A bill of a meter and month, the newest version where none is named; UnknownError."""
    query = select(_bill).where(_bill.c.meter_id == meter_id, _bill.c.month == month)
    if version is not None:
        query = query.where(_bill.c.version == version)
    row = connection.execute(query.order_by(_bill.c.version.desc()).limit(1)).mappings().first()
    if row is None:
        raise UnknownError("bill", f"of meter {meter_id} for {month}")
    return BillRow(**{**row, "document": json.loads(row["document"])})


class TenantBills:
    """The store as a bill run of one tenant sees it, and as one who opens a bill sees it."""

    def __init__(self, engine: Engine, tenant: int, now_s: int) -> None:
        self._engine, self._tenant, self._now_s = engine, tenant, now_s

    def accounts(self) -> list[Account]:
        """All meters of the tenant that count, or have counted, with their terms."""
        with self._engine.connect() as connection:
            until = lifecycle.uncounted(connection)
            return [
                Account(m.id, m.serial, m.tariff, m.zone, m.contracted_va, m.ct_ratio, m.installed_s, until.get(m.id))
                for m in meters.load_records(connection)
                if m.tenant_id == self._tenant and until.get(m.id) != 0
            ]

    def tariff(self, code: str) -> tuple[int, str]:
        """Id and text of the newest tariff of a code."""
        with self._engine.connect() as connection:
            found = tariffs.newest_of(connection, self._tenant, code)
            return found.id, found.text

    def load_days(self, meter_id: int, first: int, until: int) -> list[LoadDay]:
        """The import of UTC days first..until-1."""
        with self._engine.connect() as connection:
            return [from_row(row) for row in load_days.of_meter(connection, meter_id, [Channel.IMPORT], first, until)]

    def add(self, made: Sequence[NewBill]) -> int:
        """Stores bills."""
        return add(self._engine, self._tenant, made, self._now_s)

    def tariff_text(self, tariff_id: int) -> str:
        """The tariff that a bill was computed with."""
        with self._engine.connect() as connection:
            return tariffs.by_id(connection, tariff_id).text

    def versions(self, wanted: Sequence[tuple[Key, int]]) -> list[LoadDay]:
        """Load days as they were at these versions."""
        with self._engine.connect() as connection:
            return [from_row(row) for row in load_days.of_versions(connection, wanted)]
