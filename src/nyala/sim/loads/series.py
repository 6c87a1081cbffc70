"""A load series from a CSV file that somebody gives us; every meter plays it.  The registers get exactly its Wh.

Header `start,import_wh`, then any of `export_wh`, `q1_varh`, `q4_varh` in this order.  `start` is an ISO 8601 instant
with a zone, equally spaced by one of `SPACINGS_S`, without gaps.  The rest are whole numbers, never negative, for the
time from `start` to the next: at the meter's terminals, and not measured again, so the creep threshold and the meter's
maximum do not matter.  An energy is spread evenly over its row; every spacing divides an hour, so each second gets whole
mW and any cut is exact.  Apparent energy is made from the row's own: import with q1 + q4, export alone.
"""

import csv
from array import array
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from nyala.meter.chip import Integers
from nyala.meter.model import MeterModel
from nyala.sim.loads.mains import Mains
from nyala.sim.loads.source import WIB_S, Segments, checked_models, checked_step, phase_mask, split_evenly
from nyala.vocab.errors import BadArgumentError, FileError
from nyala.vocab.quantities import MWS_PER_WH, Channel
from nyala.vocab.time import instant_from_text, iso

NEEDED: Final = ("start", "import_wh")
OPTIONAL: Final = {"export_wh": Channel.EXPORT, "q1_varh": Channel.Q1, "q4_varh": Channel.Q4}
CHANNELS: Final = (Channel.IMPORT, Channel.EXPORT, Channel.Q1, Channel.Q4)
"""Channels of a series, in the order of its arrays."""
SPACINGS_S: Final = (60, 300, 600, 900, 1800, 3600)
ENERGY_MAX: Final = 100_000_000
"""Wh in one row.  Fifteen such rows in one step, times its 900 s, is the most that the bank's int64 holds."""
ROWS_MAX: Final = 6_000_000
"""Eleven years of minutes: 190 MB."""
LINE_MAX: Final = 4096
"""Bytes of one line: a file without line ends is not read into memory."""
LATEST_S: Final = 4_102_444_800
"""2100-01-01: a later start, or one before 1970, is a slip of the pen."""
_SHOWN: Final = 40
"""Characters of a bad field that an error shows; no instant is longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A file as read.  `power_mw` rows x `CHANNELS`: what each second of a row has, mW or mvar."""

    path: str
    start_s: int
    spacing_s: int
    power_mw: Integers

    @property
    def end_s(self) -> int:
        """The instant at which its last row ends."""
        return self.start_s + len(self.power_mw) * self.spacing_s


class _Reader:
    """The rows of a file, each checked against the one before."""

    def __init__(self, stream: BinaryIO, path: str) -> None:
        self.path = path
        self._rows = csv.reader(self._lines(stream), strict=True)
        header = self._next()
        optional = [name for name in OPTIONAL if header is not None and name in header]
        if header != [*NEEDED, *optional]:
            raise self.error(f"header must be {','.join(NEEDED)}[,{','.join(OPTIONAL)}]", at_least=1)
        self.columns = [CHANNELS.index(channel) for channel in (Channel.IMPORT, *(OPTIONAL[name] for name in optional))]

    def error(self, what: str, at_least: int = 0) -> FileError:
        """The error of the line that was read last."""
        return FileError(what, path=self.path, line=max(self._rows.line_num, at_least))

    def rows(self) -> Iterator[tuple[int, list[int]]]:
        """(start, whole numbers) of each row."""
        while (fields := self._next()) is not None:
            if len(fields) != 1 + len(self.columns):
                raise self.error(f"{len(fields)} fields where the header has {1 + len(self.columns)}")
            yield self._start(fields[0]), [self._energy(text) for text in fields[1:]]

    def _lines(self, stream: BinaryIO) -> Iterator[str]:
        number = 0
        while line := stream.readline(LINE_MAX + 1):
            number += 1
            if len(line) > LINE_MAX:
                raise FileError(f"line of more than {LINE_MAX} bytes", path=self.path, line=number)
            # A byte that is not UTF-8 becomes a lone surrogate: it then fails as a bad field, with its line.
            yield (line.removeprefix(BOM_UTF8) if number == 1 else line).decode(errors="surrogateescape")

    def _next(self) -> list[str] | None:
        try:
            return next(self._rows, None)
        except csv.Error as error:
            raise self.error(f"not CSV: {error}") from None

    def _start(self, text: str) -> int:
        if len(text) > _SHOWN:
            raise self.error(f"not an ISO 8601 instant: {text[:_SHOWN]!r}")
        if "." in text or "," in text:
            raise self.error(f"start must be a whole second: {text!r}")
        try:
            start_s = instant_from_text(text)
        except BadArgumentError as error:
            raise self.error(str(error)) from None
        if not 0 <= start_s < LATEST_S:
            raise self.error(f"start is not between 1970 and 2100: {text!r}")
        return start_s

    def _energy(self, text: str) -> int:
        if not (text.isascii() and text.removeprefix("-").isdigit()):
            raise self.error(f"not a whole number: {text[:_SHOWN]!r}")
        if text.startswith("-"):
            raise self.error(f"negative energy: {text[:_SHOWN]!r}")
        if len(text) > _SHOWN or int(text) > ENERGY_MAX:
            raise self.error(f"more than {ENERGY_MAX} in one row: {text[:_SHOWN]!r}")
        return int(text)

    def spacing(self, before_s: int, start_s: int, spacing_s: int | None) -> int:
        """The distance of two rows; an error where it is not that of the rows before."""
        step_s = start_s - before_s
        if step_s == 0:
            raise self.error(f"duplicate start {iso(start_s)}")
        if step_s < 0:
            raise self.error(f"start {iso(start_s)} does not come after {iso(before_s)}")
        if spacing_s is None and step_s not in SPACINGS_S:
            raise self.error(f"rows are {step_s} s apart; it must be one of {', '.join(map(str, SPACINGS_S))}")
        if spacing_s is not None and step_s > spacing_s:
            raise self.error(f"gap: nothing between {iso(before_s + spacing_s)} and {iso(start_s)}")
        if spacing_s is not None and step_s < spacing_s:
            raise self.error(f"start {iso(start_s)} is {step_s} s after the row before; rows are {spacing_s} s apart")
        return step_s


def parse_series(stream: BinaryIO, path: str) -> Series:
    """The series in the bytes of a file; FileError with path and line for anything else."""
    reader = _Reader(stream, path)
    start_s = before_s = -1
    spacing_s: int | None = None
    count, values = 0, array("q")
    for at_s, energies in reader.rows():
        if count == ROWS_MAX:
            raise reader.error(f"more than {ROWS_MAX} rows")
        if count:
            spacing_s = reader.spacing(before_s, at_s, spacing_s)
        else:
            start_s = at_s
        before_s, count = at_s, count + 1
        values.extend(energies)
    if spacing_s is None:
        raise reader.error("a series has at least two rows", at_least=1)
    power_mw = np.zeros((count, len(CHANNELS)), np.int64)
    power_mw[:, reader.columns] = np.frombuffer(values, np.int64).reshape(count, -1) * (MWS_PER_WH // spacing_s)
    return Series(path, start_s, spacing_s, power_mw)


def read_series(path: str) -> Series:
    """The series in a file; FileError for one that cannot be read or is wrong."""
    with _opened(path) as stream:
        return parse_series(stream, path)


def first_row_s(path: str) -> int:
    """Start of the first row of a file, where its run starts; FileError as `read_series`.  Reads no further."""
    with _opened(path) as stream:
        reader = _Reader(stream, path)
        for start_s, _ in reader.rows():
            return start_s
        raise reader.error("a series has at least two rows", at_least=1)


def _opened(path: str) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror}", path=path) from None
    except ValueError as error:
        raise FileError(f"cannot be read: {error}", path=path) from None


class SeriesLoads:
    """A series as a load source: all meters alike, power shared by the phases."""

    def __init__(self, series: Series, models: Sequence[MeterModel], seed: int, step_s: int, *, offset_s: int = WIB_S) -> None:
        self.step_s = checked_step(step_s)
        self.series, self.models = series, checked_models(models)
        self._mask = phase_mask(self.models)
        self._mains = Mains(self.models, seed, offset_s=offset_s)
        if series.start_s % step_s:
            raise FileError(f"the run steps by {step_s} s and cannot start at {iso(series.start_s)}", path=series.path, line=2)

    def covers(self, start_s: int, end_s: int) -> None:
        """FileError where the file begins after `start_s` or ends before `end_s`."""
        series = self.series
        if not series.start_s <= start_s <= end_s <= series.end_s:
            what = f"goes from {iso(series.start_s)} to {iso(series.end_s)}; the run from {iso(start_s)} to {iso(end_s)}"
            raise FileError(what, path=series.path)

    def segments(self, start_s: int) -> Segments:
        """The signal over [start_s, start_s + step_s); FileError outside the file."""
        assert start_s % self.step_s == 0, "a segment starts at a multiple of the step"
        end_s = start_s + self.step_s
        self.covers(start_s, end_s)
        series, n = self.series, len(self.models)
        first = (start_s - series.start_s) // series.spacing_s
        past = -((series.start_s - end_s) // series.spacing_s)
        begins = series.start_s + np.arange(first, past) * series.spacing_s
        lasts = np.minimum(begins + series.spacing_s, end_s) - np.maximum(begins, start_s)
        energy = self._channels(series.power_mw[first:past]).T @ lasts
        watts = energy / (1000 * self.step_s)
        p_w = np.full(n, watts[Channel.IMPORT] - watts[Channel.EXPORT])
        q_var = np.full(n, watts[Channel.Q1] - watts[Channel.Q4])
        middle_s = start_s + self.step_s // 2
        return Segments(
            end_s=end_s,
            energy_mws=np.broadcast_to(energy, (n, len(Channel))),
            u_v=self._mains.u_v(middle_s),
            p_w=split_evenly(p_w, self._mask),
            q_var=split_evenly(q_var, self._mask),
            f_hz=self._mains.f_hz(middle_s),
        )

    @staticmethod
    def _channels(power_mw: Integers) -> Integers:
        """Rows x 8 channels of rows x `CHANNELS`."""
        full = np.zeros((len(power_mw), len(Channel)), np.int64)
        full[:, CHANNELS] = power_mw
        reactive = full[:, Channel.Q1] + full[:, Channel.Q4]
        full[:, Channel.IMPORT_VA] = np.rint(np.hypot(full[:, Channel.IMPORT], reactive)).astype(np.int64)
        full[:, Channel.EXPORT_VA] = full[:, Channel.EXPORT]
        return full
