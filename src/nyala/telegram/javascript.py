"""The decoder for others, in JavaScript: `codec.js` with the tables of this room in it.

ChirpStack v4 and The Things Stack v3 run it (codec API of both: decodeUplink, encodeDownlink, decodeDownlink).  What a layout,
a code or a load model says is here only as data; how it is read stands in `codec.js`.  The Things Stack takes 40,960
characters: one load model fits, packed (`packed`).
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from importlib.resources import files
from itertools import groupby, pairwise
from typing import Any, Final

from nyala.telegram import config, frame_header, frames, intervals, load_model, messages, values
from nyala.telegram.frame_coder import CHANNEL_SETS
from nyala.telegram.interval_block import EPOCHS_TOLD
from nyala.telegram.kinds import DOWNLINK_PORTS, UPLINK_PORTS, Port
from nyala.telegram.layout import Field, Layout
from nyala.telegram.load_model import CLASS_OF, CLASSES, CONTEXTS, LoadModel, Tables
from nyala.telegram.load_model_file import EPOCH, model_of_epoch
from nyala.vocab.quantities import RATED, RATES, Channel, catalogue

SIZE_MAX: Final = 40_960
"""Characters of a payload formatter of The Things Stack."""
PLACE: Final = "/* TABLES */\n"
BASE: Final = 38
"""Digits of a packed number, chosen for size: of 92 printable characters 38 end a number, 38 go before, 16 repeat the last."""
_REPEATS: Final = 92 - 2 * BASE
_FIRST, _BACKSLASH, _STAND_IN = 35, 92, 33
LAYOUTS: Final[Mapping[Port, tuple[str, Layout]]] = {
    Port.HELLO: ("hello", messages.HELLO),
    Port.EVENT: ("event", messages.EVENT),
    Port.ANSWER: ("answer", messages.ANSWER),
    Port.CONFIG_REPORT: ("configreport", config.REPORT),
    Port.COMMAND: ("command", messages.COMMAND),
    Port.CONFIG: ("configpart", config.PART),
}
"""Telegrams that are a layout and nothing else; behind a command come its `messages.ARGUMENTS`."""


def source(epochs: Iterable[int] = (EPOCH,), period_s: int = 0) -> str:
    """The text of the decoder with the load models of some epochs; UnknownError for an epoch that is not in the package.

    `period_s` is the length of an interval where the network gives none in `variables`; 0: not known.
    """
    models = [model_of_epoch(epoch) for epoch in epochs]
    notices = "".join(f"// Load model of epoch {each.epoch}: {each.made_from}. {each.licence}.\n" for each in models)
    tables = "".join(f"var {name} = {_text(value)};\n" for name, value in ({"PERIOD_S": period_s} | _tables(models)).items())
    head, place, body = files("nyala.telegram").joinpath("codec.js").read_text("utf-8").partition(PLACE)
    assert place, "codec.js has no place for its tables"
    lines = [line.lstrip() for line in body.splitlines()]
    return head + notices + tables + "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _tables(models: Iterable[LoadModel]) -> dict[str, Any]:
    codes = _Codes()
    return {
        "PORTS": {port.name: port.value for port in Port},
        "UPLINKS": sorted(UPLINK_PORTS),
        "DOWNLINKS": sorted(DOWNLINK_PORTS),
        "LAYOUTS": {port.value: [kind, codes.layout(layout)] for port, (kind, layout) in LAYOUTS.items()},
        "ARGUMENTS": {opcode.name: codes.layout(layout) for opcode, layout in messages.ARGUMENTS.items()},
        "HEAD": codes.fields(intervals.HEAD.fields),
        "HEAD_FULL": codes.fields(intervals.HEAD_FULL.fields),
        "BLOCK": codes.fields(intervals.BLOCK.fields),
        "BLOCK_BITS": intervals.BLOCK_BITS,
        "ANCHOR_BITS": intervals.ANCHOR_BITS,
        "ITEM": codes.fields(values.ITEM.fields),
        "ITEM_MIN_BITS": values.ITEM_MIN_BITS,
        "FORMS": [[form.bits, form.unit_s] for form in values.FORMS],
        "FORM_BITS": values.FORM_BITS,
        "SHORT_BITS": values.SHORT_BITS,
        "RATES": RATES,
        "CATALOGUE": _catalogue(),
        "CODES": codes.rows,
        "FRAME": [[field.name, field.width, 0, 0] for field in frame_header.FIELDS],
        "FRAME_FULL": [[field.name, field.full_width, 0, 0] for field in frame_header.FIELDS],
        "COUNTS": frame_header.COUNTS,
        "NUMBER_BITS": frame_header.NUMBER_BITS,
        "OWN_LIMIT": frame_header.OWN_LIMIT,
        "SUM_BYTES": frames.SUM_BYTES,
        "MASK_BITS": frames.MASK_BITS,
        "WIDTH_BITS": frames.WIDTH_BITS,
        "CHANNELS": [channel.name for channel in Channel],
        "CHANNEL_SETS": CHANNEL_SETS,
        "SETTINGS": [[at, each.tables, each.condition, int(each.excess)] for at, each in load_model.SETTINGS.items()],
        "BASE": BASE,
        "CLASSES": CLASSES,
        "FIRST": load_model.FIRST,
        "CAP": load_model.VALUES - 1,
        "ESCAPE": load_model.ESCAPE,
        "VALUE_BITS": load_model.VALUE_BITS,
        "VALUE_WIDTH_BITS": load_model.WIDTH_BITS,
        "LEVEL_BITS": load_model.LEVEL_BITS,
        "LEVEL_PACE": load_model.LEVEL_PACE,
        "CLASS_START": [CLASS_OF.index(each) for each in range(CLASSES)],
        "TOKEN_START": load_model.TOKEN_START,
        "RAW_BITS": load_model.RAW_BITS,
        "MODELS": {each.epoch % EPOCHS_TOLD: packed_model(each.tables) for each in models},
    }


class _Codes:
    """Fields as rows, and the codes that they name by number: 0 has none, 1 is the catalogue, filled by `codec.js`."""

    def __init__(self) -> None:
        self.rows: list[dict[int, Any] | None] = [None, {}]

    def fields(self, given: Iterable[Field]) -> list[list[Any]]:
        """[name, bits, plus, number of the codes] each."""
        return [[field.name, field.width, field.plus, self._number(field.codes)] for field in given]

    def layout(self, layout: Layout) -> list[Any]:
        """[fields], and where something is repeated its name, fields and most times."""
        repeat = layout.repeat
        return [self.fields(layout.fields), *((repeat.name, self.fields(repeat.fields), repeat.most) if repeat else ())]

    def _number(self, codes: Mapping[int, Any] | None) -> int:
        if codes is None or codes is values.QUANTITY.codes:
            return int(codes is not None)
        # By name: events and orders of the same numbers are equal as numbers.
        said = {code: each.name if isinstance(each, IntEnum) else each for code, each in codes.items()}
        if said not in self.rows:
            self.rows.append(said)
        return self.rows.index(said)


def _catalogue() -> str:
    """Name, flags (1 signed, 2 rated, 4 each decimal place) and, where it is not the next, code of each quantity."""
    rows, following = [], 0
    for each in catalogue().values():
        if each.rate:
            continue
        flags = each.signed + 2 * (each.kind in RATED) - 4 * each.scaler
        rows.append(f"{each.name},{flags}" + (f",{each.code}" if each.code != following else ""))
        following = each.code + 1 + RATES * (each.kind in RATED)
    return " ".join(rows)


# -- load models


def packed(numbers: Sequence[int]) -> str:
    """Numbers of 1 and more as text, without the repeats of the last one: who unpacks it knows how many there are."""
    said = ""
    for number, run in groupby(numbers):
        again, one = len(list(run)) - 1, _digits(number)
        longs, rest = divmod(again, _REPEATS)
        repeated = one + _character(2 * BASE + _REPEATS - 1) * longs + (_character(2 * BASE + rest - 1) if rest else "")
        said += (last := min(one * (1 + again), repeated, key=len))
    return said[: len(said) - len(last) + len(one)]


def _digits(number: int) -> str:
    said = _character(number % BASE)
    while number := number // BASE:
        said = _character(number % BASE + BASE) + said
    return said


def _character(digit: int) -> str:
    code = digit + _FIRST
    return chr(_STAND_IN if code == _BACKSLASH else code)


def packed_model(tables: Mapping[str, Tables]) -> dict[str, list[str]]:
    """By the name of the tables: forms, choice, rows of each map by number, the rows, and the pool; all packed."""
    return {name: _packed_tables(each) for name, each in tables.items()}


def _packed_tables(tables: Tables) -> list[str]:
    places = [each[at : at + CLASSES] for each in tables.maps for at in range(0, CONTEXTS, CLASSES)]
    # What is named most often gets the shortest numbers.
    rows = [row for row, _ in Counter(places).most_common()]
    pool = [number for number, _ in Counter(b"".join(places)).most_common()]
    return [
        "".join(map(str, map(int, tables.forms))),
        packed(_frequencies(tables.choice)),
        packed([rows.index(each) + 1 for each in places]),
        " ".join(packed([pool.index(place) + 1 for place in row]) for row in rows),
        " ".join(packed(_frequencies(tables.pool[number])) for number in pool),
    ]


def _frequencies(cumulative: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise(cumulative)]
