"""What the routes work on: the store, and the centre where one runs in this process."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine

from nyala.api.live import LiveHub
from nyala.app import Centre
from nyala.vocab.errors import SurroundingsError
from nyala.vocab.time import US_PER_S


@dataclass(slots=True)
class ApiState:
    """One API.  `now_us` is the clock of everything that it serves."""

    engine: Engine
    now_us: Callable[[], int]
    centre: Centre | None = None
    hub: LiveHub = field(default_factory=LiveHub)
    secure_cookies: bool = False

    @property
    def now_s(self) -> int:
        """The instant now, seconds UTC."""
        return self.now_us() // US_PER_S

    @property
    def running(self) -> Centre:
        """The centre; SurroundingsError where none runs in this process."""
        if self.centre is None:
            raise SurroundingsError("no centre runs in this process: commands cannot be sent")
        return self.centre
