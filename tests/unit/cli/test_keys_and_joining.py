"""`nyala db rekey`, `nyala lorawan readmit`, and a key file that is said, wrong or missing."""

from pathlib import Path

import pytest
from sqlalchemy import text

from nyala.store import devices, meters
from nyala.store.engine import open_engine, writing
from nyala.store.keys import ENVIRONMENT
from nyala.store.lock import CentreLock


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch):
    monkeypatch.delenv(ENVIRONMENT, raising=False)


def roots(db, **said):
    engine = open_engine(db, **said)
    with engine.connect() as connection:
        found = meters.load_roots(connection)
    engine.dispose()
    return found


def lose(db):
    engine = open_engine(db)
    with writing(engine) as connection:
        connection.execute(
            text("UPDATE lorawan_device SET dev_nonce = 90, refused_us = 5, refused_nonce = 3 WHERE meter_id = 1")
        )
    engine.dispose()


def test_rekey_puts_a_new_key_in_front_and_wraps_everything_under_it(nyala, db):
    path = Path(db) / "keys"
    [old] = path.read_text().split()
    before = [root.app_key.value for root in roots(db)]
    said = nyala("db", "rekey", "--db", db)
    new, kept = path.read_text().split()
    assert (said.code, kept, new != old) == (0, old, True)
    assert said.out.startswith("14 keys wrapped under key ")  # devices, sessions, groups, notifications
    assert new not in said.out
    path.write_text(new)
    assert [root.app_key.value for root in roots(db)] == before


def test_rekey_with_the_keys_that_are_there_makes_no_new_one(nyala, db):
    before = (Path(db) / "keys").read_text()
    assert nyala("db", "rekey", "--keep", "--db", db).out.startswith("0 keys wrapped")
    assert (Path(db) / "keys").read_text() == before


def test_a_key_file_may_stand_elsewhere(nyala, db, tmp_path):
    moved = (Path(db) / "keys").rename(tmp_path / "elsewhere")
    assert nyala("db", "rekey", "--db", db, "--key-file", moved).code == 0
    assert len(roots(db, key_file=str(moved))) == 4
    assert not (Path(db) / "keys").exists()


@pytest.mark.parametrize("command", [("serve", "--port", "0", "--udp-port", "0"), ("db", "upgrade"), ("db", "rekey")])
def test_without_its_key_file_nothing_starts(nyala, db, command):
    (Path(db) / "keys").unlink()
    said = nyala(*command, "--db", db).refusal
    assert said == f"key file {Path(db) / 'keys'}: No such file or directory; without it the database cannot be used"


def test_with_the_key_file_of_another_database_the_server_does_not_start(nyala, db):
    (Path(db) / "keys").write_text("ab" * 64)
    assert "which the key file does not have" in nyala("serve", "--port", "0", "--udp-port", "0", "--db", db).refusal


def test_a_meter_that_lost_its_memory_is_re_admitted(nyala, db):
    lose(db)
    said = nyala("lorawan", "readmit", "n00001", "--db", db)
    assert (said.code, said.out) == (0, "N00001 may join again: its last DevNonce was 90, it asks with 3\n")
    engine = open_engine(db)
    with engine.connect() as connection:
        device = devices.device_of(connection, 1)
    engine.dispose()
    assert (device.dev_nonce, device.refused_us) == (-1, None)
    assert [each.by.partition(":")[0] for each in device.readmissions] == ["cli"]


def test_a_meter_that_is_not_there_or_does_not_need_it_is_refused_in_one_line(nyala, db):
    assert nyala("lorawan", "readmit", "N00009", "--db", db).refusal == "unknown meter: N00009"
    assert nyala("lorawan", "readmit", "N00001", "--db", db).refusal == "device 00000000000d0001 needs no re-admission"


@pytest.mark.parametrize("command", [("lorawan", "readmit", "N00001"), ("db", "rekey")])
def test_while_a_centre_runs_its_memory_is_the_truth(nyala, db, command):
    engine = open_engine(db)
    with CentreLock(engine):
        assert nyala(*command, "--db", db).refusal.startswith("another nyala")
    engine.dispose()
