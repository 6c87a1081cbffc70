"""What the shells of all gateway protocols have in common, and the one radio that the network sends through.

A shell carries out transmissions and says of each, once, what became of it: `on_result(transmission, result)`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from nyala.gateway.awaited import Awaited
from nyala.gateway.known import Gateways, Link
from nyala.lorawan.network.port import Reception, Transmission, TxResult

OnResult = Callable[[Transmission, TxResult], None]


class UplinkPort(Protocol):
    """Where receptions go."""

    def submit(self, receptions: Sequence[Reception], acknowledge: Callable[[], None]) -> bool:
        """Takes receptions; calls `acknowledge` once they are safe.  False: too many wait, nothing was taken."""


class Outbox:
    """The transmissions of one protocol: what was ordered, what became of it, counters, and who wants to know."""

    def __init__(self, gateways: Gateways, counts: Counter[str]) -> None:
        self.gateways, self.counts = gateways, counts
        self.on_result: OnResult | None = None
        self._awaited = Awaited()

    def ordered(self, number: int, transmission: Transmission, until_us: int) -> None:
        """A transmission left for its gateway."""
        crowded = self._awaited.add(number, transmission, until_us)
        if crowded is not None:
            self.ended(crowded, TxResult.NO_ANSWER)

    def answered(self, number: int, gateway: int, result: TxResult) -> Transmission | None:
        """A gateway spoke of a transmission; None where it was not asked for one of this number."""
        transmission = self._awaited.take(number, gateway)
        if transmission is None:
            self.counts["tx_ack_unknown"] += 1
        else:
            self.ended(transmission, result)
        return transmission

    def expire(self, now_us: int) -> None:
        """Ends the waiting for answers that are overdue."""
        for transmission in self._awaited.expired(now_us):
            self.ended(transmission, TxResult.NO_ANSWER)

    def ended(self, transmission: Transmission, result: TxResult) -> None:
        """Counts and tells what became of a transmission."""
        self.counts[f"tx_{result.name.lower()}"] += 1
        gateway = self.gateways.get(transmission.gateway)
        if gateway is not None:
            gateway.tx[result] += 1
        if self.on_result is not None:
            self.on_result(transmission, result)


class Shell(Protocol):
    """A gateway protocol as the radio uses it."""

    counts: Counter[str]
    outbox: Outbox

    def transmit(self, transmission: Transmission) -> bool:
        """Orders a gateway to send; False where no way to it is open, which `on_result` says as well."""


class CompositeRadio:
    """Sends each transmission over the protocol over which its gateway was last heard."""

    def __init__(self, gateways: Gateways, shells: Mapping[Link, Shell], on_result: OnResult) -> None:
        self.gateways, self.counts = gateways, Counter[str]()
        self._shells, self._on_result = dict(shells), on_result
        for shell in self._shells.values():
            shell.outbox.on_result = on_result

    def transmit(self, transmission: Transmission) -> bool:
        """Hands a transmission on; False, and NO_PATH, for a gateway that was not heard yet."""
        gateway = self.gateways.get(transmission.gateway)
        if gateway is None:
            self.counts["tx_no_path"] += 1
            self._on_result(transmission, TxResult.NO_PATH)
            return False
        return self._shells[gateway.link].transmit(transmission)

    def expire(self, now_us: int) -> None:
        """Ends what gateways left unanswered for too long."""
        for shell in self._shells.values():
            shell.outbox.expire(now_us)
