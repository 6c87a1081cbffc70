"""Files in and out: meters, tariffs, readings, bills."""

import csv
import io
import json

import pytest

from nyala.billing.tariff_file import shipped, shipped_text
from nyala.store import meters
from nyala.store.engine import open_engine
from tests.unit.api.estate import MONTH, TARIFF, WH

HEADER = "serial,model,dev_eui,join_eui,app_key,customer\n"
ROW = "N{0:04d},single-phase,{0:016x},0000000000000001,00112233445566778899aabbccddeeff,Ibu Sri\n"


@pytest.fixture
def file(tmp_path):
    """Writes a file; answers its path."""

    def write(text, name="meters.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def serials(db):
    engine = open_engine(db)
    with engine.connect() as connection:
        found = [record.serial for record in meters.load_records(connection)]
    engine.dispose()
    return found


def table(said):
    assert said.code == 0
    return list(csv.DictReader(io.StringIO(said.out)))


# -- meters


def test_meters_of_a_file_are_onboarded(nyala, file, empty_db):
    said = nyala("import", "meters", file(HEADER + ROW.format(1) + ROW.format(2)), "--db", empty_db)
    assert (said.code, said.out.startswith("2 meters onboarded")) == (0, True)
    assert serials(empty_db) == ["N0001", "N0002"]


def test_meters_of_a_json_file_are_onboarded(nyala, file, empty_db):
    names, values = HEADER.strip().split(","), ROW.format(1).strip().split(",")
    text = json.dumps([dict(zip(names, values, strict=True))])
    assert nyala("import", "meters", file(text, "meters.json"), "--db", empty_db).code == 0
    assert serials(empty_db) == ["N0001"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_of_a_spreadsheet_program_is_read(nyala, file, empty_db, encoding):
    text = (HEADER + ROW.format(1)).replace("\n", "\r\n")
    assert nyala("import", "meters", file(text, encoding=encoding), "--db", empty_db).code == 0
    assert serials(empty_db) == ["N0001"]


def test_a_dry_run_imports_nothing(nyala, file, empty_db, tmp_path):
    said = nyala("import", "meters", file(HEADER + ROW.format(1)), "--dry-run", "--db", empty_db)
    assert (said.code, said.out) == (0, "1 meters are right; nothing was imported (dry run)\n")
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_every_bad_row_is_named_and_nothing_is_imported(nyala, file, empty_db, dry_run, tmp_path):
    path = file(HEADER + ROW.format(1) + ROW.format(2).replace("single", "two") + ROW.format(1))
    said = nyala("import", "meters", path, "--db", empty_db, *dry_run)
    assert (said.code, said.out) == (2, "")
    first, second, last = said.err.splitlines()
    assert first.startswith(f"nyala: {path}:3: model: 'two-phase'")
    assert second == f"nyala: {path}:4: serial N0001 stands in line 2 already"
    assert last == "nyala: 2 bad rows, nothing was imported"
    assert not (tmp_path / "empty").exists()


def test_a_file_without_rows_is_nothing_to_do(nyala, file, empty_db):
    said = nyala("import", "meters", file(HEADER), "--db", empty_db)
    assert (said.code, said.out) == (0, "no meters in the file\n")


def test_meters_that_are_there_already_are_refused(nyala, file, empty_db):
    path = file(HEADER + ROW.format(1))
    nyala("import", "meters", path, "--db", empty_db)
    assert nyala("import", "meters", path, "--db", empty_db).refusal == "there already: N0001, 0000000000000001"
    assert serials(empty_db) == ["N0001"]


@pytest.mark.parametrize(
    ("text", "why"),
    [(b"a,b\n", "header lacks"), (b"\xff\xfe", "cannot be read"), (b"[1]", "entry 1 is not an object"), (b"[", "not JSON")],
)
def test_a_file_that_is_no_list_of_meters_is_refused_in_one_line(nyala, file, empty_db, text, why):
    path = file(text)
    said = nyala("import", "meters", path, "--db", empty_db).refusal
    assert said.startswith(str(path))
    assert why in said


@pytest.mark.parametrize("command", [["import", "meters"], ["import", "tariff"], ["tariff", "check"]])
@pytest.mark.parametrize("name", ["nothing.csv", "."])
def test_a_file_that_cannot_be_read_is_refused_in_one_line(nyala, tmp_path, command, name):
    assert "cannot be read" in nyala(*command, tmp_path / name).refusal


# -- tariffs


@pytest.mark.parametrize("code", shipped())
def test_a_shipped_tariff_is_right(nyala, file, code):
    said = nyala("tariff", "check", file(shipped_text(code), "tariff.toml"))
    assert said.code == 0
    assert said.out.startswith(f"{code}: ")
    assert "IDR" in said.out


@pytest.mark.parametrize("text", ["", "code = ", "code = 1\n", shipped_text(TARIFF).replace("IDR", "rupiah"), "\0"])
@pytest.mark.parametrize("command", [["tariff", "check"], ["import", "tariff"]])
def test_a_bad_tariff_is_refused_in_one_line_that_names_its_file(nyala, file, command, text):
    path = file(text, "tariff.toml")
    assert nyala(*command, path).refusal.startswith(str(path))


def test_a_tariff_is_loaded_once(nyala, file, empty_db):
    path = file(shipped_text(TARIFF), "tariff.toml")
    first = nyala("import", "tariff", path, "--db", empty_db)
    assert (first.code, first.out) == (0, f"tariff {TARIFF} loaded (number 1)\n")
    assert nyala("import", "tariff", path, "--db", empty_db).out == first.out


# -- what leaves


def test_readings_are_exported_with_their_instants_and_qualities(nyala, db):
    rows = table(nyala("export", "readings", "n00001", "--month", MONTH, "--db", db))
    assert len(rows) == 31 * 96
    assert rows[0] == {
        "serial": "N00001",
        "quantity": "import_wh",
        "start": "2025-09-30T17:00:00Z",
        "end": "2025-09-30T17:15:00Z",
        "unit": "Wh",
        "value": str(WH),
        "quality": "RAW",
        "version": "1",
    }
    assert rows[-1]["end"] == "2025-10-31T17:00:00Z"


def test_readings_of_a_silent_meter_are_a_header(nyala, db):
    assert table(nyala("export", "readings", "N00003", "--month", MONTH, "--db", db)) == []


def test_bills_are_exported(nyala, db):
    [row] = table(nyala("export", "bills", "--month", MONTH, "--tenant", "ours", "--db", db))
    assert (row["serial"], row["month"], row["version"], row["tariff"], row["energy_wh"]) == (
        "N00001",
        MONTH,
        "1",
        TARIFF,
        str(31 * 96 * WH),
    )
    assert table(nyala("export", "bills", "--month", "2020-01", "--tenant", "ours", "--db", db)) == []


@pytest.mark.parametrize(
    ("serial", "month", "why"),
    [
        ("N99999", MONTH, "unknown meter: N99999"),
        ("?", MONTH, "serial number must be"),
        ("N00001", "2025-13", "not a month YYYY-MM: '2025-13'"),
        ("N00001", "october", "not a month YYYY-MM"),
    ],
)
def test_readings_of_nothing_are_refused_in_one_line(nyala, db, serial, month, why):
    assert why in nyala("export", "readings", serial, "--month", month, "--db", db).refusal
