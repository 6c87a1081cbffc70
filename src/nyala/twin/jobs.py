"""What a twin has to say, as jobs in order of urgency.  A job becomes payloads only when the room of the frame is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum


class Urgency(IntEnum):
    """Smaller goes first."""

    ANSWER = 0
    EVENT = 1
    READ = 2
    REPORT = 3
    BACKFILL = 4


@dataclass(slots=True)
class Job:
    """Something to say.  `pack(room)` gives its payloads of at most `room` bytes by FPort; `tries` are left if confirmed."""

    urgency: Urgency
    pack: Callable[[int], Sequence[tuple[int, bytes]]]
    confirmed: bool = False
    tries: int = 1
    not_before_us: int = 0
    once: bool = False
    """Not to be repeated by the MAC."""
    channel: int | None = None
    """Of its slot."""
    payloads: list[tuple[int, bytes]] = field(default_factory=list)

    def next_payload(self, room: int) -> tuple[int, bytes] | None:
        """The next payload, packed anew where the room has become smaller than it is; None: nothing is left to say."""
        if not self.payloads or len(self.payloads[0][1]) > room:
            self.payloads = list(self.pack(room))
        return self.payloads[0] if self.payloads else None

    def said(self) -> bool:
        """The next payload was said; True where the job is done."""
        self.payloads.pop(0)
        return not self.payloads


class Jobs:
    """The waiting jobs, the most urgent and oldest first, at most `limit`: beyond it the least urgent one is dropped."""

    def __init__(self, limit: int) -> None:
        self.limit, self.dropped = limit, 0
        self._waiting: list[Job] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, job: Job) -> None:
        """Adds a job behind those of its urgency."""
        at = next((i for i, each in enumerate(self._waiting) if each.urgency > job.urgency), len(self._waiting))
        self._waiting.insert(at, job)
        if len(self._waiting) > self.limit:
            self._waiting.pop()
            self.dropped += 1

    def waits(self, urgency: Urgency) -> bool:
        """Whether something of an urgency is to be said."""
        return any(job.urgency is urgency for job in self._waiting)

    def due(self, now_us: int) -> Job | None:
        """The job to say now."""
        return next((job for job in self._waiting if job.not_before_us <= now_us), None)

    @property
    def next_us(self) -> int | None:
        """When the first job may be said; None without jobs."""
        return min((job.not_before_us for job in self._waiting), default=None)

    def remove(self, job: Job) -> None:
        """Ends a job; one that was dropped while it was on the air has ended already."""
        self._waiting = [each for each in self._waiting if each is not job]

    def clear(self) -> None:
        """Forgets all: the power is gone."""
        self._waiting.clear()
