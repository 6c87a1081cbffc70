"""Between values and rows, without a database: whatever can be written reads back."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.command_life import CommandState
from nyala.headend.commands import CommandRow, Kind
from nyala.headend.registry import MeterState
from nyala.lorawan.network.port import AppUplink, Reception
from nyala.lorawan.network.sessions import SessionRow
from nyala.mdm.load_day import Key, LoadDayRow
from nyala.store import rows
from nyala.store.keys import KeyRing
from nyala.vocab.quantities import Channel, catalogue

RING = KeyRing([bytes(64)])
euis = st.integers(0, 2**64 - 1)
instants = st.integers(0, 2**62)
numbers = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.sampled_from(sorted(catalogue()))
receptions = st.builds(
    Reception,
    gateway=euis,
    phy=st.binary(max_size=255),
    received_us=instants,
    frequency_hz=st.integers(0, 10**10),
    data_rate=st.integers(0, 15),
    rssi_dbm=numbers,
    snr_db=numbers,
    tmst_us=st.integers(0, 2**32 - 1),
    journal=st.integers(1, 2**62),
)
uplinks = st.builds(AppUplink, euis, st.integers(0, 255), st.binary(max_size=242), instants, st.integers(1, 2**62))
settings = st.dictionaries(st.sampled_from(["data_rate", "battery"]), st.none() | st.integers(0, 255) | st.booleans())
sessions = st.builds(
    SessionRow,
    dev_eui=euis,
    dev_addr=st.integers(0, 2**32 - 1),
    nwk_s_key=st.binary(min_size=16, max_size=16),
    app_s_key=st.binary(min_size=16, max_size=16),
    f_cnt_up=st.integers(0, 2**32),
    f_cnt_down=st.integers(0, 2**32),
    heard=st.booleans(),
    settings=settings,
    heard_by=st.lists(st.tuples(euis, numbers), max_size=4).map(tuple),
)
states = st.builds(
    MeterState,
    meter_id=st.integers(1, 2**31),
    last_heard_us=instants,
    rssi_dbm=numbers,
    snr_db=numbers,
    live=st.dictionaries(names, whole, max_size=4),
    registers=st.dictionaries(names, st.tuples(whole, instants), max_size=4),
    switch_state=st.none() | st.integers(0, 2),
    model_code=st.none() | st.integers(0, 255),
)
days = st.builds(
    LoadDayRow,
    key=st.builds(Key, st.integers(1, 2**31), st.integers(0, 10**6), st.sampled_from(Channel)),
    version=st.integers(1, 99),
    period_s=st.sampled_from([60, 900]),
    open_wh=st.none() | whole,
    close_wh=st.none() | whole,
    values=st.binary(max_size=20),
    qualities=st.binary(max_size=20),
)
commands = st.builds(
    CommandRow,
    id=st.integers(1, 2**31),
    meter_id=st.integers(1, 2**31),
    sequence=st.integers(1, 2**16 - 1),
    kind=st.sampled_from(Kind),
    state=st.sampled_from(CommandState),
    created_us=instants,
    created_by=texts,
    reason=texts,
    expires_us=instants,
    updated_us=instants,
    key=st.none() | texts,
    attempts=st.integers(0, 99),
    next_us=instants,
    quantities=st.lists(names, max_size=8).map(tuple),
)


def as_stored(row: rows.Row) -> Any:
    """A row as a question to the database would give it."""
    return row


@given(receptions | uplinks)
def test_a_journal_entry_reads_back(entry):
    row = rows.reception_row(entry) if isinstance(entry, Reception) else rows.app_uplink_row(entry)
    assert rows.journal_entry(as_stored(row)) == entry


@given(sessions)
def test_a_session_reads_back(session):
    assert rows.session_of(as_stored(rows.session_row(session, RING)), RING) == session


@given(states)
def test_a_shadow_reads_back(state):
    row = rows.state_row(state)
    assert rows.state_of(as_stored(row)) == state
    assert (row["meter_id"], row["last_heard_us"], row["switch_state"]) == (
        state.meter_id,
        state.last_heard_us,
        state.switch_state,
    )
    assert row["p_w"] == state.live.get("p_w")
    assert row["import_wh"] == state.registers.get("import_wh", (None, 0))[0]


@given(days)
def test_a_load_day_reads_back_from_the_table_and_from_the_history(day):
    assert rows.load_day_of(as_stored(rows.load_day_row(day))) == day
    assert rows.load_day_of(as_stored(rows.history_row(day))) == day


@given(commands)
def test_a_command_reads_back(command):
    assert rows.command_of(as_stored(rows.command_row(command))) == command
