"""One centre per store: whoever writes load days holds this lock, because its book is in its memory.

SQLite: a lock on a file beside the database; PostgreSQL: an advisory lock of a session, which the pool keeps alive after
the connection is given back: it is unlocked by name.  Both end with the process.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Engine, text

from nyala.vocab.errors import SurroundingsError

ADVISORY_KEY: Final = 0x6E79616C61  # "nyala"


class CentreLock:
    """Holds the lock while it is entered; SurroundingsError where another process has it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held: Any = None

    def __enter__(self) -> Self:
        if self._engine.dialect.name == "postgresql":
            self._held = self._engine.connect()
            if not self._held.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_KEY}):
                self._held.close()
                raise SurroundingsError(f"another nyala runs on the database {self._engine.url.database}")
            return self
        path = Path(f"{self._engine.url.database}.lock")
        self._held = path.open("a+")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._held.seek(0)
            owner = self._held.read().strip()
            self._held.close()
            raise SurroundingsError(f"another nyala (process {owner or '?'}) runs on {self._engine.url.database}") from None
        self._held.truncate(0)
        self._held.write(str(os.getpid()))
        self._held.flush()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._engine.dialect.name == "postgresql":
            self._held.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_KEY})
        self._held.close()
