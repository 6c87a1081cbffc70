"""Seeded random frames for the peers: every kind of data frame, both directions."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.frame import DataFrame, FType

FRAMES = 400
UP = (FType.UNCONFIRMED_UP, FType.CONFIRMED_UP)
DOWN = (FType.UNCONFIRMED_DOWN, FType.CONFIRMED_DOWN)


@dataclass(frozen=True)
class Case:
    """A frame with clear payload and its full counter, and the keys of its session."""

    frame: DataFrame
    nwk_s_key: bytes
    app_s_key: bytes

    @property
    def keys(self) -> tuple[AesKey, AesKey]:
        return AesKey(self.nwk_s_key), AesKey(self.app_s_key)


def cases(seed: int, types: tuple[FType, ...], *, ports: range = range(224), count: int = FRAMES) -> Iterator[Case]:
    """Frames of some types; those on port 0 carry no FOpts, payloads have 1 to 222 bytes."""
    random = Random(seed)
    for _ in range(count):
        port = random.choice(ports)
        frame = DataFrame(
            f_type=random.choice(types),
            dev_addr=random.getrandbits(32),
            f_cnt=random.getrandbits(random.choice([4, 16, 17, 32])),
            f_opts=b"" if port == 0 else random.randbytes(random.choice([0, 0, 1, 7, 15])),
            f_port=port,
            payload=random.randbytes(random.choice([1, 11, 15, 16, 17, 53, 222])),
            adr=random.random() < 0.5,
            ack=random.random() < 0.5,
        )
        yield Case(frame, random.randbytes(16), random.randbytes(16))
