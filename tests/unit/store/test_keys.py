"""Keys at rest: no byte of them in the database's files, changed only by their own tool, refused where touched."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from nyala.headend.ports import Changes
from nyala.lorawan.network.sessions import SessionRow
from nyala.store import keys, meters, schema
from nyala.store.engine import open_engine, upgrade, writing
from nyala.store.keys import KEY_BYTES, KEYS_MAX, KeyFile, KeyRing, key_file_of, ring_of
from nyala.store.rekey import rekey
from nyala.vocab.errors import SurroundingsError
from tests.unit.store.filled import SETTINGS, everything, new_meter, write

RING = KeyRing([bytes(range(KEY_BYTES))])
OWNER = ("app_key", "00000000000d0001")
ROOT_KEYS = [bytes(range(n, n + 16)) for n in (0x20, 0x40)]
SESSION_KEYS = [bytes(range(n, n + 16)) for n in (0x60, 0x80)]
ALL = ROOT_KEYS + SESSION_KEYS


def fill(engine):
    """Two meters with distinct root keys, one of them with a session, over several pages of a log."""
    tenant = meters.tenant_id(engine, "t")
    meters.onboard(engine, tenant, [new_meter(i, app_key=key) for i, key in enumerate(ROOT_KEYS, start=1)])
    session = SessionRow(0xD0001, 1, SESSION_KEYS[0], SESSION_KEYS[1], 5, 5, True, dict(SETTINGS))
    write(engine, Changes(sessions=[session]))


def stored_keys(engine):
    """What the centre gets."""
    with engine.connect() as connection:
        sessions = meters.load_sessions(connection)
        roots = [root.app_key.value for root in meters.load_roots(connection)]
    session = sessions.of_device(0xD0001)
    assert session is not None
    return [*roots, session.nwk_s_key.value, session.app_s_key.value]


def files_of(folder):
    return b"".join(path.read_bytes() for path in Path(folder).glob("nyala.sqlite*"))


def blobs(engine):
    device, session = schema.lorawan_device.c, schema.lorawan_session.c
    with engine.connect() as connection:
        return [
            *connection.scalars(select(device.app_key)),
            *connection.execute(select(session.nwk_s_key, session.app_s_key)).one(),
        ]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a store of its own may be made, with its keys beside it."""
    monkeypatch.delenv(keys.ENVIRONMENT, raising=False)
    return tmp_path / "store"


@pytest.fixture
def opened(folder):
    """Opens a store in a folder, as often as wanted."""
    engines = []

    def run(where=folder, **said):
        engines.append(open_engine(str(where), **said))
        return engines[-1]

    yield run
    for engine in engines:
        engine.dispose()


# -- wrapping


def test_the_cipher_is_that_of_rfc_5297():
    # RFC 5297 appendix A.1: key, associated data, plain text, tag and cipher text
    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    data = bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")
    made = AESSIV(key).encrypt(bytes.fromhex("112233445566778899aabbccddee"), [data])
    assert made.hex() == "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"


@given(st.binary(min_size=16, max_size=16), st.sampled_from(["app_key", "nwk_s_key"]))
def test_a_wrapped_key_unwraps_and_shows_nothing_of_itself(key, column):
    blob = RING.wrap(key, column, OWNER[1])
    assert (len(blob), blob[:4]) == (keys.WRAPPED_BYTES, RING.current)
    assert key not in blob
    assert RING.unwrap(blob, column, OWNER[1]) == key


@given(st.integers(32, 8 * keys.WRAPPED_BYTES - 1))
def test_a_blob_with_one_bit_changed_is_refused(bit):
    blob = int.from_bytes(RING.wrap(ROOT_KEYS[0], *OWNER), "little") ^ 1 << bit
    with pytest.raises(SurroundingsError, match="app_key of device 00000000000d0001 was changed"):
        RING.unwrap(blob.to_bytes(keys.WRAPPED_BYTES, "little"), *OWNER)


@pytest.mark.parametrize("owner", [("app_key", "00000000000d0002"), ("nwk_s_key", OWNER[1])])
def test_a_blob_of_another_device_or_column_is_refused(owner):
    with pytest.raises(SurroundingsError, match="was changed in the database"):
        RING.unwrap(RING.wrap(ROOT_KEYS[0], *OWNER), *owner)


@given(st.binary(max_size=80))
def test_bytes_that_no_ring_made_are_refused(blob):
    with pytest.raises(SurroundingsError):
        RING.unwrap(blob, *OWNER)


# -- at rest


def test_no_key_is_in_any_file_of_the_database(folder, opened):
    engine = opened()
    upgrade(engine)
    fill(engine)
    found = files_of(folder)
    assert b"N00001" in found
    assert [key.hex() for key in ALL if key in found] == []
    assert stored_keys(engine) == ALL


def test_no_key_is_in_the_text_of_what_holds_it():
    row = SessionRow(0xD0001, 1, SESSION_KEYS[0], SESSION_KEYS[1], 5, 5, True, {})
    told = repr(row) + repr(new_meter(1, app_key=ROOT_KEYS[0])) + repr(everything().roots)
    assert [key for key in ALL if repr(key) in told or key.hex() in told] == []


def test_the_key_file_is_made_once_for_its_owner_alone(folder, opened):
    upgrade(opened())
    path = folder / "keys"
    before = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    upgrade(opened())
    assert path.read_text() == before


# -- rotation


def test_a_new_key_wraps_everything_anew_and_nothing_changes_for_the_centre(engine):
    fill(engine)
    before, old = blobs(engine), ring_of(engine).current
    assert rekey(engine) == 4
    assert ring_of(engine).current != old
    assert {blob[:4] for blob in blobs(engine)} == {ring_of(engine).current}
    assert set(blobs(engine)).isdisjoint(before)
    assert stored_keys(engine) == ALL


def test_after_a_rotation_the_old_blobs_are_gone_and_the_old_key_can_be_taken_out(folder, opened):
    engine = opened()
    upgrade(engine)
    fill(engine)
    before = blobs(engine)
    rekey(engine)
    engine.dispose()
    assert [blob for blob in before if blob in files_of(folder)] == []
    new, _old = (folder / "keys").read_text().split()
    (folder / "keys").write_text(new)
    assert stored_keys(opened()) == ALL


def test_a_rotation_that_fails_changes_nothing(folder, opened):
    engine = opened()
    upgrade(engine)
    fill(engine)
    with writing(engine) as connection:
        connection.execute(update(schema.lorawan_session).values(app_s_key=bytes(keys.WRAPPED_BYTES)))
    before = blobs(engine)
    with pytest.raises(SurroundingsError, match="app_s_key of device 00000000000d0001"):
        rekey(engine)
    assert blobs(engine) == before


def test_a_key_that_was_put_into_the_file_by_hand_is_used_without_a_new_one(folder, opened):
    engine = opened()
    upgrade(engine)
    fill(engine)
    path = folder / "keys"
    path.write_text("ab" * KEY_BYTES + "\n" + path.read_text())
    engine = opened()
    assert rekey(engine, fresh=False) == 4
    assert rekey(engine, fresh=False) == 0
    path.write_text("ab" * KEY_BYTES)
    assert stored_keys(opened()) == ALL


def test_a_file_that_is_full_of_keys_takes_no_more(tmp_path):
    path = tmp_path / "keys"
    path.write_text("\n".join(f"{i:0128x}" for i in range(KEYS_MAX)))
    path.chmod(0o600)
    with pytest.raises(SurroundingsError, match=f"has {KEYS_MAX} keys"):
        KeyFile(path).add()


# -- the wrong key, or none


def lose(path):
    path.unlink()


def replace(path):
    path.write_text("cd" * KEY_BYTES)


def garble(path):
    path.write_text("these are no keys")


def shorten(path):
    path.write_text("cd" * (KEY_BYTES - 1))


def empty(path):
    path.write_text("")


def expose(path):
    path.chmod(0o644)


WRONG = {
    "lost": (lose, "No such file or directory; without it the database cannot be used"),
    "of another database": (replace, "is wrapped under key [0-9a-f]{8}, which the key file does not have"),
    "garbled": (garble, "not lines of 128 hex digits"),
    "too short": (shorten, "1 to 64 lines of 128 hex digits are expected"),
    "empty": (empty, "1 to 64 lines of 128 hex digits are expected"),
    "open to everybody": (expose, r"is open to everybody \(mode 644\): chmod 600 it"),
}


@pytest.mark.parametrize(("harm", "why"), WRONG.values(), ids=WRONG)
def test_a_key_file_that_is_wrong_is_one_clear_error_and_no_other_is_made(folder, opened, harm, why):
    engine = opened()
    upgrade(engine)
    fill(engine)
    before = files_of(folder)
    path = folder / "keys"
    harm(path)

    def start():
        again = opened()
        upgrade(again)
        stored_keys(again)

    with pytest.raises(SurroundingsError, match=why) as told:
        start()
    assert "\n" not in str(told.value)
    assert before.count(b"N00001") == files_of(folder).count(b"N00001")
    assert path.exists() == (harm is not lose)


def test_a_tampered_row_stops_the_start_and_says_whose_it_is(engine):
    fill(engine)
    with writing(engine) as connection:
        keys_of = connection.execute(select(schema.lorawan_device.c.app_key)).scalars().all()
        connection.execute(text("UPDATE lorawan_device SET app_key = :key WHERE dev_addr = 1"), {"key": keys_of[1]})
    with engine.connect() as connection, pytest.raises(SurroundingsError, match="app_key of device 00000000000d0001"):
        meters.load_sessions(connection)


# -- where the file is


def test_the_file_is_where_it_was_said_then_where_the_environment_says_then_beside_the_database(tmp_path, monkeypatch):
    monkeypatch.delenv(keys.ENVIRONMENT, raising=False)

    def where(said=None):
        engine = open_engine(str(tmp_path / "store"), key_file=said)
        engine.dispose()
        return key_file_of(engine)._path

    assert where() == tmp_path / "store" / "keys"
    monkeypatch.setenv(keys.ENVIRONMENT, str(tmp_path / "environment"))
    assert where() == tmp_path / "environment"
    assert where(str(tmp_path / "said")) == tmp_path / "said"


def test_a_database_in_memory_has_its_keys_in_memory():
    engine = open_engine("sqlite:///:memory:")
    assert len(ring_of(engine).wrap(bytes(16), *OWNER)) == keys.WRAPPED_BYTES
    engine.dispose()


def test_for_postgresql_somebody_must_say_where(monkeypatch):
    monkeypatch.delenv(keys.ENVIRONMENT, raising=False)
    engine = open_engine("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(SurroundingsError, match="say where the key file is, by --key-file or NYALA_KEY_FILE"):
        ring_of(engine)


def test_two_processes_that_make_the_file_at_once_end_with_one(tmp_path):
    path = tmp_path / "keys"
    first, second = KeyFile(path), KeyFile(path)
    first.make()
    second._write([bytes(KEY_BYTES)], new=True)
    assert first.ring.current == second.ring.current
    assert list(tmp_path.iterdir()) == [path]
