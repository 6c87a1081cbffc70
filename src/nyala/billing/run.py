"""The bill run: every account of a tenant for a month.  Exceptions do not stop the rest; a run again changes nothing.

It only reads load days.  A meter whose month has gaps is refused and named: gaps are filled or estimated before
(`nyala.mdm.closing`).  Where accounts, tariffs, load days and bills come from is said by `BillStore`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from nyala.billing import bill, bill_json
from nyala.billing.determinants import Intervals, intervals, measure
from nyala.billing.lines import Terms
from nyala.billing.tariff import Tariff
from nyala.billing.tariff_file import check_tariff
from nyala.mdm.load_day import Key, LoadDay
from nyala.vocab.errors import BadArgumentError, NyalaError
from nyala.vocab.time import DAY_S, local_month, zone

BATCH: Final = 200
"""Bills of one transaction."""


@dataclass(frozen=True, slots=True)
class Account:
    """A meter with its terms."""

    meter_id: int
    serial: str
    tariff: str
    zone: str
    contracted_va: int
    ct_ratio: tuple[int, int]
    installed_s: int
    until_s: int | None = None
    """It is billed until then; None: without an end."""


@dataclass(frozen=True, slots=True)
class NewBill:
    """A bill to be stored; `document` is `bill_json`."""

    meter_id: int
    month: str
    tariff_id: int
    total: str
    currency: str
    energy_wh: int
    estimated_wh: int
    document: dict[str, Any]


class BillStore(Protocol):
    """What a bill run asks of the store, for one tenant."""

    def accounts(self) -> Sequence[Account]:
        """All accounts."""

    def tariff(self, code: str) -> tuple[int, str]:
        """Id and text of the newest tariff of a code; UnknownError."""

    def load_days(self, meter_id: int, first: int, until: int) -> Sequence[LoadDay]:
        """The import of UTC days first..until-1."""

    def add(self, bills: Sequence[NewBill]) -> int:
        """Stores bills in one transaction; answers how many differ from the newest version of their month."""


class Evidence(Protocol):
    """What opening a stored bill asks of the store."""

    def tariff_text(self, tariff_id: int) -> str:
        """The tariff that a bill was computed with."""

    def versions(self, wanted: Sequence[tuple[Key, int]]) -> Sequence[LoadDay]:
        """Load days as they were at these versions."""


@dataclass(slots=True)
class RunResult:
    """What a bill run did.  `refused`: (serial number, why)."""

    month: str
    meters: int = 0
    stored: int = 0
    unchanged: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Accounts that the run is through with."""
        return self.stored + self.unchanged + len(self.refused)


class _Tariffs:
    """Tariffs, parsed once."""

    def __init__(self, store: BillStore) -> None:
        self._store = store
        self._read: dict[str, tuple[int, Tariff]] = {}

    def of(self, code: str) -> tuple[int, Tariff]:
        if code not in self._read:
            tariff_id, text = self._store.tariff(code)
            self._read[code] = tariff_id, check_tariff(text, f"tariff {code}")
        return self._read[code]


def run_month(store: BillStore, month: str, now_s: int, progress: Callable[[RunResult], None] | None = None) -> RunResult:
    """Bills every account for a local month `YYYY-MM`; BadArgumentError for one that is not over yet."""
    accounts = [a for a in store.accounts() if a.until_s is None or a.until_s > local_month(month, zone(a.zone))[0]]
    if accounts and local_month(month, zone(accounts[0].zone))[1] > now_s:
        raise BadArgumentError(f"{month} is not over yet")
    result, tariffs = RunResult(month, len(accounts)), _Tariffs(store)
    for batch in _batches(accounts):
        made: list[NewBill] = []
        for account in batch:
            try:
                made.append(bill_account(store, account, month, tariffs.of(account.tariff)))
            except NyalaError as error:
                result.refused.append((account.serial, str(error)))
        stored = store.add(made)
        result.stored += stored
        result.unchanged += len(made) - stored
        if progress is not None:
            progress(result)
    return result


def _batches(accounts: Sequence[Account]) -> Iterator[Sequence[Account]]:
    for at in range(0, len(accounts), BATCH):
        yield accounts[at : at + BATCH]


def bill_account(store: BillStore, account: Account, month: str, tariff: tuple[int, Tariff]) -> NewBill:
    """One bill.  A meter that was installed or removed within the month is billed from then on, or until then."""
    tariff_id, profile = tariff
    start_s, end_s = local_month(month, zone(profile.zone))
    start_s = max(start_s, account.installed_s)
    end_s = end_s if account.until_s is None else min(end_s, account.until_s)
    if start_s >= end_s:
        raise BadArgumentError(f"meter {account.serial} is not there within {month}")
    days = store.load_days(account.meter_id, start_s // DAY_S, -(-end_s // DAY_S))
    terms = Terms(contracted_va=account.contracted_va, ct_ratio=account.ct_ratio)
    made = bill.compute(profile, (start_s, end_s), days, terms)
    return NewBill(
        meter_id=account.meter_id,
        month=month,
        tariff_id=tariff_id,
        total=str(made.total),
        currency=made.currency,
        energy_wh=made.energy_wh,
        estimated_wh=made.estimated_wh,
        document=bill_json.to_json(made),
    )


def open_line(store: Evidence, tariff_id: int, document: object, line: int) -> tuple[Intervals, int]:
    """The intervals behind a line of a stored bill, from the versions it was computed with, and their sum in Wh.

    BadArgumentError for a line that has none (a tax, a minimum).
    """
    made = bill_json.from_json(document)
    if not 0 <= line < len(made.lines) or made.lines[line].determinant is None:
        raise BadArgumentError(f"line {line} of this bill has no intervals")
    profile = check_tariff(store.tariff_text(tariff_id), f"tariff {made.tariff_code}").version_at(made.start_s)
    wanted = [(Key(made.meter_id, each.day, each.channel), each.version) for each in made.inputs]
    measured = measure(profile, zone(made.zone), (made.start_s, made.end_s), store.versions(wanted))
    determinant = next(each for each in measured.energy if each.code == made.lines[line].determinant)
    return intervals(determinant), determinant.energy_wh
