"""What the tests of the head-end share: some meters, a head-end over a dict of load days, and telegrams as uplinks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nyala.headend.commands import CommandRow, CommandTracker, Kind
from nyala.headend.ports import Changes
from nyala.headend.registry import MeterRecord, MeterState, Registry
from nyala.headend.service import HeadEnd
from nyala.lorawan.network.port import AppUplink, Reception, Uplink
from nyala.mdm.book import Book
from nyala.mdm.load_day import Key
from nyala.telegram import codec
from nyala.telegram.codec import Telegram
from nyala.telegram.intervals import ChannelBlock, Intervals
from nyala.telegram.kinds import Port
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, US_PER_S
from tests.unit.mdm.books import Shelf

DAY: Final = 20_400
START_S: Final = DAY * DAY_S
"""When the meters were installed: a UTC midnight."""
PERIOD_S: Final = 900
REPORT_S: Final = 3_600
FIRST: Final = START_S // PERIOD_S
"""The first interval that is expected of them."""
GATEWAY: Final = 0x0016C001F0000001


def record(number: int = 1, **said: Any) -> MeterRecord:
    """A single-phase meter."""
    plain: dict[str, Any] = {
        "tenant_id": 1,
        "serial": f"N{number:05d}",
        "model": "single-phase",
        "dev_eui": 0xD000 + number,
        "zone": "Asia/Jakarta",
        "period_s": PERIOD_S,
        "report_s": REPORT_S,
        "installed_s": START_S,
    }
    return MeterRecord(number, **(plain | said))


def copy(snr_db: float = 5.0, *, gateway: int = GATEWAY, rssi_dbm: float = -90.0) -> Reception:
    """How a gateway heard a frame."""
    return Reception(gateway, b"phy", START_S * US_PER_S, 921_400_000, 2, rssi_dbm, snr_db, 0)


def run(first: int, values: Sequence[int], *, exports: Sequence[int] | None = None, **said: Any) -> Intervals:
    """An interval telegram of import and export; `anchor` and `outages` where given."""
    channels = {Channel.IMPORT: ChannelBlock(tuple(values), said.get("anchor"))}
    channels[Channel.EXPORT] = ChannelBlock(tuple(exports if exports is not None else [0] * len(values)))
    return Intervals(first, said.get("period_s", PERIOD_S), channels, frozenset(said.get("outages", ())))


class Centre:
    """A head-end with its meters; `now_s` is the server's clock."""

    def __init__(
        self,
        *records: MeterRecord,
        states: Sequence[MeterState] = (),
        shelf: Shelf | None = None,
        windows: Mapping[int, bytes] | None = None,
    ) -> None:
        self.now_s = START_S + DAY_S
        self.shelf = shelf or Shelf()
        self.registry = Registry(records or [record()], states)
        self.tracker = CommandTracker(self.registry, [], 1)
        self.headend = HeadEnd(self.registry, Book(self.shelf), self.tracker, windows=windows)

    @property
    def now_us(self) -> int:
        return self.now_s * US_PER_S

    @property
    def counts(self) -> dict[str, int]:
        """What the head-end counted."""
        return dict(self.headend.counts)

    def state(self, number: int = 1) -> MeterState:
        return self.registry.state(number)

    def says(self, telegram: Telegram, *, number: int = 1, at_s: int | None = None, copies: Sequence[Reception] = ()) -> None:
        """A meter says a telegram, now or at an earlier instant."""
        port, payload = codec.encode(telegram, self.now_s if at_s is None else at_s)
        self.hears(port, payload, dev_eui=0xD000 + number, at_s=at_s, copies=copies)

    def hears(
        self,
        port: int | None,
        payload: bytes,
        *,
        dev_eui: int = 0xD001,
        at_s: int | None = None,
        copies: Sequence[Reception] = (),
    ) -> None:
        """An uplink with any payload comes."""
        received_us = (self.now_s if at_s is None else at_s) * US_PER_S
        told = Uplink(dev_eui, 0, port, payload, False, None, 2, tuple(copies) or (copy(),), received_us)
        self.headend.handle(told, self.now_us)

    def app(self, port: Port, payload: bytes, *, dev_eui: int = 0xD001) -> None:
        """A telegram comes without a radio frame of ours."""
        self.headend.handle(AppUplink(dev_eui, port, payload, self.now_us), self.now_us)

    def order(self, kind: Kind, number: int = 1) -> CommandRow:
        """Somebody orders a command."""
        meter = self.registry.meter(number)
        return self.tracker.issue(meter, kind, has_switch=True, by="ani", reason="", now_us=self.now_us)

    def collect(self) -> Changes:
        """What is to be stored now; load days go onto the shelf."""
        changes = Changes()
        self.headend.collect(changes)
        self.shelf.rows |= {row.key: row for row in changes.load_days}
        self.shelf.history += changes.superseded
        return changes

    def values(self, number: int = 1, *, day: int = DAY, channel: Channel = Channel.IMPORT) -> Mapping[int, int]:
        """The known values of a day by their place in it."""
        found = self.headend.book.day(Key(number, day, channel))
        if found is None:
            return {}
        return {at: int(found.values[at]) for at in range(len(found.values)) if found.qualities[at]}
