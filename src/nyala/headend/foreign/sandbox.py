"""Payload codecs in JavaScript, run unchanged: `decodeUplink` and `encodeDownlink` of LoRa Alliance TS013-1.0.0, as
ChirpStack v4 and The Things Stack v3 run them, and the older `Decode(fPort, bytes)` and `Decoder(bytes, port)`.

A codec is foreign code: each call gets a new engine without any I/O, with limits of time, memory, stack and result, and
leaves nothing behind.  A server runs the engine in a process of its own (`isolated`), so that even a bug of the engine ends
one call and nothing else.  Not here: `require` (a codec is one file), and what a field means (`mapping`).
"""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import quickjs

from nyala.vocab.errors import FileError, TelegramError

TIME_LIMIT_S: Final = 0.1
MEMORY_LIMIT: Final = 8 << 20
STACK_LIMIT: Final = 256 << 10
SOURCE_LIMIT: Final = 512 << 10
RESULT_LIMIT: Final = 64 << 10
"""Characters of a result."""
PAYLOAD_LIMIT: Final = 242
"""Bytes of a downlink: the largest N of any region."""
PORTS: Final = range(1, 224)

_PRELUDE: Final = "var console = {log: function () {}, warn: function () {}, error: function () {}, info: function () {}};"
_UPLINK: Final = """
(function (input) {
  input.recvTime = new Date(input.recvTime);
  if (typeof decodeUplink === "function") return JSON.stringify(decodeUplink(input));
  if (typeof Decode === "function") return JSON.stringify({data: Decode(input.fPort, input.bytes, input.variables)});
  if (typeof Decoder === "function") return JSON.stringify({data: Decoder(input.bytes, input.fPort)});
  throw new Error("it has no decodeUplink");
})"""
_DOWNLINK: Final = """
(function (input) {
  if (typeof encodeDownlink !== "function") throw new Error("it has no encodeDownlink");
  return JSON.stringify(encodeDownlink(input));
})"""


class ScriptError(Exception):
    """A script did not come to an end; the text says why in one line."""


def run_here(source: str, expression: str) -> object:
    """The value of an expression after a source, in an engine of its own in this process; ScriptError."""
    engine = quickjs.Context()
    engine.set_memory_limit(MEMORY_LIMIT)
    engine.set_max_stack_size(STACK_LIMIT)
    engine.set_time_limit(TIME_LIMIT_S)
    try:
        engine.eval(source)
        return engine.eval(expression)
    except quickjs.JSException as error:
        raise ScriptError(str(error).split("\n", 1)[0][:200]) from None


Run = Callable[[str, str], object]
_run: list[Run] = [run_here]


def run_with(run: Run) -> None:
    """Where codecs run from now on: a server says so once, at its start."""
    _run[0] = run


class PayloadCodec:
    """One codec: its name for messages, and its source, which is compiled once here to find out whether it can be."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        if len(source) > SOURCE_LIMIT:
            raise FileError(f"a codec of {len(source)} characters; at most {SOURCE_LIMIT}", path=name)
        self._source = _PRELUDE + source
        try:
            _run[0](self._source, "null")
        except ScriptError as error:
            raise FileError(f"not a codec: {error}", path=name) from None

    def decode_uplink(self, port: int, payload: bytes, received_us: int, variables: Mapping[str, str] | None = None) -> Any:
        """`data` of the codec's answer, fractions as Decimal; TelegramError where it refuses or fails."""
        given = {
            "bytes": list(payload),
            "fPort": port,
            "recvTime": received_us // 1_000,
            "variables": dict(variables or {}),
        }
        return self._said(self._call(_UPLINK, given), "data")

    def encode_downlink(self, data: Mapping[str, Any], variables: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """FPort and payload for `data`; TelegramError where the codec refuses, fails, or answers what cannot be sent."""
        answer = self._call(_DOWNLINK, {"data": dict(data), "variables": dict(variables or {})})
        octets, port = self._said(answer, "bytes"), answer.get("fPort", 1)
        if not isinstance(octets, list) or not all(type(each) is int and 0 <= each <= 0xFF for each in octets):
            raise TelegramError(f"codec {self.name}: bytes of a downlink are no list of octets")
        if len(octets) > PAYLOAD_LIMIT or type(port) is not int or port not in PORTS:
            raise TelegramError(f"codec {self.name}: {len(octets)} bytes on FPort {port} cannot be sent")
        return port, bytes(octets)

    def _call(self, function: str, given: Mapping[str, Any]) -> dict[str, Any]:
        try:
            text = _run[0](self._source, f"{function}({json.dumps(given)})")
        except ScriptError as error:
            raise TelegramError(f"codec {self.name}: {error}") from None
        if not isinstance(text, str) or len(text) > RESULT_LIMIT:
            raise TelegramError(f"codec {self.name}: its answer is no object, or longer than {RESULT_LIMIT} characters")
        answer = json.loads(text, parse_float=Decimal)
        if not isinstance(answer, dict):
            raise TelegramError(f"codec {self.name}: its answer is no object")
        return answer

    def _said(self, answer: dict[str, Any], key: str) -> Any:
        errors = answer.get("errors")
        if errors:
            raise TelegramError(f"codec {self.name} says: {str(errors)[:200]}")
        if key not in answer:
            raise TelegramError(f"codec {self.name}: its answer has no {key!r}")
        return answer[key]
