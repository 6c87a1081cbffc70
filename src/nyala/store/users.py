"""Users and their logins.  A password is kept as an Argon2 hash, a login as the SHA-256 of its token."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select
from sqlalchemy.exc import IntegrityError

from nyala.store import schema
from nyala.store.engine import writing
from nyala.vocab.errors import ConflictError, UnknownError

_user, _login, _tenant = schema.user, schema.login, schema.tenant


@dataclass(frozen=True, slots=True)
class User:
    """A user as requests see him."""

    id: int
    tenant_id: int
    tenant: str
    name: str
    role: str
    language: str


def add(engine: Engine, tenant: int, name: str, password_hash: str, role: str, language: str, now_s: int) -> None:
    """Adds a user; ConflictError where the name is taken."""
    values = {"tenant_id": tenant, "name": name, "password_hash": password_hash, "role": role, "language": language}
    try:
        with writing(engine) as connection:
            connection.execute(_user.insert().values(values | {"created_s": now_s}))
    except IntegrityError as error:
        raise ConflictError(f"user {name!r} is there already") from error


def count(connection: Connection) -> int:
    """How many users there are."""
    return connection.scalar(select(func.count()).select_from(_user)) or 0


def by_name(connection: Connection, name: str) -> tuple[User, str]:
    """A user and the hash of his password; UnknownError."""
    query = _users().add_columns(_user.c.password_hash).where(_user.c.name == name)
    row = connection.execute(query).first()
    if row is None:
        raise UnknownError("user", name)
    return User(*row[:-1]), row[-1]


def _users() -> Any:
    columns = (_user.c.id, _user.c.tenant_id, _tenant.c.name, _user.c.name, _user.c.role, _user.c.language)
    return select(*columns).join(_tenant, _tenant.c.id == _user.c.tenant_id)


def log_in(engine: Engine, user_id: int, token_hash: str, now_s: int, expires_s: int) -> None:
    """Keeps a login; those that have ended are dropped."""
    with writing(engine) as connection:
        connection.execute(delete(_login).where(_login.c.expires_s <= now_s))
        connection.execute(_login.insert().values(token_hash=token_hash, user_id=user_id, created_s=now_s, expires_s=expires_s))


def of_login(connection: Connection, token_hash: str, now_s: int) -> User | None:
    """The user of a login that has not ended."""
    query = _users().join(_login, _login.c.user_id == _user.c.id)
    row = connection.execute(query.where(_login.c.token_hash == token_hash, _login.c.expires_s > now_s)).first()
    return None if row is None else User(*row)


def log_out(engine: Engine, token_hash: str) -> None:
    """Ends a login."""
    with writing(engine) as connection:
        connection.execute(delete(_login).where(_login.c.token_hash == token_hash))
