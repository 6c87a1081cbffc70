"""The wire format against the official encoder of a real schema, and any bytes."""

from typing import Any

import pytest
from chirpstack_api.integration import integration_pb2
from hypothesis import given
from hypothesis import strategies as st

from nyala.gateway.chirpstack import DOWN, EVENTS
from nyala.gateway.protobuf import DEFAULTS, DEPTH_LIMIT, Kind, Many, Table, decode, encode
from nyala.vocab.errors import GatewayError

ALL: Table = {number: (kind.value, kind) for number, kind in enumerate(Kind, start=1)}
NESTED: Table = {1: ("x", Kind.UINT), 2: ("inner", {1: ("y", Kind.STRING)}), 3: ("many", Many({1: ("z", Kind.INT)}))}
VALUES = {
    Kind.UINT: st.integers(0, 2**64 - 1),
    Kind.INT: st.integers(-(2**63), 2**63 - 1),
    Kind.BOOL: st.booleans(),
    Kind.FLOAT: st.floats(width=32, allow_nan=False),
    Kind.STRING: st.text(max_size=40),
    Kind.BYTES: st.binary(max_size=40),
}

# the examples of protobuf.dev, "Encoding"
PUBLISHED = [
    (bytes.fromhex("089601"), {1: ("a", Kind.UINT)}, {"a": 150}),
    (bytes.fromhex("120774657374696e67"), {2: ("b", Kind.STRING)}, {"b": "testing"}),
    (bytes.fromhex("1a03089601"), {3: ("c", {1: ("a", Kind.UINT)})}, {"c": {"a": 150}}),
    (bytes.fromhex("08feffffffffffffffff01"), {1: ("a", Kind.INT)}, {"a": -2}),
]


@pytest.mark.parametrize(("data", "table", "message"), PUBLISHED)
def test_the_published_examples_are_read_and_written(data, table, message):
    assert decode(data, table) == message
    assert encode(message, table) == data


@given(st.fixed_dictionaries({kind.value: VALUES[kind] for kind in Kind}))
def test_every_message_that_can_be_written_reads_back(message):
    assert decode(encode(message, ALL), ALL) == message


@given(st.binary(max_size=200), st.sampled_from([ALL, NESTED, DOWN, *EVENTS.values()]))
def test_any_bytes_are_a_message_or_a_gateway_error(data, table):
    try:
        message = decode(data, table)
    except GatewayError:
        return
    assert set(message) == {name for name, _ in table.values()}


@given(st.text(max_size=36), st.booleans(), st.integers(0, 255), st.binary(max_size=242))
def test_the_official_parser_reads_our_command_and_writes_the_same(item, confirmed, port, data):
    command = {"id": item, "devEui": "0102030405060708", "confirmed": confirmed, "fPort": port, "data": data}
    official = integration_pb2.DownlinkCommand(id=item, dev_eui="0102030405060708", confirmed=confirmed, f_port=port, data=data)
    assert encode(command, DOWN) == official.SerializeToString(deterministic=True)
    assert decode(official.SerializeToString(), DOWN) == command


def test_what_a_table_does_not_name_is_skipped_and_what_is_absent_has_its_default():
    assert decode(bytes.fromhex("089601") + bytes.fromhex("f2ffffff0f0161"), {1: ("a", Kind.UINT)}) == {"a": 150}
    assert decode(b"", ALL) == {kind.value: DEFAULTS[kind] for kind in Kind}
    assert decode(b"", NESTED) == {"x": 0, "inner": None, "many": []}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("08", "cut short"),
        ("0880", "cut short"),
        ("08" + "ff" * 11, "too long"),
        ("0a0574657374", "cut short"),
        ("0d0000", "cut short"),
        ("0b", "wire type 3"),
        ("0f", "wire type 7"),
        ("0a00", "has wire type 2, not 0"),
        ("2a01ff", "not UTF-8"),
    ],
)
def test_broken_bytes_say_what_is_wrong(data, says):
    with pytest.raises(GatewayError, match=says):
        decode(bytes.fromhex(data), ALL)


def test_nesting_has_a_limit():
    table: dict[int, Any] = {}
    table[1] = ("deeper", table)
    data = b""
    for _ in range(DEPTH_LIMIT + 1):
        data = b"\x0a" + bytes([len(data)]) + data
    with pytest.raises(GatewayError, match="nested deeper"):
        decode(data, table)
