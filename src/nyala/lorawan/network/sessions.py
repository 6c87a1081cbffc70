"""What the network remembers of each device: its root, its session, and where it was heard last.

`Root` and the fields of `Session` above `-- not stored` are stored by the layers around (a `SessionRow` and its
`settings`); everything below is learned again from the next uplink.
"""

from collections import deque
from dataclasses import dataclass, field, fields
from typing import Any, Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.network.port import Downlink, Reception
from nyala.vocab.errors import UnknownError

SNR_HISTORY: Final = 20
"""Uplinks that adaptive data rate looks back on."""
QUEUE_LIMIT: Final = 16
"""Application downlinks that may wait for one device."""


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


@dataclass(slots=True)
class Settings:
    """What the device has confirmed of its settings."""

    data_rate: int
    tx_power: int = 0
    nb_trans: int = 1
    channels: list[int] = field(default_factory=list)
    """Indices of the channels it has and uses."""
    rx2_data_rate: int = 2
    rx1_dr_offset: int = 0
    rx_delay_s: int = 1
    uplink_dwell: bool = True
    downlink_dwell: bool = False
    max_eirp_code: int = 5
    tx_params_known: bool = False
    battery: int | None = None


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
    last: tuple[Reception, ...] = ()
    """Copies of the last uplink, best SNR first."""
    snr_db: deque[float] = field(default_factory=lambda: deque(maxlen=SNR_HISTORY))
    asked: list[mac.Command] = field(default_factory=list)
    """MAC requests that wait for their answer."""
    refused: set[mac.Command] = field(default_factory=set)
    """MAC requests that the device did not take: not asked again in this run."""
    rx1_us: int = 0
    """When RX1 of the last uplink opens."""
    windows_used: bool = True
    """A downlink was put into the windows of the last uplink."""
    queue: deque[Downlink] = field(default_factory=deque)
    outstanding: Downlink | None = None
    """The confirmed downlink that waits for its acknowledgement."""
    outstanding_until_us: int = 0
    restored: bool = False
    """It comes from the store: a confirmed downlink of before the restart may still be answered."""

    @property
    def heard_by(self) -> "HeardBy":
        """Which gateways heard the last uplink: the way back, stored for after a restart."""
        return tuple([(reception.gateway, reception.snr_db) for reception in self.last])


HeardBy = tuple[tuple[int, float], ...]
"""(gateway, SNR in dB) of the last uplink, best first."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as it is stored."""

    dev_eui: int
    dev_addr: int
    nwk_s_key: bytes
    app_s_key: bytes
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
            {name: getattr(session.settings, name) for name in _SETTINGS} | {"channels": list(session.settings.channels)},
            session.heard_by,
        )


def _remembered(gateway: int, snr_db: float) -> Reception:
    """A reception of an earlier run: it says which gateway reaches the device, and nothing of when."""
    return Reception(gateway, b"", 0, 0, 0, 0.0, snr_db, 0)


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
        self._changed: dict[int, Session] = {}
        self._counted: dict[int, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def add_root(self, root: Root) -> None:
        """Makes a device known, as the store has it."""
        self._roots[root.dev_eui] = root

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
                last=tuple(_remembered(gateway, snr_db) for gateway, snr_db in row.heard_by),
            )
        )

    def root(self, dev_eui: int) -> Root:
        """A device by DevEUI; UnknownError."""
        try:
            return self._roots[dev_eui]
        except KeyError:
            raise UnknownError("device", f"{dev_eui:016x}") from None

    def start(self, session: Session) -> None:
        """A join made this session; an older one of the device ends."""
        self._enter(session)
        self._changed[session.dev_eui] = session
        self._changed_roots[session.dev_eui] = self._roots[session.dev_eui]

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
