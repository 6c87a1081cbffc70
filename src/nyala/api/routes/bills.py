"""Bills: months, list, one bill, the intervals behind a line, the bill run."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from nyala.api.auth import State, require
from nyala.api.permissions import Permission
from nyala.api.shapes.bills import (
    BillItemOut,
    BillLineOut,
    BillOut,
    BillRunOut,
    BillsOut,
    BillTariffOut,
    DemandOut,
    IntervalOut,
    IntervalsOut,
    MonthsOut,
    NewBillRun,
)
from nyala.billing import bill_json
from nyala.billing.run import open_line, run_month
from nyala.billing.tariff_file import check_tariff
from nyala.store import bills, meters, tariffs
from nyala.store.bills import PAGE_MAX, TenantBills
from nyala.store.users import User

router = APIRouter(prefix="/bills", tags=["bills"])
Reader = Annotated[User, Depends(require(Permission.READ_BILLS))]


@router.get("/months")
def get_months(user: Reader, state: State) -> MonthsOut:
    """Months that have bills, newest first."""
    with state.engine.connect() as connection:
        return MonthsOut(items=bills.months(connection, user.tenant_id))


@router.get("")
def get_bills(
    user: Reader,
    state: State,
    month: Annotated[str, Query(pattern=r"^\d{4}-\d{2}$")],
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> BillsOut:
    """The newest version of each bill of a month."""
    with state.engine.connect() as connection:
        found, following, total = bills.list_bills(connection, user.tenant_id, month, after=after, limit=limit)
    items = [BillLineOut.model_validate(line, from_attributes=True) for line in found]
    return BillsOut(items=items, next=None if following is None else str(following), total=total)


@router.get("/{bill_id}")
def get_bill(bill_id: int, user: Reader, state: State) -> BillOut:
    """One bill with its lines."""
    with state.engine.connect() as connection:
        row = bills.by_id(connection, user.tenant_id, bill_id)
        meter = meters.meter_of_tenant(connection, user.tenant_id, row.meter_id)
        text = tariffs.by_id(connection, row.tariff_id)
    made, tariff = bill_json.from_json(row.document), check_tariff(text.text, f"tariff {text.code}")
    demands = [each.demand for each in made.determinants if each.demand is not None]
    highest = min(demands, key=lambda demand: (-demand.power_w, demand.start_s), default=None)
    return BillOut(
        id=row.id,
        meter_id=row.meter_id,
        serial=meter.serial,
        customer=meter.customer,
        month=row.month,
        version=row.version,
        tariff=BillTariffOut(
            code=tariff.code, title=tariff.title, title_id=tariff.title_id, version=made.tariff_version.isoformat()
        ),
        total=f"{made.total:f}",
        currency=made.currency,
        energy_wh=row.energy_wh,
        estimated_wh=row.estimated_wh,
        zone=made.zone,
        start_s=made.start_s,
        end_s=made.end_s,
        created_s=row.created_s,
        lines=[
            BillItemOut(
                n=n,
                code=line.code,
                label_en=line.label_en,
                label_id=line.label_id,
                quantity=f"{line.quantity:f}",
                unit=line.unit,
                price=f"{line.price:f}",
                less=f"{line.less:f}",
                amount=f"{line.amount:f}",
                has_intervals=line.determinant is not None,
            )
            for n, line in enumerate(made.lines)
        ],
        max_demand=None if highest is None else DemandOut(w=highest.power_w, at_s=highest.start_s),
        inputs=len(made.inputs),
        ct_ratio=made.terms.ct_ratio,
    )


@router.get("/{bill_id}/lines/{line}/intervals")
def get_intervals(bill_id: int, line: int, user: Reader, state: State) -> IntervalsOut:
    """The intervals behind a line, from the load-day versions that the bill was computed with."""
    with state.engine.connect() as connection:
        row = bills.by_id(connection, user.tenant_id, bill_id)
    store = TenantBills(state.engine, user.tenant_id, state.now_s)
    found, sum_wh = open_line(store, row.tariff_id, row.document, line)
    columns = (found.start_s.tolist(), found.value_wh.tolist(), found.quality.tolist(), found.version.tolist())
    items = [IntervalOut(start_s=s, wh=w, quality=q, version=v) for s, w, q, v in zip(*columns, strict=True)]
    return IntervalsOut(items=items, sum_wh=sum_wh)


@router.post("/run")
async def post_run(
    wanted: NewBillRun, user: Annotated[User, Depends(require(Permission.RUN_BILLS))], state: State
) -> BillRunOut:
    """Bills every meter for a month that is over; meters that lack intervals are named and left out."""
    store = TenantBills(state.engine, user.tenant_id, state.now_s)
    result = await asyncio.to_thread(run_month, store, wanted.month, state.now_s)
    return BillRunOut(
        month=result.month,
        meters=result.meters,
        stored=result.stored,
        unchanged=result.unchanged,
        refused=result.refused,
    )
