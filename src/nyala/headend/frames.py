"""Periodic frames at the centre: a window of bodies for each meter, out of which parity gives what was lost.

A frame brings its own body and those that it repairs (`telegram/parity.py`); each is decoded by itself, so that one that is
not what it should be refuses no other.  The window of a meter is stored in the same unit of work as the readings that it
led to: what a parity may still repair survives `kill -9` (law 2).
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Final

from nyala.headend.readings import Readings
from nyala.headend.registry import MeterRecord, MeterState
from nyala.telegram import frames
from nyala.telegram.frame_coder import CHANNEL_SETS, TableCoder
from nyala.telegram.frame_header import COUNTS, resolved
from nyala.telegram.frames import Frame
from nyala.telegram.kinds import Port
from nyala.telegram.load_model_file import EPOCHS, model_of_epoch
from nyala.telegram.parity import Body, Recovery
from nyala.vocab.errors import TelegramError
from nyala.vocab.quantities import Channel
from nyala.vocab.time import US_PER_S

if TYPE_CHECKING:
    from nyala.telegram.load_model_kernel import Batch, BatchDecoder

PORTS: Final = frozenset((Port.FRAME, Port.FRAME_SUM, Port.FRAME_FULL))
OPEN_MAX: Final = 16_384
"""Windows that are kept unpacked, about 6 kB each; the others are the bytes of the store."""
EPOCHS_TOLD: Final = 4
"""A header says the epoch of its tables mod 4: of those in the package that share it, the newest is meant."""


Rows = Mapping[Channel, Sequence[int]]


@cache
def coder_of(epoch: int) -> TableCoder:
    """The coder of an epoch as a header says it; TelegramError where no tables of it are known."""
    known = [each for each in EPOCHS if each % EPOCHS_TOLD == epoch]
    if not known:
        raise TelegramError(f"intervals by tables of epoch {epoch} mod {EPOCHS_TOLD}; known are {EPOCHS}")
    return TableCoder(model_of_epoch(max(known)))


@cache
def batch_decoder_of(epoch: int) -> "BatchDecoder":
    """As `coder_of`, for many bodies at once."""
    from nyala.telegram.load_model_kernel import BatchDecoder  # noqa: PLC0415 - it loads Numba

    return BatchDecoder(coder_of(epoch).model)


class Frames:
    """The windows of all meters.  `stored`: those of before, by meter."""

    def __init__(self, readings: Readings, counts: Counter[str], stored: Mapping[int, bytes] | None = None) -> None:
        self._readings, self._counts = readings, counts
        self._stored = dict(stored or {})
        self._open: OrderedDict[int, Recovery] = OrderedDict()
        self._changed: dict[int, None] = {}
        self._foreseen: dict[tuple[int, bytes], tuple[Frame, Rows]] = {}

    def foresee(self, said: Iterable[tuple[int | None, bytes]]) -> None:
        """Decodes the frames of many (port, payload) in one go, for calls of `take`; what is no frame is left to these."""
        batches: dict[int, list[tuple[tuple[int, bytes], Frame]]] = {}
        for port, payload in said:
            if port in PORTS:
                with suppress(TelegramError):
                    frame = _parsed(port, payload)
                    batches.setdefault(frame.header.lead >> 3, []).append(((port, payload), frame))
        for tables, batch in batches.items():
            channels = CHANNEL_SETS.get(tables & 7)
            if channels is None:
                continue
            with suppress(TelegramError):
                decoder = batch_decoder_of(tables >> 3)
                counts, bodies = [frame.header.intervals for _, frame in batch], [frame.body for _, frame in batch]
                self._note(batch, decoder.decode(channels, counts, bodies))

    def _note(self, batch: Sequence[tuple[tuple[int, bytes], Frame]], found: "Batch") -> None:
        for (said, frame), good, rows in zip(batch, found.good.tolist(), found.values.tolist(), strict=True):
            if good:
                count = frame.header.intervals
                self._foreseen[said] = frame, {channel: row[:count] for channel, row in zip(found.channels, rows, strict=True)}

    def take(self, meter: MeterRecord, state: MeterState, port: int, payload: bytes, received_us: int) -> None:
        """A frame of one of `PORTS`; TelegramError for what is none, is of the future, or has a body that is none.

        A frame does not say the length of its intervals: that of a meter which said another one in its hello is refused.
        """
        if state.period_s not in (0, meter.period_s):
            raise TelegramError(f"intervals of {state.period_s} s from a meter that is set to {meter.period_s} s")
        received_s, full = received_us // US_PER_S, port == Port.FRAME_FULL
        frame, rows = self._foreseen.pop((port, payload), None) or (_parsed(port, payload), None)
        header = frame.header
        number = header.number if full else resolved(header, meter.period_s, received_s)
        heard = Body(header.lead, number, frame.body)
        window = self._window(meter)
        before = window.contradictions
        found = window.take(heard, frame.parity, received_s)
        self._counts["contradictions"] += window.contradictions - before
        self._changed[meter.id] = None
        if full and heard not in found:  # asked for, and the window may know no more of it
            found.insert(0, heard)
        error = None
        for body in found:
            try:
                self._body(meter, state, body, rows if body is heard else None)
            except TelegramError as why:
                self._counts["bodies_refused"] += 1
                error = why if body is heard else error
        if frame.register is not None:
            self._readings.prove(meter, Channel.IMPORT, (number + 1) * header.intervals, frame.register)
        if error is not None:
            raise error

    def _body(self, meter: MeterRecord, state: MeterState, body: Body, rows: Rows | None) -> None:
        said = frames.rows_of(body.lead, body.body, coder_of(body.lead >> 6)) if rows is None else rows
        self._readings.take(meter, state, body.number * COUNTS[body.lead & 7], said)
        self._counts["recovered"] += body.recovered

    def _window(self, meter: MeterRecord) -> Recovery:
        """The window of a meter, unpacked."""
        window = self._open.pop(meter.id, None) or Recovery(meter.period_s, self._stored.get(meter.id, b""))
        self._open[meter.id] = window
        return window

    def may_still_repair(self, meter_id: int, interval: int) -> bool:
        """Whether a frame that is still to come may repair this interval; False where the window was not used for long."""
        window = self._open.get(meter_id)
        return window is not None and window.may_repair(interval)

    def take_changes(self) -> list[tuple[int, bytes]]:
        """The windows to store now, by meter."""
        changed = [(meter_id, self._open[meter_id].kept()) for meter_id in self._changed]
        self._stored.update(changed)
        self._changed, self._foreseen = {}, {}
        while len(self._open) > OPEN_MAX:
            self._open.popitem(last=False)
        return changed


def _parsed(port: int, payload: bytes) -> Frame:
    return frames.decode(payload, full=port == Port.FRAME_FULL, has_sum=port == Port.FRAME_SUM)
