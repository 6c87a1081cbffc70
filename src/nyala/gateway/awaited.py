"""Transmissions of which the gateway has still to say what became of them.  Each ends once: by its word, or by the clock."""

from typing import Final

from nyala.lorawan.network.port import Transmission

AWAITED_MAX: Final = 1_024
"""Transmissions that are waited for at a time; beyond it the oldest counts as unanswered."""
NEVER_US: Final = 1 << 62


class Awaited:
    """Transmissions by the number that the protocol gave them, each with the instant until which it is waited for."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[int, Transmission]] = {}
        self._next_us = NEVER_US

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, number: int, transmission: Transmission, until_us: int) -> Transmission | None:
        """Waits for one; answers the one that had to make room."""
        crowded = self._waiting.pop(next(iter(self._waiting)))[1] if len(self._waiting) >= AWAITED_MAX else None
        self._waiting[number] = until_us, transmission
        self._next_us = min(self._next_us, until_us)
        return crowded

    def take(self, number: int, gateway: int) -> Transmission | None:
        """The one that this gateway has spoken of; None where it was not asked, or not any more."""
        found = self._waiting.get(number)
        if found is None or found[1].gateway != gateway:
            return None
        del self._waiting[number]
        return found[1]

    def expired(self, now_us: int) -> list[Transmission]:
        """Those whose time is over, the earliest first.  Cheap where there is none: it is asked at every message."""
        if now_us < self._next_us:
            return []
        over = sorted((until_us, number) for number, (until_us, _) in self._waiting.items() if until_us <= now_us)
        found = [self._waiting.pop(number)[1] for _, number in over]
        self._next_us = min((until_us for until_us, _ in self._waiting.values()), default=NEVER_US)
        return found
