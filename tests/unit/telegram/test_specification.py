"""docs/telegram.md: its examples read as it says, by the program and by the decoder for others."""

import json
import re
from pathlib import Path

import pytest

from nyala.telegram import codec
from nyala.telegram.interval_block import IntervalBlock
from nyala.telegram.javascript import source
from nyala.telegram.json_form import from_json, placed, to_json
from nyala.telegram.kinds import DOWNLINK_PORTS, Port
from tests.unit.telegram.test_javascript import engine, functions

PAGE = (Path(__file__).parents[3] / "docs" / "telegram.md").read_text("utf-8")
RECEIVED_S, PERIOD_S = map(int, re.findall(r"\((\d+)\) from a meter of (\d+) s", PAGE)[0])
EXAMPLES = [
    (Port(int(port)), bytes.fromhex(payload), json.loads(said))
    for port, payload, said in re.findall(r"FPort (\d+), `([0-9a-f]+)`:\n\n```json\n(.*)\n```", PAGE)
]
JS = functions(engine(source()))


def test_every_port_has_an_example():
    assert {port for port, _, _ in EXAMPLES} == set(Port)


@pytest.mark.parametrize(("port", "payload", "said"), EXAMPLES)
def test_an_example_reads_as_the_page_says(port, payload, said):
    telegram = codec.decode(port, payload, RECEIVED_S)
    assert from_json(said) == telegram
    if isinstance(telegram, IntervalBlock):
        assert said == placed(to_json(telegram), telegram, PERIOD_S, RECEIVED_S)


@pytest.mark.parametrize(("port", "payload", "said"), EXAMPLES)
def test_an_example_reads_so_in_javascript(port, payload, said):
    name = "decodeDownlink" if port in DOWNLINK_PORTS else "decodeUplink"
    given = {"fPort": port, "bytes": list(payload), "recvTime": RECEIVED_S * 1000, "variables": {"period_s": str(PERIOD_S)}}
    answer = JS(name, given)
    answer["data"].pop("physical", None)
    assert answer == {"data": said, "warnings": [], "errors": []}
