"""Notifications: targets, and the messages that left or did not."""

from typing import Literal

from pydantic import BaseModel, Field

from nyala.headend.notify import TargetKind

SeverityName = Literal["high", "medium", "low"]


class TargetIn(BaseModel):
    """Whom to tell of what.  `severities`, `kinds` (names of the catalogue), `place`: empty for all.

    `place` is looked for in the sites, the gateway and the serial number of an alarm, whatever its case.
    """

    name: str = Field(min_length=1, max_length=64)
    kind: TargetKind
    address: str = Field(min_length=3, max_length=500)
    severities: list[SeverityName] = Field(default=[], max_length=3)
    kinds: list[str] = Field(default=[], max_length=64)
    place: str = Field(default="", max_length=120)


class TargetOut(BaseModel):
    """A target as lists show it."""

    id: int
    name: str
    kind: str
    address: str
    severities: list[str]
    kinds: list[str]
    place: str


class NewTargetOut(TargetOut):
    """A target that was just made, with the secret that signs what it gets (hex); it is not shown again."""

    secret: str


class TargetsOut(BaseModel):
    """All targets."""

    items: list[TargetOut]


class MessageOut(BaseModel):
    """A message of the outbox.  `state`: queued, sending, delivered or dead (not delivered); `next_s`: the next attempt."""

    id: int
    target: str
    address: str
    removed: bool
    subject: str
    event: str
    alarm: str | None
    scope: str | None
    place: str
    meters: int
    state: str
    attempts: int
    problem: str
    created_s: int
    updated_s: int
    next_s: int | None


class MessageCountsOut(BaseModel):
    """How many messages are in each state."""

    queued: int
    sending: int
    delivered: int
    dead: int


class MessagesOut(BaseModel):
    """A page of the outbox, newest first; `counts` are those of all."""

    items: list[MessageOut]
    next: str | None
    counts: MessageCountsOut
