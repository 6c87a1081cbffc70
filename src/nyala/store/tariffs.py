"""Tariffs in the store: texts as they were loaded; a later text of one code does not replace an earlier one (law 4)."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from nyala.store import schema
from nyala.store.engine import writing
from nyala.vocab.errors import UnknownError

_tariff = schema.tariff


@dataclass(frozen=True, slots=True)
class TariffText:
    """A tariff as it was loaded."""

    id: int
    code: str
    loaded_s: int
    text: str


def add(engine: Engine, tenant: int, code: str, text: str, loaded_s: int) -> TariffText:
    """Adds a tariff text; the same text again changes nothing."""
    with writing(engine) as connection:
        try:
            newest = newest_of(connection, tenant, code)
        except UnknownError:
            newest = None
        if newest is not None and newest.text == text:
            return newest
        at_s = loaded_s if newest is None else max(loaded_s, newest.loaded_s + 1)
        values = {"tenant_id": tenant, "code": code, "loaded_s": at_s, "text": text}
        key = connection.execute(_tariff.insert().values(values)).inserted_primary_key
        assert key is not None
        return TariffText(key[0], code, at_s, text)


def newest_of(connection: Connection, tenant: int, code: str) -> TariffText:
    """The newest text of a code; UnknownError."""
    query = select(_tariff.c.id, _tariff.c.code, _tariff.c.loaded_s, _tariff.c.text)
    query = query.where(_tariff.c.tenant_id == tenant, _tariff.c.code == code).order_by(_tariff.c.loaded_s.desc())
    row = connection.execute(query.limit(1)).first()
    if row is None:
        raise UnknownError("tariff", code or "(none given)")
    return TariffText(*row)


def by_id(connection: Connection, tariff_id: int) -> TariffText:
    """A text by its id: what a bill was computed with; UnknownError."""
    query = select(_tariff.c.id, _tariff.c.code, _tariff.c.loaded_s, _tariff.c.text).where(_tariff.c.id == tariff_id)
    row = connection.execute(query).first()
    if row is None:
        raise UnknownError("tariff", tariff_id)
    return TariffText(*row)
