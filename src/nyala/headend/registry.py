"""The meters as they were onboarded, and where each stands: known by id and by DevEUI.  Plain values in memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nyala.headend.foreign.edges import Reading
from nyala.vocab.errors import UnknownError
from nyala.vocab.settings import SettingBlock, short_check


@dataclass(frozen=True, slots=True)
class MeterRecord:
    """A meter as the store has it.  `installed_s`: intervals are expected from here on; `ct_ratio` primary to secondary."""

    id: int
    tenant_id: int
    serial: str
    model: str
    dev_eui: int
    zone: str
    period_s: int
    report_s: int
    installed_s: int
    customer: str = ""
    site: str = ""
    tariff: str = ""
    contracted_va: int = 0
    ct_ratio: tuple[int, int] = (1, 1)
    feeder: str = ""


@dataclass(frozen=True, slots=True)
class AlarmShadow:
    """What is known of one alarm of one meter; instants by the meter's clock.  `headend/alarms.py` says how it moves."""

    active: bool
    at_s: int
    """When it became so, as far as known: the newest word that changed it."""
    number: int = -1
    """Number of the event telegram that said so; -1 where the state `alarms` did."""
    since_s: int = 0
    """When it last went on; 0 where it never was seen on."""
    off_s: int = 0
    """The newest instant before `since_s` at which it was known to be off."""
    dated: bool = False
    """`since_s` is the instant of the event itself, not that of the first state that showed it."""


@dataclass(frozen=True, slots=True)
class ConfigShadow:
    """One setting of one meter: what is wanted (no bytes: nothing) and what was reported last (version 0: it has none)."""

    version: int = 0
    wanted: bytes = b""
    wanted_us: int = 0
    by: str = ""
    reported_version: int = 0
    reported_check: int = 0
    reported_us: int = 0
    refused: str = ""
    """Why the meter did not take the wanted block."""
    was_in_step: bool = False
    """The meter has reported the wanted block before: where it reports another now, it has drifted."""
    newest: int = 0
    """The version that was given last: also where an older one is wanted again."""

    def in_step(self, kind: int) -> bool:
        """What was reported is what is wanted."""
        if not self.wanted:
            return True
        check = short_check(kind, SettingBlock(self.version, self.wanted))
        return (self.reported_version, self.reported_check) == (self.version, check)


@dataclass(slots=True)
class HealthShadow:
    """How a meter itself is; `headend/health.py` says how it moves."""

    told: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Diagnostics: name -> (value, at_s), the newest of each."""
    clock_ms: int | None = None
    """Of the UTC day `clock_day`: the largest of its clock less reception, over `clock_seen` instants."""
    clock_seen: int = 0
    clock_day: int = 0
    clock_before_ms: int | None = None
    resync_us: int = 0
    """When it was last told to ask for the time."""
    newest_event: int | None = None
    """Number of the newest event that is known of."""
    lost: tuple[int, ...] = ()
    """Numbers of events that never came."""


@dataclass(slots=True)
class MeterState:
    """The meter's shadow: what was last reported.  Stored as one row; `values` as catalogue integers by name."""

    meter_id: int
    last_heard_us: int = 0
    data_rate: int = 0
    rssi_dbm: float = 0.0
    snr_db: float = 0.0
    gateways: int = 0
    uplinks: int = 0
    live_at_s: int = 0
    live: dict[str, int] = field(default_factory=dict)
    registers: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Register name -> (value, at_s): the newest of each."""
    switch_state: int | None = None
    switch_at_s: int = 0
    complete_to: int = 0
    """Every interval before this index is there, in all channels of the profile."""
    sequence: int = 0
    """The last command sequence number that was given."""
    model_code: int | None = None
    firmware: int | None = None
    alarms: dict[int, AlarmShadow] = field(default_factory=dict)
    """By bit: the alarms that were ever seen on or cleared; the others are off."""
    alarms_at_s: int = 0
    """Instant of the newest state `alarms`."""
    via: str = ""
    """The bridge that it was last heard over; empty: our own network."""
    period_s: int = 0
    """Length of an interval as its hello said it; 0: it said none."""
    reporting: bytes = b""
    """The reporting profile that it has acknowledged (`headend/profile.py`); none: as it was onboarded."""
    edges: dict[str, Reading] = field(default_factory=dict)
    """Register name -> where its intervals stand, of a meter that tells registers only (another maker's)."""
    config: dict[int, ConfigShadow] = field(default_factory=dict)
    """Kind of a setting (`vocab.settings`) -> what is wanted and what was reported."""
    health: HealthShadow = field(default_factory=HealthShadow)


class Registry:
    """All meters of this process."""

    def __init__(self, records: Iterable[MeterRecord] = (), states: Iterable[MeterState] = ()) -> None:
        self._records: dict[int, MeterRecord] = {}
        self._by_dev_eui: dict[int, MeterRecord] = {}
        self._states: dict[int, MeterState] = {}
        self._retired: set[int] = set()
        self.changed: dict[int, MeterState] = {}
        known = {state.meter_id: state for state in states}
        for record in records:
            self.add(record, known.get(record.id))

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[MeterRecord]:
        """Those that anything is expected of."""
        return (record for record in self._records.values() if record.id not in self._retired)

    def add(self, record: MeterRecord, state: MeterState | None = None) -> None:
        """Makes a meter known."""
        self._records[record.id] = self._by_dev_eui[record.dev_eui] = record
        first = -(-record.installed_s // record.period_s)
        self._states[record.id] = state or MeterState(record.id, complete_to=first)

    def replace(self, record: MeterRecord) -> None:
        """What is known of a meter is another now; where it stands stays."""
        self._records[record.id] = self._by_dev_eui[record.dev_eui] = record

    def retire(self, meter_id: int) -> None:
        """Nothing more is expected of a meter: it was removed.  What it still says is taken."""
        self._retired.add(meter_id)

    def meter(self, meter_id: int) -> MeterRecord:
        """A meter by id; UnknownError."""
        try:
            return self._records[meter_id]
        except KeyError:
            raise UnknownError("meter", meter_id) from None

    def of_device(self, dev_eui: int) -> MeterRecord | None:
        """A meter by DevEUI, or None."""
        return self._by_dev_eui.get(dev_eui)

    def state(self, meter_id: int) -> MeterState:
        """Where a meter stands.  Whoever changes it calls `touch`."""
        return self._states[meter_id]

    def touch(self, meter_id: int) -> MeterState:
        """Where a meter stands, to be changed and stored."""
        state = self.changed[meter_id] = self._states[meter_id]
        return state

    def take_changes(self) -> list[MeterState]:
        """The states to store now."""
        changed, self.changed = list(self.changed.values()), {}
        return changed
