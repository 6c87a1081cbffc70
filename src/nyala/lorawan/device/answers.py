"""MAC commands on their way up: answers to the network, answers that stick, requests of our own.  TS001-1.0.4 section 5.

All answers to one downlink go into one uplink, in the order of the requests, before requests of our own and before any
payload.  What does not fit is cut off and forgotten, as the standard says: the network asks again.  Sticky answers come
again in every uplink until a class A downlink.
"""

from collections.abc import Iterable, Sequence

from nyala.lorawan import mac_commands as mac

TIME_REQUEST = mac.encode([mac.DeviceTimeReq()])


class Answers:
    """What the next uplink takes along."""

    def __init__(self, sticky: tuple[type[mac.Command], ...]) -> None:
        self._sticks = sticky
        self._answers: list[bytes] = []
        self._requests: list[bytes] = []

    def clear(self) -> None:
        """Forgets all: a new session."""
        self._answers, self._requests = [], []

    def request(self, command: mac.Command) -> None:
        """Puts a request of our own into the next uplink, once."""
        said = mac.encode([command])
        if said not in self._requests:
            self._requests.append(said)

    def add(self, answers: Iterable[mac.Command], sticky: dict[int, bytes]) -> None:
        """The answers to a downlink; `sticky` is the session's, by CID."""
        for answer in answers:
            said = mac.encode([answer])
            self._answers.append(said)
            if isinstance(answer, self._sticks):
                sticky[answer.CID] = said

    def carried(self, sticky: dict[int, bytes], room: int) -> list[bytes]:
        """What the next uplink takes along in `room` bytes of FOpts; cut off after the last whole command that fits."""
        repeated = [each for each in sticky.values() if each not in self._answers]
        return _fitting((*self._answers, *repeated, *self._requests), room)

    def sent(self, carried: Sequence[bytes]) -> None:
        """The uplink is made: answers are given, requests that it took are made."""
        self._answers = []
        self._requests = [each for each in self._requests if each not in carried]


def _fitting(commands: Iterable[bytes], room: int) -> list[bytes]:
    carried = []
    for each in commands:
        room -= len(each)
        if room < 0:
            break
        carried.append(each)
    return carried
