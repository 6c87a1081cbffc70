"""A network of datagrams on the loop's own time: what UDP is to the demo, without sockets.  Seeded.

Datagrams take a base latency and some jitter, may be lost, come twice, or overtake each other by the jitter.
"""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Any

Address = tuple[str | Any, int]


@dataclass(frozen=True, slots=True)
class Backhaul:
    """How datagrams travel.  Seconds and probabilities."""

    latency_s: float = 0.020
    jitter_s: float = 0.010
    loss: float = 0.0
    duplicates: float = 0.0


class DatagramNetwork:
    """All end points of one simulated network."""

    def __init__(self, loop: asyncio.AbstractEventLoop, random: Random, backhaul: Backhaul) -> None:
        self.sent = self.lost = 0
        self._loop, self._random, self.backhaul = loop, random, backhaul
        self._endpoints: dict[Address, asyncio.DatagramProtocol] = {}

    def open(self, address: Address, protocol: asyncio.DatagramProtocol) -> "VirtualTransport":
        """Gives a protocol an address; one that held it before gets nothing more."""
        transport = VirtualTransport(self, address)
        self._endpoints[address] = protocol
        protocol.connection_made(transport)
        return transport

    def close(self, address: Address) -> None:
        """What is sent to this address is lost from now on."""
        self._endpoints.pop(address, None)

    def send(self, data: bytes, source: Address, target: Address) -> None:
        """Sends a datagram on its way."""
        backhaul, random = self.backhaul, self._random
        self.sent += 1
        if backhaul.loss and random.random() < backhaul.loss:
            self.lost += 1
            return
        copies = 2 if backhaul.duplicates and random.random() < backhaul.duplicates else 1
        for _ in range(copies):
            delay_s = backhaul.latency_s + random.random() * backhaul.jitter_s
            self._loop.call_later(delay_s, self._deliver, data, source, target)

    def _deliver(self, data: bytes, source: Address, target: Address) -> None:
        protocol = self._endpoints.get(target)
        if protocol is None:
            self.lost += 1
        else:
            protocol.datagram_received(data, source)


class VirtualTransport(asyncio.DatagramTransport):
    """The transport of one end point."""

    def __init__(self, network: DatagramNetwork, address: Address) -> None:
        super().__init__()
        self._network, self._address, self._closed = network, address, False

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Sends a datagram."""
        if not self._closed:
            self._network.send(bytes(data), self._address, addr)

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Closes the end point."""
        if not self._closed:
            self._closed = True
            self._network.close(self._address)
