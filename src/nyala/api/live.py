"""Live values: from what was just stored to the browsers that look, as Server-Sent Events.

Each browser has a short queue of its own; one that does not keep up loses the oldest, never the server's memory.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import msgspec

QUEUE_MAX: Final = 256
HEARTBEAT_S: Final = 15.0
"""A comment line goes out so often, so that proxies and browsers keep the connection."""
SUBSCRIBERS_MAX: Final = 2_000

_encode: Final = msgspec.json.Encoder().encode


class Subscriber:
    """One browser: a tenant's events, of one meter where it asked for one."""

    def __init__(self, tenant: int, meter_id: int | None) -> None:
        self.tenant, self.meter_id = tenant, meter_id
        self._events: deque[bytes] = deque(maxlen=QUEUE_MAX)
        self._ready = asyncio.Event()

    def put(self, event: bytes) -> None:
        """An event for this browser."""
        self._events.append(event)
        self._ready.set()

    async def events(self) -> AsyncIterator[bytes]:
        """The events as they come, and heartbeats between them."""
        while True:
            if not self._events:
                self._ready.clear()
                try:
                    await asyncio.wait_for(self._ready.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
            yield self._events.popleft()


class LiveHub:
    """All browsers that listen."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()

    def __len__(self) -> int:
        return len(self._subscribers)

    def subscribe(self, tenant: int, meter_id: int | None) -> Subscriber | None:
        """A new browser; None where too many listen."""
        if len(self._subscribers) >= SUBSCRIBERS_MAX:
            return None
        subscriber = Subscriber(tenant, meter_id)
        self._subscribers.add(subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """A browser has gone."""
        self._subscribers.discard(subscriber)

    def wanted(self, tenant: int, meter_id: int | None) -> list[Subscriber]:
        """Who listens to a tenant's event about a meter (None: about the whole fleet)."""
        return [
            each
            for each in self._subscribers
            if each.tenant == tenant and (each.meter_id is None or meter_id is None or each.meter_id == meter_id)
        ]

    def publish(self, tenant: int, meter_id: int | None, name: str, data: Mapping[str, Any]) -> None:
        """Sends an event to all who listen to it."""
        listeners = self.wanted(tenant, meter_id)
        if listeners:
            event = b"event: " + name.encode() + b"\ndata: " + _encode(data) + b"\n\n"
            for listener in listeners:
                listener.put(event)
