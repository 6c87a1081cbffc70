"""What is told to whom, and the life of a message in the outbox.  No I/O.

    queued -> sending -> delivered
                      -> queued again, later and later, `ATTEMPTS_MAX` times
                      -> dead: not delivered, which is shown; a person may send it again

A message is stored in the transaction in which its notice arose, under a name that is there once for each target: it is never
lost and never made twice.  It is *delivered* when the other side took it.  Where the process ends between the two, it is
sent again under the same name (`Nyala-Id` and `Message-ID`), by which a receiver knows it.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from nyala.headend.storms_shapes import Entry, Incident, Notice, Taken
from nyala.vocab.centre_alarms import alarm_kind
from nyala.vocab.errors import ConflictError
from nyala.vocab.time import US_PER_S

ATTEMPTS_MAX: Final = 16
BACK_OFF_S: Final = 10
BACK_OFF_MAX_S: Final = 3_600
"""10, 20, 40 s ... an hour: with `ATTEMPTS_MAX`, a receiver that is down for seven hours loses nothing."""
SECRET_BYTES: Final = 32
TEXT_VERSION: Final = 1
SIGNED_FOR_S: Final = 300
"""A receiver refuses a signature whose instant is further away than this."""


class TargetKind(StrEnum):
    """How a target is told."""

    WEBHOOK = "webhook"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to tell, and of what.  `severities`, `kinds` (names of alarms), `place`: empty for all.

    `place` is looked for in the sites, the gateway and the serial number, whatever its case.
    """

    id: int
    tenant_id: int
    name: str
    kind: TargetKind
    address: str
    secret: bytes
    severities: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    place: str = ""

    def wants(self, notice: Notice) -> bool:
        """Whether a notice is for this target."""
        kind = alarm_kind(notice.alarm)
        found = any(self.place.casefold() in text.casefold() for text in (notice.place, *notice.sites))
        return (
            self.tenant_id == notice.tenant_id
            and (not self.severities or kind.severity.value in self.severities)
            and (not self.kinds or kind.name in self.kinds)
            and (found or not self.place)
        )


class MessageState(StrEnum):
    """The life of a message."""

    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Happened(StrEnum):
    """What moves it."""

    BEGUN = "begun"
    TAKEN = "taken"
    FAILED = "failed"
    """Another attempt may do."""
    REFUSED = "refused"
    """No attempt will do: the other side, or our own guard, says no."""
    LOST = "lost"
    """The process ended meanwhile: nobody knows whether it was taken."""
    REMOVED = "removed"
    """Its target is no more."""
    RESENT = "resent"


_S, _H = MessageState, Happened
TABLE: Final[Mapping[tuple[MessageState, Happened], MessageState]] = {
    (_S.QUEUED, _H.BEGUN): _S.SENDING,
    (_S.QUEUED, _H.REMOVED): _S.DEAD,
    (_S.SENDING, _H.TAKEN): _S.DELIVERED,
    (_S.SENDING, _H.FAILED): _S.QUEUED,
    (_S.SENDING, _H.REFUSED): _S.DEAD,
    (_S.SENDING, _H.LOST): _S.QUEUED,
    (_S.DEAD, _H.RESENT): _S.QUEUED,
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the outbox: a notice for a target.  `subject` is there once for each target; `body` is JSON."""

    id: int
    target_id: int
    subject: str
    body: str
    state: MessageState
    attempts: int
    updated_us: int
    next_us: int
    problem: str = ""

    @property
    def name(self) -> str:
        """What a receiver knows it by."""
        return f"{self.subject}.{self.target_id}"


def moved(message: Message, happened: Happened, now_us: int, problem: str = "") -> Message:
    """The message after something happened to it; ConflictError for what its state does not allow."""
    state = TABLE.get((message.state, happened))
    if state is None:
        raise ConflictError(f"message {message.id} is {message.state}: it cannot be {happened}")
    attempts, next_us = message.attempts, now_us
    if happened is Happened.BEGUN:
        attempts += 1
    elif happened is Happened.RESENT:
        attempts = 0
    elif state is MessageState.QUEUED and attempts >= ATTEMPTS_MAX:
        state, problem = MessageState.DEAD, f"{problem} ({attempts} attempts)"
    elif happened is Happened.FAILED:
        next_us += back_off_s(attempts) * US_PER_S
    return Message(message.id, message.target_id, message.subject, message.body, state, attempts, now_us, next_us, problem)


def back_off_s(attempts: int) -> int:
    """How long the next attempt waits after so many failed."""
    return int(min(BACK_OFF_S << max(attempts - 1, 0), BACK_OFF_MAX_S))


def bodies(notices: Iterable[Notice], targets: Iterable[Target]) -> list[tuple[Target, str, str]]:
    """(target, subject, body) of everything that is to be told."""
    known = list(targets)
    return [(target, notice.subject, body_of(notice)) for notice in notices for target in known if target.wants(notice)]


def body_of(notice: Notice) -> str:
    """A notice as JSON: what a webhook gets, and what a mail is made from."""
    kind = alarm_kind(notice.alarm)
    said: dict[str, Any] = {
        "version": TEXT_VERSION,
        "subject": notice.subject,
        "event": "raised" if notice.on else "cleared",
        "alarm": kind.name,
        "severity": kind.severity.value,
        "label_en": kind.label_en,
        "label_id": kind.label_id,
        "scope": notice.scope.value,
        "place": notice.place,
        "sites": [site for site in notice.sites if site],
        "meters": notice.meters,
        "first_s": notice.first_s,
        "at_s": notice.at_s,
        "value": None if not kind.unit else notice.value,
        "unit": kind.unit or None,
        "scaler": kind.scaler,
    }
    return msgspec.json.encode(said).decode()


def trial_body(subject: str, at_s: int) -> str:
    """What a person sends to see whether a target is told."""
    kind = alarm_kind(0)
    said = {"version": TEXT_VERSION, "subject": subject, "event": "test", "alarm": None, "severity": kind.severity.value}
    return msgspec.json.encode(said | {"scope": None, "place": "", "sites": [], "meters": 0, "at_s": at_s}).decode()


def signature(secret: bytes, at_s: int, body: bytes) -> str:
    """The header `Nyala-Signature`: `t=SECONDS,v1=HEX`, HMAC-SHA256 over `SECONDS.BODY`: neither can be changed alone."""
    digest = hmac.new(secret, str(at_s).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def is_signed(secret: bytes, header: str, body: bytes, now_s: int) -> bool:
    """What a receiver does with it."""
    said = header.removeprefix("t=").partition(",")[0]
    fresh = said.isdecimal() and abs(now_s - int(said)) <= SIGNED_FOR_S
    return fresh and hmac.compare_digest(header, signature(secret, int(said), body))


@dataclass(frozen=True, slots=True)
class AlarmNoted:
    """A change of an alarm as the store noted it, in the order of `id`.  `before_s` 0: it went on."""

    id: int
    meter_id: int
    alarm: int
    at_s: int
    value: int | None
    before_s: int
    cleared_s: int | None
    received_us: int | None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the store knows of storms and silence at the start."""

    incidents: list[Incident]
    entries: list[Entry]
    next_incident: int
    silent: dict[int, int]
    """Since when, by meter."""
    down: list[str]
    gateways: dict[str, int]
    """When each was last seen."""


@dataclass(frozen=True, slots=True)
class CentreAlarm:
    """The alarm `silent` of a meter went on (`cleared_s` None) or is over."""

    tenant_id: int
    meter_id: int
    raised_s: int
    cleared_s: int | None


class Outbox(Protocol):
    """What the notifier asks of the store.  Each call is one transaction."""

    def remembered(self) -> Remembered:
        """Everything at the start."""

    def noted(self, limit: int) -> list[AlarmNoted]:
        """The oldest changes that are not worked off."""

    def keep(self, taken: Taken, upto: int, centre: list[CentreAlarm], now_us: int) -> None:
        """Stores what changes up to this number led to, and the messages for whoever is to be told."""

    def lost(self, now_us: int) -> None:
        """Queues again what was being sent when the process ended."""

    def begin(self, now_us: int, limit: int) -> list[tuple[Message, Target]]:
        """Messages that are due, now being sent."""

    def end(self, message: Message) -> None:
        """Stores how an attempt ended."""
