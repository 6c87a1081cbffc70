"""Wrapping what is stored anew: plain keys at the upgrade from an older nyala, all keys when the wrapping key is changed.

Both happen in one transaction.  What the database file still holds of the older bytes, in pages that are free, is
overwritten afterwards.  Backups are not reached: one of before the upgrade holds plain keys.
"""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, column, inspect, select, table, update

from nyala.store.engine import scrub, writing
from nyala.store.keys import WRAPPED_BYTES, key_file_of, ring_of

PLAIN_BYTES: Final = 16
PLACES: Final = (
    ("lorawan_device", "dev_eui", ("app_key",)),
    ("lorawan_session", "dev_eui", ("nwk_s_key", "app_s_key")),
    ("multicast_group", "mc_addr", ("nwk_s_key", "app_s_key")),
    ("campaign", "mc_addr", ("mc_key",)),
    ("notify_target", "order_key", ("secret",)),
)
"""Where keys are: table, the column that says whose they are, and their columns.  An older schema has not all of them."""

Again = Callable[[bytes, str, str], bytes]


def wrap_plain(connection: Connection) -> int:
    """Wraps the keys that are stored plain; answers how many."""

    def again(blob: bytes, name: str, whose: str) -> bytes:
        if len(blob) == WRAPPED_BYTES:
            return blob
        assert len(blob) == PLAIN_BYTES
        return ring_of(connection).wrap(blob, name, whose)

    return _each(connection, again)


def rekey(engine: Engine, *, fresh: bool = True) -> int:
    """Wraps all keys under the first key of the key file, after a `fresh` one was put there; answers how many.

    The file keeps its older keys: a run that is killed in the middle has changed nothing, and backups need them.
    SurroundingsError where a key does not unwrap, and then nothing is changed either.
    """
    old = ring_of(engine)
    new = key_file_of(engine).add() if fresh else old

    def again(blob: bytes, name: str, whose: str) -> bytes:
        return new.wrap(new.unwrap(blob, name, whose), name, whose)

    with writing(engine) as connection:
        count = _each(connection, again)
    scrub(engine)
    return count


def _each(connection: Connection, again: Again) -> int:
    """Replaces every stored key; answers how many changed."""
    count, there = 0, set(inspect(connection).get_table_names())
    for name, whose, keys in PLACES:
        if name not in there:
            continue
        place = table(name, column(whose), *map(column, keys))
        changed: list[dict[str, Any]] = []
        for row in connection.execute(select(place)).mappings():
            made = {key: again(bytes(row[key]), key, row[whose]) for key in keys}
            different = sum(made[key] != row[key] for key in keys)
            if different:
                changed.append(made | {"which": row[whose]})
                count += different
        if changed:
            connection.execute(update(place).where(place.c[whose] == bindparam("which")), changed)
    return count
