"""A load series from a file: what it plays, and every rule that refuses."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.meter.bank import Bank
from nyala.meter.model import MODELS, meter_model
from nyala.sim.loads.series import ENERGY_MAX, LINE_MAX, SPACINGS_S, Series, SeriesLoads, first_row_s, parse_series, read_series
from nyala.vocab.errors import FileError
from nyala.vocab.quantities import Channel
from nyala.vocab.time import instant_from_text

MODEL_ROWS = [meter_model(name) for name in MODELS]
FIRST = "2026-01-05T00:00:00Z"
START_S = instant_from_text(FIRST)
GOOD = "start,import_wh\n2026-01-05T00:00:00Z,10\n2026-01-05T00:15:00Z,20\n2026-01-05T00:30:00Z,30\n"


def _parse(text: str) -> Series:
    return parse_series(io.BytesIO(text.encode()), "load.csv")


def _text(
    energies: Sequence[tuple[int, ...]], spacing_s: int, header: str = "start,import_wh,export_wh,q1_varh,q4_varh"
) -> str:
    begin = datetime(2026, 1, 5, tzinfo=UTC)
    lines = [
        f"{(begin + timedelta(seconds=i * spacing_s)).isoformat()},{','.join(map(str, row))}" for i, row in enumerate(energies)
    ]
    return "\n".join([header, *lines, ""])


# -- what it plays


@settings(max_examples=25, deadline=None)
@given(
    spacing_s=st.sampled_from(SPACINGS_S),
    step_s=st.sampled_from((60, 900)),
    hours=st.integers(1, 3),
    data=st.data(),
)
def test_the_registers_get_exactly_the_energy_of_the_file(spacing_s: int, step_s: int, hours: int, data: st.DataObject) -> None:
    count = hours * 3600 // spacing_s + (spacing_s == 3600)
    number = st.integers(0, 2000)
    energies = data.draw(st.lists(st.tuples(number, number, number, number), min_size=count, max_size=count))
    series = _parse(_text(energies, spacing_s))
    loads, bank, rows = SeriesLoads(series, MODEL_ROWS, 1, step_s), Bank(MODEL_ROWS, START_S), np.arange(len(MODEL_ROWS))
    for start_s in range(series.start_s, series.end_s, step_s):
        segment = loads.segments(start_s)
        bank.set_segment(rows, segment.end_s, segment.energy_mws)
        bank.advance(rows, segment.end_s)
    for column, channel in enumerate((Channel.IMPORT, Channel.EXPORT, Channel.Q1, Channel.Q4)):
        assert bank.wh[:, channel, 0].tolist() == [sum(row[column] for row in energies)] * len(MODEL_ROWS)
    assert np.all(bank.rest_mws[:, [Channel.IMPORT, Channel.EXPORT, Channel.Q1, Channel.Q4]] == 0)


def test_a_segment_says_power_apparent_energy_and_voltage() -> None:
    loads = SeriesLoads(_parse(_text([(300, 0, 400, 0), (0, 250, 0, 0)], 900)), MODEL_ROWS, 1, 900)
    one, two = loads.segments(START_S), loads.segments(START_S + 900)
    assert one.energy_mws[0].tolist() == [mws * 3_600_000 for mws in (300, 0, 400, 0, 0, 0, 500, 0)]
    assert one.p_w.tolist() == [[1200, 0, 0], [400, 400, 400], [400, 400, 400]]
    assert one.q_var.tolist() == [[1600, 0, 0], [1600 / 3] * 3, [1600 / 3] * 3]
    assert two.energy_mws[2].tolist() == [mws * 3_600_000 for mws in (0, 250, 0, 0, 0, 0, 0, 250)]
    assert two.p_w[0].tolist() == [-1000, 0, 0]
    assert np.all(one.u_v[0] == [one.u_v[0, 0], 0, 0])
    assert len(one.f_hz) == len(MODEL_ROWS)


def test_segments_can_be_asked_for_in_any_order() -> None:
    loads = SeriesLoads(_parse(GOOD), MODEL_ROWS, 1, 900)
    seen = [int(loads.segments(START_S + 900 * at).energy_mws[0, 0]) // 3_600_000 for at in (2, 0, 1, 0)]
    assert seen == [30, 10, 20, 10]


def test_zones_byte_order_marks_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    file = tmp_path / "load.csv"
    text = "\ufeffstart,import_wh,q1_varh\r\n2026-01-05T07:00+07:00,1,2\r\n2026-01-05T00:15Z,3,4"
    file.write_bytes(text.encode())
    series = read_series(str(file))
    assert (series.start_s, series.spacing_s) == (START_S, 900)
    assert (series.power_mw * 900 // 3_600_000).tolist() == [[1, 0, 2, 0], [3, 0, 4, 0]]
    assert first_row_s(str(file)) == START_S


def test_energy_beyond_the_meter_is_played() -> None:
    loads = SeriesLoads(_parse(_text([(ENERGY_MAX, 0, 0, 0)] * 15, 60)), MODEL_ROWS, 1, 900)
    segment, bank, rows = loads.segments(START_S), Bank(MODEL_ROWS, START_S), np.arange(3)
    bank.set_segment(rows, segment.end_s, segment.energy_mws)
    bank.advance(rows, segment.end_s)
    assert bank.wh[:, Channel.IMPORT, 0].tolist() == [15 * ENERGY_MAX] * 3


# -- what it refuses


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "header must be"),
        ("\n", 1, "header must be"),
        ("start,export_wh\n", 1, "header must be"),
        ("start;import_wh\n", 1, "header must be"),
        (GOOD.replace("import_wh", "import_wh,q4_varh,q1_varh"), 1, "header must be"),
        (GOOD.replace("import_wh", "import_wh,import_wh"), 1, "header must be"),
        ("start,import_wh\n", 1, "at least two rows"),
        ("start,import_wh\n2026-01-05T00:00:00Z,10\n", 2, "at least two rows"),
        (GOOD.replace(",20", ",1.5"), 3, "not a whole number: '1.5'"),
        (GOOD.replace(",20", ","), 3, "not a whole number: ''"),
        (GOOD.replace(",20", ",٢"), 3, "not a whole number"),
        (GOOD.replace(",20", ",1_0"), 3, "not a whole number"),
        (GOOD.replace(",20", ",--1"), 3, "not a whole number"),
        (GOOD.replace(",20", ",-20"), 3, "negative energy: '-20'"),
        (GOOD.replace(",20", ",100000001"), 3, "more than 100000000"),
        (GOOD.replace(",20", "," + "9" * 3000), 3, "more than 100000000"),
        (GOOD.replace(",30", ",30,1"), 4, "3 fields where the header has 2"),
        (GOOD.replace("\n2026-01-05T00:30", "\n\n2026-01-05T00:30"), 4, "0 fields"),
        (GOOD + "\n", 5, "0 fields"),
        (GOOD.replace("00:15:00Z", "00:15:00"), 3, "without a zone"),
        (GOOD.replace("00:15:00Z", "00:75:00Z"), 3, "not an ISO 8601 instant"),
        (GOOD.replace("00:15:00Z", "00:15:00Z" + "0" * 2000), 3, "not an ISO 8601 instant"),
        (GOOD.replace("00:15:00Z", "00:15:00.5Z"), 3, "whole second"),
        (GOOD.replace("2026-01-05T00:15", "1969-01-05T00:15"), 3, "between 1970 and 2100"),
        (GOOD.replace("00:15:00Z", "00:00:00Z"), 3, "duplicate start 2026-01-05T00:00:00Z"),
        (GOOD.replace("00:30:00Z", "00:15:00Z"), 4, "duplicate start"),
        (GOOD.replace("00:30:00Z", "00:05:00Z"), 4, "does not come after"),
        (GOOD.replace("00:30:00Z", "07:30:00+07:30"), 4, "does not come after"),
        (GOOD.replace("00:30:00Z", "00:45:00Z"), 4, "gap: nothing between 2026-01-05T00:30:00Z and 2026-01-05T00:45:00Z"),
        (GOOD.replace("00:30:00Z", "00:20:00Z"), 4, "300 s after the row before; rows are 900 s apart"),
        (GOOD.replace("00:15:00Z", "00:02:00Z"), 3, "rows are 120 s apart"),
        (GOOD.replace(",20", ',"20'), 4, "not CSV"),
        (GOOD.replace(",20", "," + " " * LINE_MAX), 3, f"more than {LINE_MAX} bytes"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(FileError) as caught:
        _parse(text)
    assert (caught.value.path, caught.value.line) == ("load.csv", line)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 160


def test_bytes_that_are_not_utf8_are_refused_with_their_line() -> None:
    with pytest.raises(FileError, match=r"load.csv:3: not a whole number") as caught:
        parse_series(io.BytesIO(GOOD.encode().replace(b",20", b",2\xff")), "load.csv")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["missing.csv", "", "nul\0.csv"])
def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path, name: str) -> None:
    for read in (read_series, first_row_s):
        with pytest.raises(FileError, match="cannot be read"):
            read(f"{tmp_path}/{name}")


def test_a_run_beyond_the_file_is_refused() -> None:
    loads = SeriesLoads(_parse(GOOD), MODEL_ROWS, 1, 900)
    loads.covers(START_S, START_S + 2700)
    for start_s, end_s in ((START_S - 900, START_S), (START_S, START_S + 3600)):
        with pytest.raises(FileError, match="goes from 2026-01-05T00:00:00Z to 2026-01-05T00:45:00Z"):
            loads.covers(start_s, end_s)
    for start_s in (START_S - 900, START_S + 2700):
        with pytest.raises(FileError, match=r"load\.csv: goes from"):
            loads.segments(start_s)


def test_a_first_row_that_no_step_can_start_at_is_refused() -> None:
    series = _parse(GOOD.replace("T00:", "T01:").replace(":00Z", ":07Z"))
    with pytest.raises(FileError, match=r"load\.csv:2: the run steps by 60 s"):
        SeriesLoads(series, MODEL_ROWS, 1, 60)


# -- any bytes


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: GOOD.encode() + tail))
def test_any_bytes_give_a_series_or_a_file_error(content: bytes) -> None:
    try:
        series = parse_series(io.BytesIO(content), "load.csv")
    except FileError:
        return
    assert series.spacing_s in SPACINGS_S


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_changed_byte_gives_a_series_or_a_file_error(data: st.DataObject) -> None:
    content = bytearray(GOOD.encode())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        series = parse_series(io.BytesIO(bytes(content)), "load.csv")
    except FileError:
        return
    assert np.all(series.power_mw >= 0)
