"""Logging in and being somebody: Argon2 passwords, opaque tokens in a cookie, permissions of roles.

A token is 32 random bytes; the store keeps its SHA-256.  The cookie is HttpOnly and SameSite=Strict, so that no other
site can act for a user.
"""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from fastapi import Depends, Request

from nyala.api.permissions import Permission, permissions_of
from nyala.api.problems import MayNotError, NotLoggedInError
from nyala.api.state import ApiState
from nyala.store import users
from nyala.store.users import User
from nyala.vocab.errors import BadArgumentError, UnknownError

COOKIE: Final = "nyala_session"
LOGIN_S: Final = 12 * 3600
"""A shift: after that a person logs in again."""
PASSWORD_MIN: Final = 8
HASHES_AT_ONCE: Final = 2
"""Argon2 takes 64 MB a time: more at once would let strangers fill the memory."""
FAILURES_MAX: Final = 10
"""Wrong passwords of one name within `FAILURES_S`, after which it has to wait."""
FAILURES_S: Final = 300
NAMES_WATCHED: Final = 10_000

_hasher: Final = PasswordHasher()
_hashing: Final = asyncio.Semaphore(HASHES_AT_ONCE)
_failures: Final[OrderedDict[str, list[int]]] = OrderedDict()


def hash_password(password: str) -> str:
    """The hash that is stored; BadArgumentError for a short password."""
    if len(password) < PASSWORD_MIN:
        raise BadArgumentError(f"a password has at least {PASSWORD_MIN} characters")
    return _hasher.hash(password)


def state_of(request: Request) -> ApiState:
    """The state of this API."""
    state: ApiState = request.app.state.nyala
    return state


State = Annotated[ApiState, Depends(state_of)]


def token_hash(token: str) -> str:
    """What the store knows of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


async def log_in(state: ApiState, name: str, password: str) -> tuple[User, str]:
    """The user and a new token; NotLoggedInError for a wrong name or password, the same for both."""
    now_s = state.now_s
    recent = [at_s for at_s in _failures.get(name, []) if at_s > now_s - FAILURES_S]
    if len(recent) >= FAILURES_MAX:
        raise NotLoggedInError(f"too many wrong passwords: wait {FAILURES_S // 60} minutes")
    user = await _verified(state, name, password)
    if user is None:
        _failures[name] = [*recent, now_s]
        while len(_failures) > NAMES_WATCHED:
            _failures.popitem(last=False)
        raise NotLoggedInError("wrong name or password")
    _failures.pop(name, None)
    token = secrets.token_urlsafe(32)
    await asyncio.to_thread(users.log_in, state.engine, user.id, token_hash(token), now_s, now_s + LOGIN_S)
    return user, token


async def _verified(state: ApiState, name: str, password: str) -> User | None:
    def check() -> User | None:
        with state.engine.connect() as connection:
            try:
                user, stored = users.by_name(connection, name)
            except UnknownError:
                user, stored = None, _NOBODY
        try:
            _hasher.verify(stored, password)
        except VerificationError:
            return None
        return user

    async with _hashing:
        return await asyncio.to_thread(check)


_NOBODY: Final = _hasher.hash(secrets.token_urlsafe(16))
"""Checked where the name is unknown, so that the answer takes as long."""


def current_user(request: Request, state: State) -> User:
    """The user of a request; NotLoggedInError."""
    token = request.cookies.get(COOKIE)
    if not token:
        raise NotLoggedInError("log in first")
    with state.engine.connect() as connection:
        user = users.of_login(connection, token_hash(token), state.now_s)
    if user is None:
        raise NotLoggedInError("the login has ended: log in again")
    return user


CurrentUser = Annotated[User, Depends(current_user)]


def require(permission: Permission) -> Callable[[User], User]:
    """A dependency: the user, if his role has the permission; MayNotError otherwise."""

    def permitted(user: CurrentUser) -> User:
        if permission not in permissions_of(user.role):
            raise MayNotError(f"role {user.role} lacks the permission {permission}")
        return user

    permitted.permission = permission  # type: ignore[attr-defined]
    return permitted
