"""The downlink budget of each gateway: what can wait gets no more than a share of its time.

A gateway that sends hears nothing, on any channel.  So after a downlink that can wait it is closed to the next one of its
kind, for as long as makes the one its share of the time.  Each kind has a share of its own, each gateway its own time: orders
do not hold up back-fill, and meters below different gateways do not wait for each other.

Orders of the supply switch and what a person waits for are never held, and windows are answered whatever was sent: when a
gateway really sends is the network's (`lorawan.network.schedule`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from enum import StrEnum
from heapq import heappop, heappush
from typing import Final, Protocol

from nyala.lorawan.network.port import Way

PER_CENT: Final = 100


class Share(StrEnum):
    """What can wait."""

    ORDERS = "orders"
    """Campaigns, and blocks of configuration."""
    BACKFILL = "backfill"


SHARE_PCT: Final = {Share.ORDERS: 20, Share.BACKFILL: 10}
"""Of a gateway's time: it keeps seven tenths of its ears, whatever is to be sent."""
ELSEWHERE: Final = 0
"""Stands for the gateways of another network server, and for those of a meter that was not heard yet."""
UNKNOWN_US: Final = 400_000
"""Counted where the air is not known: the longest that a dwell limit allows."""


class Ways(Protocol):
    """Knows how devices are reached: the network server."""

    def way(self, dev_eui: int, payload_bytes: int, /) -> Way | None:
        """How a payload would get to a device; None: it cannot, or nobody knows."""


class _Nowhere:
    def way(self, _dev_eui: int, _payload_bytes: int, /) -> Way | None:
        return None


class Budget:
    """When each gateway may send the next downlink of each kind."""

    def __init__(self, ways: Ways | None = None) -> None:
        self.spent_us: Counter[Share] = Counter()
        """Air of all that was sent, as it was meant to go."""
        self._ways = ways or _Nowhere()
        self._free_us: dict[tuple[Share, int], int] = {}

    def way(self, dev_eui: int, payload_bytes: int) -> Way:
        """How a payload would get to a device, as far as it is known."""
        return self._ways.way(dev_eui, payload_bytes) or Way(ELSEWHERE, UNKNOWN_US, UNKNOWN_US)

    def gateway(self, dev_eui: int) -> int:
        """The gateway whose time a downlink to a device takes."""
        return self.way(dev_eui, 0).gateway

    def free_us(self, share: Share, gateway: int) -> int:
        """When the next one may be sent; 0: at any time."""
        return self._free_us.get((share, gateway), 0)

    def spend(self, share: Share, gateway: int, air_us: int, now_us: int) -> None:
        """Something is sent, now or with an uplink to come."""
        self.spent_us[share] += air_us
        at_us = max(self.free_us(share, gateway), now_us)
        self._free_us[share, gateway] = at_us - (-air_us * PER_CENT // SHARE_PCT[share])

    def spend_at_once(self, share: Share, dev_eui: int, payload_bytes: int, now_us: int) -> None:
        """A payload is sent to a device as soon as the network can: by class C, or in the windows of a class A device."""
        way = self.way(dev_eui, payload_bytes)
        self.spend(share, way.gateway, way.at_once_us or way.window_us, now_us)


class Seats:
    """So many may be busy with each gateway at once; the others wait in their order."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._gateways: dict[int, int] = {}
        self._seated: defaultdict[int, set[int]] = defaultdict(set)
        self._waiting: defaultdict[int, dict[int, None]] = defaultdict(dict)

    def take(self, who: int, gateway: int) -> bool:
        """Whether there is a seat, or he has one already; where not, he waits.  He stays with his gateway until he leaves."""
        gateway = self._gateways.setdefault(who, gateway)
        seated, waiting = self._seated[gateway], self._waiting[gateway]
        if who not in seated and len(seated) >= self._most:
            waiting[who] = None
            return False
        seated.add(who)
        waiting.pop(who, None)
        return True

    def leave(self, who: int) -> int | None:
        """Somebody needs no seat any more.  Answers who may take one now."""
        gateway = self._gateways.pop(who, None)
        if gateway is None:
            return None
        seated, waiting = self._seated[gateway], self._waiting[gateway]
        seated.discard(who)
        waiting.pop(who, None)
        return next(iter(waiting), None) if len(seated) < self._most else None


class Turns:
    """Devices that wait for the share of the gateway which hears them best: of each gateway the smallest key first."""

    def __init__(self, budget: Budget, share: Share) -> None:
        self._budget, self._share = budget, share
        self._waiting: dict[int, list[tuple[int, int]]] = {}

    def put(self, dev_eui: int, key: int) -> None:
        """A device waits for its turn."""
        heappush(self._waiting.setdefault(self._budget.gateway(dev_eui), []), (key, dev_eui))

    @property
    def next_us(self) -> int | None:
        """When somebody has his turn; None: nobody waits."""
        return min((self._budget.free_us(self._share, gateway) for gateway in self._waiting), default=None)

    def take(self, now_us: int) -> Iterator[int]:
        """Those who have their turn now.  Who does not `spend` leaves it to the next; who moved waits elsewhere."""
        for gateway in list(self._waiting):
            waiting = self._waiting[gateway]
            while waiting and self._budget.free_us(self._share, gateway) <= now_us:
                key, dev_eui = heappop(waiting)
                if self._budget.gateway(dev_eui) == gateway:
                    yield dev_eui
                else:
                    self.put(dev_eui, key)
            if not waiting:
                del self._waiting[gateway]
