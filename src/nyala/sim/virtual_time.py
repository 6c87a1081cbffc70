"""asyncio on virtual time: the clock jumps to the next timer instead of waiting for it.

`go_live` turns the same loop, with everything that is scheduled on it, to real time: the demo makes its history first and
then goes on living.  On virtual time no threads and no real sockets may be used; a loop with nothing scheduled is a
deadlock and raises.
"""

import asyncio
import selectors
import time
from collections.abc import Mapping
from typing import Any


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop whose `time` begins at 0 s and is virtual until `go_live`."""

    def __init__(self) -> None:
        self.virtual_s = 0.0
        self._live_since: float | None = None
        super().__init__(_Jump(self))

    def time(self) -> float:
        """Seconds since the loop was made, in its own time."""
        if self._live_since is None:
            return self.virtual_s
        return self.virtual_s + time.monotonic() - self._live_since

    @property
    def live(self) -> bool:
        """Whether it runs on real time."""
        return self._live_since is not None

    def go_live(self, ahead_s: float = 0.0) -> None:
        """From now on, and `ahead_s` later, time passes by itself, and threads and sockets may be used."""
        self.virtual_s += ahead_s
        self._live_since = time.monotonic()

    def jump_to(self, virtual_s: float) -> None:
        """Moves virtual time forward, while nothing is scheduled before."""
        assert self._live_since is None
        assert virtual_s >= self.virtual_s
        self.virtual_s = virtual_s


class _Jump(selectors.BaseSelector):
    """A selector that lets virtual time pass instead of waiting."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop
        self._selector = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._loop.live:
            return self._selector.select(timeout)
        ready = self._selector.select(0)
        if not ready and timeout is None:
            raise RuntimeError("deadlock: nothing is scheduled on virtual time")
        if not ready and timeout:
            self._loop.virtual_s += timeout
        return ready

    def register(self, fileobj: object, events: int, data: object = None) -> selectors.SelectorKey:
        return self._selector.register(fileobj, events, data)  # type: ignore[arg-type]

    def unregister(self, fileobj: object) -> selectors.SelectorKey:
        return self._selector.unregister(fileobj)  # type: ignore[arg-type]

    def modify(self, fileobj: object, events: int, data: object = None) -> selectors.SelectorKey:
        return self._selector.modify(fileobj, events, data)  # type: ignore[arg-type]

    def close(self) -> None:
        self._selector.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._selector.get_map()
