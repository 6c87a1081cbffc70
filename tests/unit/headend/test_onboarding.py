"""Onboarding files: good rows in both forms, and each rule that refuses, with its line."""

import csv
import io
import json
import random
import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nyala.headend import onboarding
from nyala.headend.lifecycle import Life
from nyala.headend.onboarding import ERRORS_MAX, OPTIONAL, REQUIRED, TEXT_MAX, NewMeter, Reading, read_file
from nyala.meter.model import MODELS
from nyala.telegram.kinds import PERIODS_S
from nyala.vocab.errors import FileError
from nyala.vocab.places import Place

NOW_S = 1_788_220_800
KEY = "00112233445566778899aabbccddeeff"
ROW = {
    "serial": "nyl-001",
    "model": "single-phase",
    "dev_eui": "70-B3-D5-7E-D0-00-00-01",
    "join_eui": "0000000000000001",
    "app_key": KEY,
}
FULL = ROW | {
    "customer": " Ibu Sri ",
    "site": "Jl. Melati 3",
    "zone": "Asia/Makassar",
    "tariff": "pln-r1-1300",
    "contracted_va": "1300",
    "ct_ratio": "200/5",
    "installed": "2026-08-01T07:00:00+07:00",
    "period_min": "30",
    "report_min": "120",
    "lorawan_version": "1.0.3",
    "lorawan_class": "a",
}
PLAIN = NewMeter(
    serial="NYL-001",
    model="single-phase",
    dev_eui=0x70B3D57ED0000001,
    join_eui=1,
    app_key=bytes.fromhex(KEY),
    customer="",
    site="",
    zone="Asia/Jakarta",
    tariff="",
    contracted_va=0,
    ct_ratio=(1, 1),
    installed_s=NOW_S,
    period_s=900,
    report_s=3_600,
    life=Life.ACTIVE,
)


DEVICES = {"": ("1.0.4", True), "1.0.3 c": ("1.0.3", True), "1.0.4 A": ("1.0.4", False)}


@pytest.mark.parametrize(("said", "device"), DEVICES.items())
def test_a_device_is_of_1_0_4_and_of_class_c_where_nothing_else_is_said(said, device):
    version, _, letter = said.partition(" ")
    [meter] = read(as_csv([ROW | {"lorawan_version": version, "lorawan_class": letter}])).meters
    assert (meter.lorawan_version, meter.class_c) == device


def as_csv(rows):
    out = io.StringIO()
    names = list(rows[0])
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


FORMS: dict[str, Callable[[list[dict[str, str]]], str]] = {"csv": as_csv, "json": json.dumps}
form = pytest.mark.parametrize("form", FORMS)


def read(text, path="meters.csv"):
    return read_file(text, path, MODELS, NOW_S)


def row(number=1, **said):
    return ROW | {"serial": f"N{number:04d}", "dev_eui": f"{number:016x}"} | said


def test_the_documented_columns_are_those_that_are_read():
    assert onboarding.__doc__ is not None
    assert all(f"`{name}`" in onboarding.__doc__ for name in (*REQUIRED, *OPTIONAL))


@form
def test_a_row_with_what_is_required_gets_the_defaults(form):
    assert read(FORMS[form]([ROW])) == Reading((PLAIN,), ())


@form
def test_a_full_row_is_read_as_it_is_written(form):
    [meter] = read(FORMS[form]([FULL])).meters
    assert (meter.customer, meter.site, meter.zone, meter.tariff) == ("Ibu Sri", "Jl. Melati 3", "Asia/Makassar", "pln-r1-1300")
    assert (meter.contracted_va, meter.ct_ratio, meter.installed_s) == (1_300, (200, 5), 1_785_542_400)
    assert (meter.period_s, meter.report_s, meter.lorawan_version, meter.class_c) == (1_800, 7_200, "1.0.3", False)


@form
def test_optional_cells_may_be_empty(form):
    assert read(FORMS[form]([ROW | dict.fromkeys(OPTIONAL, "")])) == Reading((PLAIN,), ())


def test_json_numbers_are_taken_as_they_are():
    [meter] = read(json.dumps([ROW | {"contracted_va": 900, "period_min": 15}])).meters
    assert (meter.contracted_va, meter.period_s) == (900, 900)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("period_s", PERIODS_S)
def test_every_model_and_period_can_be_onboarded(model, period_s):
    [meter] = read(as_csv([row(model=model, period_min=str(period_s // 60))])).meters
    assert (meter.model, meter.period_s) == (model, period_s)


BAD_CELLS = [
    ("serial", "", "lacks serial"),
    ("serial", "ab", "serial: serial number must be 3 to 32"),
    ("serial", "a b c", "serial: serial number must be"),
    ("serial", "x" * 33, "serial: serial number must be"),
    ("model", "", "lacks model"),
    ("model", "two-phase", "model: 'two-phase' is none of single-phase, three-phase, three-phase-ct"),
    ("dev_eui", "", "lacks dev_eui"),
    ("dev_eui", "70b3d57ed00000", "dev_eui: EUI takes 8 bytes, got 7"),
    ("dev_eui", "70b3d57ed000000g", "dev_eui: EUI is not hexadecimal"),
    ("join_eui", "1", "join_eui: EUI"),
    ("app_key", KEY[:-2], "app_key: key must be 32 hex digits"),
    ("app_key", "x" * 32, "app_key: key must be 32 hex digits"),
    ("customer", "x" * (TEXT_MAX + 1), f"customer: at most {TEXT_MAX} characters, got 121"),
    ("site", "x" * (TEXT_MAX + 1), "site: at most"),
    ("tariff", "x" * (TEXT_MAX + 1), "tariff: at most"),
    ("zone", "Asia/Batavia", "zone: unknown time zone: Asia/Batavia"),
    ("zone", "../etc/passwd", "zone: unknown time zone"),
    ("zone", "Asia", "zone: unknown time zone"),
    ("contracted_va", "1.3 kVA", "contracted_va: not a whole number"),
    ("contracted_va", "-1", "contracted_va: -1 is not 0..1000000000"),
    ("contracted_va", "1000000001", "contracted_va: 1000000001 is not"),
    ("contracted_va", "9" * 5_000, "contracted_va: not a whole number"),
    ("ct_ratio", "40", "ct_ratio: a ratio is written 200/5"),
    ("ct_ratio", "200/0", "ct_ratio: 0 is not 1..1000000"),
    ("ct_ratio", "0/5", "ct_ratio: 0 is not 1..1000000"),
    ("ct_ratio", "200/5/1", "ct_ratio: not a whole number: '5/1'"),
    ("installed", "yesterday", "installed: not an ISO 8601 instant"),
    ("installed", "2026-08-01T07:00:00", "installed: instant without a zone"),
    ("period_min", "7", r"period_min: intervals of 7 min; a meter knows \[1, 5, 10, 15, 30, 60\]"),
    ("period_min", "0", "period_min: 0 is not 1..60"),
    ("period_min", "61", "period_min: 61 is not 1..60"),
    ("report_min", "0", "report_min: 0 is not 1..1440"),
    ("report_min", "1441", "report_min: 1441 is not 1..1440"),
    ("lorawan_version", "1.1", "lorawan_version: '1.1' is none of 1.0.3, 1.0.4"),
    ("lorawan_class", "B", "lorawan_class: 'B' is neither A nor C"),
]


@form
@pytest.mark.parametrize(("column", "cell", "why"), BAD_CELLS)
def test_a_bad_cell_is_reported_with_its_line_and_the_other_rows_are_read(form, column, cell, why):
    bad = FULL | {"serial": "NYL-002", "dev_eui": f"{2:016x}", column: cell}
    reading = read(FORMS[form]([FULL, bad, FULL | row(3)]), f"meters.{form}")
    assert [meter.serial for meter in reading.meters] == ["NYL-001", "N0003"]
    [error] = reading.errors
    assert (error.path, error.line) == (f"meters.{form}", 3 if form == "csv" else 2)
    assert str(error).startswith(f"meters.{form}:{error.line}: ")
    assert re.search(why, error.what)


def test_a_key_is_never_repeated_in_an_error():
    [error] = read(as_csv([row(app_key=KEY[:-1])])).errors
    assert KEY[:-1] not in str(error)


@form
@pytest.mark.parametrize(("column", "cell"), [("serial", "n0001"), ("dev_eui", f"{1:016x}")])
def test_what_stands_twice_in_a_file_is_refused_and_the_first_line_named(form, column, cell):
    reading = read(FORMS[form]([row(1), row(2), row(3, **{column: cell})]))
    assert [meter.serial for meter in reading.meters] == ["N0001", "N0002"]
    [error] = reading.errors
    assert error.what == f"{column} {cell} stands in line {2 if form == 'csv' else 1} already"
    assert error.line == (4 if form == "csv" else 3)


def test_one_euis_two_spellings_are_one():
    reading = read(as_csv([row(1, dev_eui="70b3d57ed0000001"), row(2, dev_eui="70:B3:D5:7E:D0:00:00:01")]))
    assert [error.line for error in reading.errors] == [3]


def test_lines_are_counted_through_quoted_line_breaks():
    reading = read(as_csv([row(1, site="Jl. Melati\n3"), row(2, model="?") | {"site": ""}]))
    assert [error.line for error in reading.errors] == [4]


@pytest.mark.parametrize("tail", [",", ",x"])
def test_a_row_with_too_many_cells_is_bad(tail):
    text = as_csv([row(1), row(2)]).rstrip("\n") + tail
    reading = read(text)
    assert ([meter.serial for meter in reading.meters], [error.line for error in reading.errors]) == (["N0001"], [3])


def test_a_row_with_too_few_cells_is_bad():
    text = as_csv([row(1), row(2)])
    reading = read(text[: text.rindex(",")])
    assert ([meter.serial for meter in reading.meters], [error.line for error in reading.errors]) == (["N0001"], [3])


def test_empty_lines_are_passed_over():
    reading = read(as_csv([row(1), row(2)]).replace("\n", "\n\n"))
    assert (len(reading.meters), reading.errors) == (2, ())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", r"meters.csv:1: header lacks \['serial', 'model', 'dev_eui', 'join_eui', 'app_key'\], has unknown \[\]"),
        ("serial,model,dev_eui,join_eui\n", r"header lacks \['app_key'\]"),
        ("serial,model,dev_eui,join_eui,app_key,colour\n", r"has unknown \['colour'\]"),
        ("serial;model;dev_eui;join_eui;app_key\n", "header lacks"),
        ("\ufeff" + as_csv([ROW]), "header lacks"),
        (as_csv([ROW]) + '"open', r"meters.csv:\d: not CSV: unexpected end"),
        (as_csv([ROW]) + "a\rb,,,,\n", "not CSV"),
        ("{}", "a list of meters is expected"),
        ("[1]", "entry 1 is not an object"),
        (f"[{json.dumps(ROW)}, []]", "entry 2 is not an object"),
        ("[{]", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[" + "9" * 5_000 + "]", "not JSON"),
    ],
)
def test_what_is_no_list_of_meters_is_refused_as_a_whole(text, why):
    with pytest.raises(FileError, match=why):
        read(text)


def test_a_json_row_with_an_unknown_key_is_bad():
    reading = read(json.dumps([ROW | {"colour": "red"}]))
    assert [error.what for error in reading.errors] == ["lacks nothing; unknown ['colour']"]


def test_a_file_without_rows_has_no_meters():
    assert read("[]") == read(",".join(REQUIRED)) == Reading((), ())


def test_a_file_with_more_meters_than_a_run_takes_is_refused(monkeypatch):
    monkeypatch.setattr(onboarding, "ROWS_MAX", 2)
    assert len(read(as_csv([row(1), row(2)])).meters) == 2
    with pytest.raises(FileError, match="more than 2 meters"):
        read(as_csv([row(number) for number in range(1, 4)]))


def test_after_so_many_bad_rows_nothing_more_is_read():
    reading = read(as_csv([row(number, model="?") for number in range(1, ERRORS_MAX + 20)]))
    assert (len(reading.errors), reading.errors[-1].line) == (ERRORS_MAX, ERRORS_MAX + 1)


def test_a_large_file_is_read_in_any_order_of_its_columns():
    names = list(row())
    random.Random(1).shuffle(names)
    text = as_csv([{name: row(number)[name] for name in names} for number in range(1, 2_001)])
    reading = read(text)
    assert (len(reading.meters), reading.errors) == (2_000, ())


cells = st.text(max_size=12) | st.sampled_from([*ROW.values(), *FULL.values(), "Asia/Jakarta", "\0", '"'])
headers = st.lists(st.sampled_from([*REQUIRED, *OPTIONAL, "x"]), max_size=8).map(lambda names: ",".join([*REQUIRED, *names]))
csv_texts = st.builds(
    lambda header, rows: "\n".join([header, *(",".join(each) for each in rows)]),
    headers | st.just(",".join([*REQUIRED, *OPTIONAL])),
    st.lists(st.lists(cells, max_size=14), max_size=4),
)
json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | cells, st.lists, max_leaves=3)
json_texts = st.lists(
    st.dictionaries(st.sampled_from([*REQUIRED, *OPTIONAL, "x"]), json_values).map(lambda said: ROW | said), max_size=3
).map(json.dumps)


@given(st.text(max_size=80) | csv_texts | json_texts)
@example("\ufeff")
@example("\ufeff[]")
@example("[\r")
def test_any_text_is_a_reading_or_a_file_error(text):
    with suppress(FileError):
        reading = read(text)
        assert all(isinstance(meter, NewMeter) and meter.model in MODELS for meter in reading.meters)
        assert all(error.line is not None for error in reading.errors)


good_texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), max_size=TEXT_MAX)
good_meters = st.fixed_dictionaries(
    {"customer": good_texts, "site": good_texts, "tariff": good_texts},
    optional={
        "contracted_va": st.integers(0, 10**9).map(str),
        "ct_ratio": st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
        "report_min": st.integers(1, 1_440).map(str),
    },
)


@given(st.lists(good_meters, min_size=1, max_size=5), st.sampled_from(list(FORMS)))
def test_what_is_written_reads_back(said, form):
    rows = [
        dict.fromkeys(OPTIONAL, "") | row(number, **{name: str(value) for name, value in each.items()})
        for number, each in enumerate(said, start=1)
    ]
    reading = read(FORMS[form](rows))
    assert reading.errors == ()
    for meter, each in zip(reading.meters, rows, strict=True):
        assert (meter.serial, meter.customer, meter.site, meter.tariff) == tuple(
            each[name] for name in ("serial", "customer", "site", "tariff")
        )
        assert meter.contracted_va == int(each["contracted_va"] or 0)
        assert meter.ct_ratio == tuple(map(int, (each["ct_ratio"] or "1/1").split("/")))
        assert meter.report_s == int(each["report_min"] or 60) * 60


@pytest.mark.parametrize("form", list(FORMS))
def test_a_site_has_one_place_in_a_file(form):
    kota = {"site": "Kota", "feeder": " F7 ", "lat": "-6.137645", "lon": "106.814214"}
    reading = read(FORMS[form]([row(1, **kota), row(2, **kota | {"lat": "-6.2"}), row(3, **kota), row(4, site="Kota")]))
    assert [meter.feeder for meter in reading.meters] == ["F7", "F7", ""]
    assert [meter.place for meter in reading.meters] == [Place(-6_137_645, 106_814_214)] * 2 + [None]
    (error,) = reading.errors
    assert "site Kota is elsewhere in line" in str(error)


@pytest.mark.parametrize(
    "said", [{"lat": "1", "lon": "1"}, {"site": "Kota", "lat": "1"}, {"site": "Kota", "lat": "95", "lon": "1"}]
)
def test_what_is_no_place_of_a_site_is_refused(said):
    reading = read(FORMS["json"]([row(1, **said)]))
    assert reading.meters == ()
    assert len(reading.errors) == 1
