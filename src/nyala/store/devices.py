"""The LoRaWAN side of a meter as a page shows it, without its keys; and re-admission where no centre runs."""

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select

from nyala.headend.ports import Changes
from nyala.lorawan.network import nonces
from nyala.lorawan.network.sessions import HeardBy, Readmission
from nyala.store import rows, schema
from nyala.store.ingest import InlineWriter
from nyala.store.keys import ring_of
from nyala.vocab.errors import UnknownError
from nyala.vocab.identifiers import eui_text

READMISSIONS_MAX: Final = 20
"""Re-admissions that a page shows, the newest."""
_meter, _device, _session, _readmission = schema.meter, schema.lorawan_device, schema.lorawan_session, schema.readmission


@dataclass(frozen=True, slots=True)
class Device:
    """A device and its session; `settings` None: it has not joined.  `f_cnt_*`: the next counters."""

    dev_eui: int
    join_eui: int
    dev_addr: int
    version: str
    class_c: bool
    dev_nonce: int
    joined_us: int | None
    refused_us: int | None
    refused_nonce: int | None
    f_cnt_up: int = 0
    f_cnt_down: int = 0
    settings: dict[str, Any] | None = None
    heard_by: HeardBy = ()
    readmissions: tuple[Readmission, ...] = ()


def device_of(connection: Connection, meter_id: int) -> Device:
    """The device of a meter; UnknownError."""
    session = (_session.c.f_cnt_up, _session.c.f_cnt_down, _session.c.settings, _session.c.heard_by)
    query = select(_device, *session).outerjoin(_session, _session.c.dev_eui == _device.c.dev_eui)
    row = connection.execute(query.where(_device.c.meter_id == meter_id)).mappings().first()
    if row is None:
        raise UnknownError("device of meter", meter_id)
    return Device(
        dev_eui=int(row["dev_eui"], 16),
        join_eui=int(row["join_eui"], 16),
        dev_addr=row["dev_addr"],
        version=row["lorawan_version"],
        class_c=row["class_c"],
        dev_nonce=row["dev_nonce"],
        joined_us=row["joined_us"],
        refused_us=row["refused_us"],
        refused_nonce=row["refused_nonce"],
        f_cnt_up=row["f_cnt_up"] or 0,
        f_cnt_down=row["f_cnt_down"] or 0,
        settings=None if row["settings"] is None else json.loads(row["settings"]),
        heard_by=() if row["heard_by"] is None else rows.heard_by_of(row["heard_by"]),
        readmissions=_readmissions(connection, row["dev_eui"]),
    )


def _readmissions(connection: Connection, dev_eui: str) -> tuple[Readmission, ...]:
    query = select(_readmission).where(_readmission.c.dev_eui == dev_eui).order_by(_readmission.c.at_us.desc())
    return tuple(rows.readmission_of(row) for row in connection.execute(query.limit(READMISSIONS_MAX)).mappings())


def readmission_by_key(connection: Connection, dev_eui: int, key: str) -> Readmission | None:
    """The re-admission of a device that was ordered with this key."""
    query = select(_readmission).where(_readmission.c.dev_eui == eui_text(dev_eui), _readmission.c.order_key == key)
    row = connection.execute(query).mappings().first()
    return None if row is None else rows.readmission_of(row)


def lost_count(connection: Connection, tenant: int) -> int:
    """How many meters of a tenant need re-admission."""
    query = select(func.count()).select_from(_device).join(_meter, _meter.c.id == _device.c.meter_id)
    return connection.scalar(query.where(_device.c.refused_us.is_not(None), _meter.c.tenant_id == tenant)) or 0


def readmit(engine: Engine, serial: str, by: str, now_us: int) -> Readmission:
    """Lets the device of a meter join again.  Only where no centre runs: it has the nonces in its memory.

    UnknownError for no such meter; ConflictError for one that does not need it.
    """
    with engine.connect() as connection:
        query = select(_device).join(_meter, _meter.c.id == _device.c.meter_id).where(_meter.c.serial == serial)
        row = connection.execute(query).mappings().first()
        if row is None:
            raise UnknownError("meter", serial)
        root = rows.root_of(row, ring_of(connection))
    readmission = nonces.readmit(root, by, now_us)
    writer = InlineWriter(engine)
    writer.execute(writer.prepare(Changes(roots=[root])))
    writer.close()
    return readmission
