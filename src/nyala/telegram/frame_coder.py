"""The bodies of frames by the tables of a load model: which channels a model id of the header stands for.

`CHANNEL_SETS` is the table.  What loads the channels have, the body says itself (`load_model_coder`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nyala.telegram.load_model import LoadModel
from nyala.telegram.load_model_coder import decode_body, encode_body
from nyala.vocab.errors import TelegramError
from nyala.vocab.quantities import Channel

CHANNEL_SETS: Final[Mapping[int, tuple[Channel, ...]]] = {
    1: (Channel.IMPORT,),
    2: (Channel.IMPORT, Channel.EXPORT),
    3: (Channel.IMPORT, Channel.EXPORT, Channel.Q1, Channel.Q2, Channel.Q3, Channel.Q4),
    4: tuple(Channel),
}
"""Channels of a body by its model id; other channels travel raw."""
_MODEL_OF: Final = {frozenset(channels): model for model, channels in CHANNEL_SETS.items()}


@dataclass(frozen=True, slots=True)
class TableCoder:
    """A `frames.Coder` of one load model."""

    model: LoadModel

    @property
    def epoch(self) -> int:
        """Epoch of the tables."""
        return self.model.epoch

    def encode_body(self, run: Mapping[Channel, Sequence[int]], room_bits: int) -> tuple[int, bytes] | None:
        """(model id, body); None for channels of no set, and a body beyond the room."""
        model = _MODEL_OF.get(frozenset(run))
        if model is None:
            return None
        body = encode_body(self.model, run)
        return (model, body) if 8 * len(body) <= room_bits else None

    def decode_body(self, model: int, body: bytes, count: int) -> dict[Channel, tuple[int, ...]]:
        """`count` values of each channel of the set; TelegramError for an id of no set and for any other bytes."""
        if model not in CHANNEL_SETS:
            raise TelegramError(f"no channels have model id {model}")
        return decode_body(self.model, CHANNEL_SETS[model], count, body)
