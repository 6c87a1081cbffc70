"""Commands over a store: bills, users, verification, and databases, ports and settings that are refused in one line."""

import socket
import subprocess
import sys

import pytest
from sqlalchemy import text, update

from nyala.store import schema
from nyala.store.engine import open_engine, writing
from tests.unit.api.estate import MONTH, TARIFF, WH

MONTH_WH = 31 * 96 * WH


def execute(db, statement):
    engine = open_engine(db)
    with writing(engine) as connection:
        connection.execute(statement)
    engine.dispose()


# -- bills


def test_a_bill_is_shown(nyala, db):
    said = nyala("bill", "show", "n00001", "--month", MONTH, "--tenant", "ours", "--db", db)
    assert said.code == 0
    head, *_, total = said.out.splitlines()
    assert head == f"N00001 Ibu Sri, {MONTH}, version 1, {TARIFF}"
    assert total.split()[:2] == ["total", "IDR"]


def test_a_bill_is_shown_as_json_and_explained(nyala, db):
    arguments = ["bill", "show", "N00001", "--month", MONTH, "--tenant", "ours", "--db", db]
    said = nyala(*arguments, "--json").json
    assert (said["id"], said["version"], said["bill"]["energy_wh"]) == (1, 1, MONTH_WH)
    assert said["bill"]["total"] in nyala(*arguments, "--explain").out.replace(",", "")
    assert nyala(*arguments, "--version", 1).code == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["N99999", "--month", MONTH], "unknown meter: N99999"),
        (["N00004", "--month", MONTH], "unknown meter: N00004"),
        (["N00001", "--month", "2020-01"], "unknown bill: of meter 1 for 2020-01"),
        (["N00001", "--month", MONTH, "--version", 9], "unknown bill: of meter 1"),
        (["?", "--month", MONTH], "serial number must be"),
    ],
)
def test_a_bill_that_is_not_there_is_refused_in_one_line(nyala, db, arguments, why):
    assert why in nyala("bill", "show", *arguments, "--tenant", "ours", "--db", db).refusal


def test_a_bill_run_again_changes_nothing_where_nothing_is_missing(nyala, db):
    said = nyala("bill", "run", "--month", MONTH, "--tenant", "theirs", "--db", db, "--json").json
    assert {name: said[name] for name in ("month", "meters", "stored", "unchanged", "refused")} == {
        "month": MONTH,
        "meters": 1,
        "stored": 0,
        "unchanged": 1,
        "refused": [],
    }


def test_a_bill_run_estimates_what_is_missing_and_says_how_much(nyala, db):
    said = nyala("bill", "run", "--month", MONTH, "--tenant", "ours", "--db", db, "--json").json
    assert said["estimated_intervals"] >= 2 * 2 * 31 * 96
    assert said["stored"] + said["unchanged"] + len(said["refused"]) == said["meters"] == 3


def test_a_bill_run_names_the_meters_whose_tariff_is_unknown(nyala, db):
    execute(db, update(schema.meter).where(schema.meter.c.id == 4).values(tariff="pln-x"))
    said = nyala("bill", "run", "--month", MONTH, "--tenant", "theirs", "--db", db, "--json").json
    assert said["refused"] == [{"serial": "N00004", "why": "unknown tariff: pln-x"}]


@pytest.mark.parametrize("month", ["2025-13", "october", "2025-10-01", "2999-01"])
def test_a_month_that_is_none_or_is_not_over_is_refused_in_one_line(nyala, db, month):
    assert month in nyala("bill", "run", "--month", month, "--tenant", "ours", "--db", db).refusal


# -- the database


def test_a_store_is_made_and_made_again(nyala, empty_db):
    for _ in range(2):
        said = nyala("db", "upgrade", "--db", empty_db)
        assert (said.code, said.out.endswith("is up to date\n")) == (0, True)


def test_a_right_store_is_right(nyala, db):
    said = nyala("db", "verify", "--db", db)
    assert (said.code, said.out.split()[-2:]) == (0, ["0", "wrong"])


def test_a_wrong_store_ends_with_1_and_says_what_is_wrong(nyala, db):
    day = schema.load_day
    execute(db, update(day).where(day.c.meter_id == 1, day.c.day == 20_370).values(version=3))
    said = nyala("db", "verify", "--db", db)
    assert said.code == 1
    assert said.out.splitlines()[0] == "meter 1 IMPORT 2025-10-09: version 3 with 0 earlier ones"


NEWER = [
    ["db", "upgrade"],
    ["import", "meters", "meters.csv"],
    ["import", "tariff", "tariff.toml"],
    ["user", "add", "ani", "--password", "correct horse"],
    ["serve", "--port", "0", "--udp-port", "0"],
]


@pytest.mark.parametrize("command", NEWER, ids=" ".join)
def test_a_database_of_a_newer_nyala_is_refused_in_one_line(nyala, db, command, tmp_path):
    from nyala.billing.tariff_file import shipped_text

    (tmp_path / "tariff.toml").write_text(shipped_text(TARIFF))
    header = "serial,model,dev_eui,join_eui,app_key"
    (tmp_path / "meters.csv").write_text(f"{header}\nNEW-1,single-phase,{'1' * 16},{'1' * 16},{'1' * 32}\n")
    execute(db, text("UPDATE alembic_version SET version_num = 'zz99'"))
    arguments = [str(tmp_path / each) if "." in each else each for each in command]
    assert "is of a newer nyala (schema zz99)" in nyala(*arguments, "--db", db).refusal


@pytest.mark.parametrize("where", ["mysql://x/y", "://", "/proc/nowhere"])
def test_a_place_where_no_store_can_be_is_refused_in_one_line(nyala, where):
    assert nyala("db", "upgrade", "--db", where).refusal


def test_a_doctor_looks_at_everything_and_ends_with_1_where_something_is_bad(nyala, db):
    said = nyala("doctor", "--db", db)
    lines = said.out.splitlines()
    assert any(line.startswith("ok  Python 3.") for line in lines)
    assert f"ok  database {db} is up to date" in lines
    assert said.code == (1 if any(line.startswith("BAD") for line in lines) else 0)


def test_a_doctor_finds_a_newer_database(nyala, db):
    execute(db, text("UPDATE alembic_version SET version_num = 'zz99'"))
    said = nyala("doctor", "--db", db)
    assert said.code == 1
    assert any(line.startswith("BAD") and "newer" in line for line in said.out.splitlines())


# -- users


def test_a_user_is_added_once(nyala, empty_db):
    arguments = ["user", "add", "ani", "--role", "operator", "--password", "correct horse", "--db", empty_db]
    assert nyala(*arguments).out == "user ani (operator) added\n"
    assert nyala(*arguments).refusal == "user 'ani' is there already"


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--role", "king", "unknown role: king"),
        ("--language", "fr", "language 'fr'; en and id are there"),
        ("--password", "short", "a password has at least 8 characters"),
    ],
)
def test_a_user_who_cannot_be_is_refused_in_one_line(nyala, empty_db, option, value, why):
    plain = {"--password": "correct horse", option: value}
    arguments = [each for pair in plain.items() for each in pair]
    assert nyala("user", "add", "ani", *arguments, "--db", empty_db).refusal == why


# -- serving


def test_a_busy_port_is_refused_in_one_line(nyala, empty_db):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = nyala("serve", "--port", port, "--udp-port", 0, "--db", empty_db).refusal
    assert said == f"port {port} of 127.0.0.1: Address already in use; choose another --port"


def test_a_busy_gateway_port_is_refused_in_one_line(db):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        code = "from nyala.cli.main import main; main()"
        command = [sys.executable, "-c", code, "serve", "--port", "0", "--udp-host", "127.0.0.1", "--udp-port", str(port)]
        said = subprocess.run([*command, "--db", db], capture_output=True, text=True, check=False, timeout=60)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == f"nyala: UDP port {port} of 127.0.0.1 is taken (Address already in use)\n"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ("port = ", "Invalid value"),
        ("colour = 'red'", "unknown settings colour; known are db, key_file, host, port, udp_host"),
        ("port = '80'", "port must be int"),
        ("port = true", "port must be int"),
        ("db = 1", "db must be str"),
    ],
)
def test_bad_settings_are_refused_in_one_line(nyala, tmp_path, settings, why):
    path = tmp_path / "nyala.toml"
    path.write_text(settings)
    said = nyala("serve", "--config", path).refusal
    assert said.startswith(f"{path}: ")
    assert why in said


def test_settings_that_are_not_there_are_refused_in_one_line(nyala, tmp_path):
    assert "No such file" in nyala("serve", "--config", tmp_path / "none.toml").refusal
