"""A stand-in coder for frames: a width of 4 bits and the values in so many bits.  Model 1: import, 2: import and export."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nyala.telegram.bits import BitReader, BitWriter
from nyala.vocab.errors import TelegramError
from nyala.vocab.quantities import Channel

CHANNELS = {1: (Channel.IMPORT,), 2: (Channel.IMPORT, Channel.EXPORT)}


@dataclass(frozen=True)
class WidthCoder:
    """Bodies by widths; values of 16 bits and more it cannot say."""

    epoch: int = 1

    def encode_body(self, run: Mapping[Channel, Sequence[int]], room_bits: int) -> tuple[int, bytes] | None:
        """The shortest body of known channels."""
        model = next((model for model, channels in CHANNELS.items() if set(channels) == set(run)), None)
        if model is None:
            return None
        out = BitWriter()
        for channel in CHANNELS[model]:
            width = max(run[channel]).bit_length()
            if width > 15:
                return None
            out.put(width, 4)
            for value in run[channel]:
                out.put(value, width)
        body = out.to_bytes().rstrip(b"\0")
        return (model, body) if 8 * len(body) <= room_bits else None

    def decode_body(self, model: int, body: bytes, count: int) -> dict[Channel, tuple[int, ...]]:
        """The values; what is missing reads as zero."""
        if model not in CHANNELS:
            raise TelegramError(f"no model {model}")
        size = 2 * (count * 2 + 1)
        bits = BitReader(body + bytes(max(0, 2 * size - len(body))))
        rows = {}
        for channel in CHANNELS[model]:
            width = bits.take(4)
            rows[channel] = tuple([bits.take(width) for _ in range(count)])
        rest = bits.left
        if rest and bits.take(rest):
            raise TelegramError("bits behind the intervals")
        return rows
