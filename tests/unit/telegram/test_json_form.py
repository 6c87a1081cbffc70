"""Telegrams as JSON and back."""

import json

import pytest
from hypothesis import given

from nyala.telegram.json_form import from_json, to_json
from nyala.vocab.errors import BadArgumentError
from tests.unit.telegram.strategies import telegrams


@given(telegrams)
def test_every_telegram_goes_through_json_and_back(telegram):
    document = json.loads(json.dumps(to_json(telegram)))
    assert document["kind"] == type(telegram).__name__.lower()
    assert from_json(document) == telegram


INTERVALS = {"kind": "intervals", "first": 1, "period_s": 900, "channels": {"IMPORT": {"values": [1]}}}
REFUSED = {
    "no kind": {"at_s": 1, "values": {"import_wh": 1}},
    "an unknown kind": {"kind": "poem"},
    "nothing but a kind": {"kind": "hello"},
    "an unknown event": {"kind": "event", "number": 1, "code": "PARTY", "clock_s": 1},
    "an unknown opcode": {"kind": "command", "sequence": 1, "opcode": "DANCE"},
    "an unknown result": {"kind": "answer", "sequence": 1, "opcode": 1, "result": "MAYBE"},
    "an unknown channel": INTERVALS | {"channels": {"COLOUR": {"values": [1]}}},
    "values that are no list": INTERVALS | {"channels": {"IMPORT": {"values": 1}}},
    "channels that are no table": INTERVALS | {"channels": [1]},
    "a field too many": {"kind": "hello", "model": 1, "firmware": 1, "period_s": 900, "clock_s": 1, "colour": "red"},
}


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED)
def test_a_document_that_is_no_telegram_is_refused(document):
    with pytest.raises(BadArgumentError, match=r"not a telegram|unknown kind"):
        from_json(document)


def test_what_may_be_left_out_has_its_default():
    assert from_json({"kind": "event", "number": 1, "code": "CLOCK_SET", "clock_s": 5}) == from_json(
        {"kind": "event", "number": 1, "code": "CLOCK_SET", "clock_s": 5, "detail": 0}
    )
    assert from_json(INTERVALS) == from_json(INTERVALS | {"outages": []})
