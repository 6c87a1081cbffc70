"""What the network remembers of each device: its root, its session, and where it was heard last.

`Root` and the fields of `Session` above `-- not stored` are stored by the layers around (a `SessionRow` and its
`settings`); everything below is learned again from the next uplink.
"""

from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.network.pending import Reply, Waiting
from nyala.vocab.errors import UnknownError

QUEUE_LIMIT: Final = 16
"""Application downlinks that may wait for one device."""


VERSIONS: Final = ("1.0.3", "1.0.4")
"""LoRaWAN versions that a device may be of: what differs is its DevNonce."""


@dataclass(frozen=True, slots=True)
class Readmission:
    """Somebody let a device that lost its memory join again.  `dev_nonce`: the last one that it had used."""

    at_us: int
    by: str
    dev_nonce: int
    refused_nonce: int | None
    key: str | None = None
    """What makes the order happen once."""


@dataclass(slots=True)
class Root:
    """A device as it was onboarded.  `dev_nonce` is the last one used (-1: none), `join_nonce` the last one given."""

    dev_eui: int
    join_eui: int
    app_key: AesKey
    dev_addr: int
    class_c: bool = True
    dev_nonce: int = -1
    join_nonce: int = 0
    version: str = "1.0.4"
    joined_us: int | None = None
    """When the last session was made."""
    refused_us: int | None = None
    """Since when it asks in vain to join: it needs re-admission (`nonces`)."""
    refused_nonce: int | None = None
    """What it asked with last."""
    used_nonces: bytes = b""
    readmission: Readmission | None = None
    """The last one of this run; those before it are in the store."""

    @property
    def random_nonces(self) -> bool:
        """Its DevNonces are random, as before 1.0.4."""
        return self.version == "1.0.3"


@dataclass(slots=True)
class Settings:
    """What the device has confirmed of its settings."""

    data_rate: int
    tx_power: int = 0
    nb_trans: int = 1
    channels: tuple[int, ...] = ()
    """Indices of the channels it has and uses."""
    rx2_data_rate: int = 2
    rx2_hz: int = 0
    """0: the region's."""
    rx1_hz: tuple[tuple[int, int], ...] = ()
    """(channel, frequency) of RX1 where it is not the uplink's."""
    rx1_dr_offset: int = 0
    rx_delay_s: int = 1
    uplink_dwell: bool = True
    downlink_dwell: bool = False
    max_eirp_code: int = 5
    tx_params_known: bool = False
    max_duty_cycle: int = 0
    battery: int | None = None
    margin_db: int | None = None
    """SNR of the request that its last status answered."""
    status_us: int = 0
    """When it was last asked for its status, or was to be asked first; 0: not yet."""
    status_f_cnt: int = 0

    def __post_init__(self) -> None:
        self.channels = _shared(tuple(self.channels))
        self.rx1_hz = tuple((index, hz) for index, hz in self.rx1_hz)


@lru_cache(maxsize=1024)
def _shared(channels: tuple[int, ...]) -> tuple[int, ...]:
    """Thousands of devices have the same channels, and one tuple of them."""
    return channels


_SETTINGS: Final = tuple(each.name for each in fields(Settings))


@dataclass(slots=True)
class Session:
    """One activation.  `f_cnt_up` is the next uplink counter expected, `f_cnt_down` the next downlink counter to use."""

    dev_eui: int
    dev_addr: int
    nwk_s_key: AesKey
    app_s_key: AesKey
    settings: Settings
    class_c: bool = True
    f_cnt_up: int = 0
    f_cnt_down: int = 0
    heard: bool = False
    """An uplink has come since the join: class C may be used."""
    # -- not stored
    reply: Reply | None = None
    """The last uplink, while its windows are not over."""
    heard_by: "HeardBy" = ()
    """The ways back to the device; stored for after a restart, but not by themselves."""
    history: bytes = b""
    """How the last uplinks were heard: `history`."""
    adr: bool = False
    """It lets the network choose its data rate."""
    asked: tuple[mac.Command, ...] = ()
    """MAC requests that wait for their answer."""
    unanswered: int = 0
    """How often in a row requests were made that had not been answered before."""
    refused: frozenset[mac.Command] = frozenset()
    """MAC requests that the device did not take: not asked again in this run."""
    reset_f_cnt: int = -1
    """The last counter that was behind, as of a device that counts from the beginning again."""
    queue: list[Waiting] = field(default_factory=list)
    outstanding: Waiting | None = None
    """The confirmed downlink that waits for its acknowledgement."""
    outstanding_until_us: int = 0
    busy_until_us: int = 0
    """The last class C frame is on the air until then: the next, perhaps from another gateway, must not overtake it."""
    restored: bool = False
    """It comes from the store: a confirmed downlink of before the restart may still be answered."""


HeardBy = tuple[tuple[int, float], ...]
"""(gateway, SNR in dB) of the last uplinks, best first: `uplink.way_back`."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as it is stored."""

    dev_eui: int
    dev_addr: int
    nwk_s_key: bytes = field(repr=False)
    app_s_key: bytes = field(repr=False)
    f_cnt_up: int
    f_cnt_down: int
    heard: bool
    settings: dict[str, Any]
    heard_by: HeardBy = ()

    @classmethod
    def of(cls, session: Session) -> "SessionRow":
        """The stored form of a session now."""
        return cls(
            session.dev_eui,
            session.dev_addr,
            session.nwk_s_key.value,
            session.app_s_key.value,
            session.f_cnt_up,
            session.f_cnt_down,
            session.heard,
            {name: getattr(session.settings, name) for name in _SETTINGS},
            session.heard_by,
        )


@dataclass(frozen=True, slots=True)
class Counted:
    """A session of which only the uplink counter rose."""

    dev_eui: int
    f_cnt_up: int
    heard_by: HeardBy


class Sessions:
    """All devices of a network by DevEUI and by DevAddr, and which of them changed since they were stored."""

    def __init__(self) -> None:
        self._roots: dict[int, Root] = {}
        self._sessions: dict[int, Session] = {}
        self._by_dev_addr: dict[int, list[Session]] = {}
        self._changed_roots: dict[int, Root] = {}
        self._lost: dict[int, Root] = {}
        self._changed: dict[int, Session] = {}
        self._counted: dict[int, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def add_root(self, root: Root) -> None:
        """Makes a device known, as the store has it."""
        self._roots[root.dev_eui] = root
        if root.refused_us is not None:
            self._lost[root.dev_eui] = root

    def restore(self, row: SessionRow) -> None:
        """Makes a session known, as the store has it; its root must be known."""
        root = self.root(row.dev_eui)
        self._enter(
            Session(
                dev_eui=row.dev_eui,
                dev_addr=row.dev_addr,
                nwk_s_key=AesKey(row.nwk_s_key),
                app_s_key=AesKey(row.app_s_key),
                settings=Settings(**row.settings),
                class_c=root.class_c,
                f_cnt_up=row.f_cnt_up,
                f_cnt_down=row.f_cnt_down,
                heard=row.heard,
                restored=True,
                heard_by=row.heard_by,
            )
        )

    def root(self, dev_eui: int) -> Root:
        """A device by DevEUI; UnknownError."""
        try:
            return self._roots[dev_eui]
        except KeyError:
            raise UnknownError("device", f"{dev_eui:016x}") from None

    @property
    def lost(self) -> int:
        """Devices that need re-admission."""
        return len(self._lost)

    def changed_root(self, root: Root) -> None:
        """Nonces, or the need of re-admission, changed: store them."""
        self._changed_roots[root.dev_eui] = root
        if root.refused_us is None:
            self._lost.pop(root.dev_eui, None)
        else:
            self._lost[root.dev_eui] = root

    def start(self, session: Session) -> None:
        """A join made this session; an older one of the device ends."""
        self._enter(session)
        self._changed[session.dev_eui] = session
        self.changed_root(self._roots[session.dev_eui])

    def _enter(self, session: Session) -> None:
        older = self._sessions.get(session.dev_eui)
        if older is not None:
            session.queue = older.queue
            session.outstanding, session.outstanding_until_us = older.outstanding, older.outstanding_until_us
            self._by_dev_addr[older.dev_addr].remove(older)
        self._sessions[session.dev_eui] = session
        self._by_dev_addr.setdefault(session.dev_addr, []).append(session)

    def of_device(self, dev_eui: int) -> Session | None:
        """The session of a device, or None before its first join."""
        return self._sessions.get(dev_eui)

    def of_address(self, dev_addr: int) -> list[Session]:
        """The sessions that share a DevAddr: usually one, told apart by their MIC."""
        return self._by_dev_addr.get(dev_addr, [])

    def changed(self, session: Session) -> None:
        """Settings, the downlink counter or `heard` changed: store the whole row."""
        self._changed[session.dev_eui] = session

    def counted(self, session: Session) -> None:
        """Only the uplink counter rose."""
        self._counted[session.dev_eui] = session
        if session.dev_eui in self._lost:  # it has its session: what was refused was a copy or a replay
            root = self._lost[session.dev_eui]
            root.refused_us = root.refused_nonce = None
            self.changed_root(root)

    def take_changes(self) -> tuple[list[Root], list[SessionRow], list[Counted]]:
        """What to store now: roots, whole sessions, and of those that only counted what changed."""
        roots = list(self._changed_roots.values())
        rows = [SessionRow.of(session) for session in self._changed.values()]
        counted = [
            Counted(eui, session.f_cnt_up, session.heard_by)
            for eui, session in self._counted.items()
            if eui not in self._changed
        ]
        self._changed_roots, self._changed, self._counted = {}, {}, {}
        return roots, rows, counted
