"""Codecs of others run as their makers wrote them, and none of them can hurt the centre."""

import signal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.foreign import sandbox
from nyala.headend.foreign.isolated import IsolatedEngine
from nyala.headend.foreign.sandbox import PayloadCodec
from nyala.vocab.errors import FileError, TelegramError


@pytest.fixture(params=["here", "isolated"], autouse=True, scope="module")
def engine(request):
    """Every test runs in this process, and in one of its own."""
    if request.param == "here":
        yield None
        return
    isolated = IsolatedEngine()
    sandbox.run_with(isolated.run)
    yield isolated
    sandbox.run_with(sandbox.run_here)
    isolated.close()


AT_US = 1_764_000_000_123_456


def codec(source):
    return PayloadCodec("t.js", source)


# -- the three ways in which codecs are written


@pytest.mark.parametrize(
    "source",
    [
        "function decodeUplink(input) { return {data: {sum: input.bytes[0] + input.bytes[1], port: input.fPort}}; }",
        "function Decode(fPort, bytes, variables) { return {sum: bytes[0] + bytes[1], port: fPort}; }",
        "function Decoder(bytes, port) { return {sum: bytes[0] + bytes[1], port: port}; }",
        "const decodeUplink = (input) => ({data: {sum: input.bytes[0] + input.bytes[1], port: input.fPort}});",
    ],
    ids=["TS013, ChirpStack v4, TTS v3", "ChirpStack v3", "TTN v2", "an arrow function"],
)
def test_every_way_of_writing_a_codec_is_understood(source):
    assert codec(source).decode_uplink(85, b"\x03\x04", AT_US) == {"sum": 7, "port": 85}


def test_a_codec_gets_the_instant_as_a_date_and_its_variables():
    source = "function decodeUplink(i) { return {data: {year: i.recvTime.getUTCFullYear(), ratio: i.variables.ratio}}; }"
    assert codec(source).decode_uplink(1, b"", AT_US, {"ratio": "40"}) == {"year": 2025, "ratio": "40"}


def test_a_codec_may_write_to_a_console_that_nobody_reads():
    source = "function decodeUplink(i) { console.log(i); console.error('x'); return {data: {a: 1}}; }"
    assert codec(source).decode_uplink(1, b"", AT_US) == {"a": 1}


def test_fractions_keep_the_digits_that_the_codec_says():
    assert codec("function decodeUplink() { return {data: {kwh: 1234.567}}; }").decode_uplink(1, b"", AT_US) == {
        "kwh": Decimal("1234.567")
    }


def test_nothing_is_left_from_one_call_to_the_next():
    counting = codec("var calls = 0; function decodeUplink() { calls += 1; return {data: {calls: calls}}; }")
    assert [counting.decode_uplink(1, b"", AT_US)["calls"] for _ in range(3)] == [1, 1, 1]


def test_a_downlink_is_encoded():
    source = "function encodeDownlink(input) { return {fPort: 10, bytes: [input.data.on ? 1 : 0, 255]}; }"
    assert codec(source).encode_downlink({"on": True}) == (10, b"\x01\xff")


@given(st.binary(max_size=242))
def test_any_payload_reaches_the_codec_octet_by_octet(payload):
    assert codec("function decodeUplink(i) { return {data: i.bytes}; }").decode_uplink(1, payload, AT_US) == list(payload)


# -- what a codec may not do

HOSTILE = {
    "runs for ever": ("while (true) {}", "interrupted"),
    "eats memory": ("var a = []; while (true) a.push(new Array(10000).fill(7));", "out of memory|interrupted"),
    "calls itself for ever": ("(function f() { return f(); })();", "call stack size"),
    "throws": ("throw new Error('no such meter');", "no such meter"),
    "asks for a module": ("require('fs');", "require.* is not defined"),
    "asks for the network": ("fetch('http://example.org');", "fetch.* is not defined"),
    "says too much": ("return {data: 'x'.repeat(100000)};", "longer than"),
    "says nothing": ("return undefined;", "no object"),
    "says a number": ("return 7;", "no object"),
    "says null": ("return null;", "no object"),
    "has no data": ("return {warnings: []};", "no 'data'"),
    "reports errors": ("return {errors: ['unknown frame']};", "unknown frame"),
    "says a circle": ("var a = {}; a.a = a; return {data: a};", "circular"),
}


@pytest.mark.parametrize(("body", "says"), HOSTILE.values(), ids=HOSTILE)
def test_a_codec_that_misbehaves_is_a_telegram_error_of_its_own(body, says):
    with pytest.raises(TelegramError, match=f"codec t.js.*{says}"):
        codec(f"function decodeUplink(input) {{ {body} }}").decode_uplink(1, b"\x00", AT_US)


@pytest.mark.parametrize(
    "answer",
    [
        "{bytes: [256]}",
        "{bytes: [-1]}",
        "{bytes: [1.5]}",
        "{bytes: 'AA=='}",
        "{bytes: [true]}",
        "{bytes: [1], fPort: 0}",
        "{bytes: [1], fPort: 224}",
        "{bytes: [1], fPort: '2'}",
        "{}",
        "{bytes: new Array(243).fill(0)}",
        "{errors: ['no']}",
    ],
)
def test_a_downlink_that_cannot_be_sent_is_refused(answer):
    with pytest.raises(TelegramError, match=r"codec t\.js"):
        codec(f"function encodeDownlink() {{ return {answer}; }}").encode_downlink({})


def test_a_codec_without_the_asked_function_says_so():
    with pytest.raises(TelegramError, match="no decodeUplink"):
        codec("var x = 1;").decode_uplink(1, b"", AT_US)
    with pytest.raises(TelegramError, match="no encodeDownlink"):
        codec("var x = 1;").encode_downlink({})


@pytest.mark.parametrize("source", ["function decodeUplink( {", "while (true) {}", "throw 1;"])
def test_what_is_no_codec_is_refused_when_it_is_loaded(source):
    with pytest.raises(FileError, match=r"t\.js: not a codec"):
        codec(source)


def test_a_codec_that_is_too_long_is_refused():
    with pytest.raises(FileError, match="at most"):
        codec("//" + "x" * sandbox.SOURCE_LIMIT)


# -- a process of its own


def test_an_engine_that_dies_or_hangs_ends_one_call_and_nothing_else(monkeypatch):
    isolated = IsolatedEngine()
    try:
        assert isolated.run("", "1 + 1") == 2
        process = isolated._process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        monkeypatch.setattr("nyala.headend.foreign.isolated.ANSWER_S", 0.05)
        with pytest.raises(sandbox.ScriptError, match="died or hung"):
            isolated.run("", "1 + 1")
        monkeypatch.undo()
        assert isolated.run("", "2 + 2") == 4
        process = isolated._process
        assert process is not None
        process.kill()
        process.wait()
        with pytest.raises(sandbox.ScriptError, match=r"died|ended"):
            isolated.run("", "1 + 1")
        assert isolated.run("", "3 + 3") == 6
        assert isolated.starts == 3
    finally:
        isolated.close()


def test_a_script_of_a_million_lines_comes_back_whole():
    isolated = IsolatedEngine()
    try:
        assert isolated.run("var x = 7;\n" * 40_000, "x + '\\n' + x") == "7\n7"
        assert isolated.run("", "'x'.repeat(1000000)") is None
    finally:
        isolated.close()
