"""docs/telegram.md: every field of every telegram, from the tables of `nyala.telegram`; for `make.py`.

Layouts, codes, limits and the examples come from the program.  The prose says what is done with them, in words that are
enough to write a decoder in C; `src/nyala/telegram/codec.js` is one that follows them.
"""

import ast
import inspect
import json
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

import coder_page
from md import table

from nyala.telegram import blocks, codec, frame_header, frames, intervals, kinds, messages, parity, values
from nyala.telegram.frame_coder import CHANNEL_SETS
from nyala.telegram.frame_header import FIELDS
from nyala.telegram.interval_block import IntervalBlock
from nyala.telegram.javascript import LAYOUTS, SIZE_MAX
from nyala.telegram.json_form import placed, to_json
from nyala.telegram.kinds import DOWNLINK_PORTS, EventCode, Opcode, Port, Result
from nyala.telegram.layout import Field, Layout
from nyala.vocab import settings as vocab_settings
from nyala.vocab.quantities import RATES, Channel, catalogue
from nyala.vocab.settings import Setting
from nyala.vocab.time import iso

HEARD_S: Final = 1_760_000_400
PERIOD_S: Final = 900
EXAMPLES: Final = (
    (Port.HELLO, "1301010268e77780"),
    (Port.EVENT, "ff0268e777800000002a"),
    (Port.ANSWER, "0102070800070015"),
    (Port.VALUES, "175600212c4e0f"),
    (Port.CONFIG_REPORT, "010003beef0600000000"),
    (Port.INTERVALS, "6e416128000a00"),
    (Port.INTERVALS_FULL, "01dd6e417480"),
    (Port.FRAME, "42b818010b18"),
    (Port.FRAME, "4ab8186bdaa6"),
    (Port.FRAME_SUM, "4ab81c80006bdaa60a0b"),
    (Port.FRAME_FULL, "4a000775b9186bdaa6"),
    (Port.COMMAND, "0102030056"),
    (Port.COMMAND, "01020401234563005f"),
    (Port.COMMAND, "01020710240003deadbeef"),
    (Port.CONFIG, "100700030a0b"),
)
"""Port and payload, received at `HEARD_S` from a meter of `PERIOD_S`: decoded by the program where the page is made."""


def page() -> str:
    """The whole specification."""
    parts = (
        _ports(),
        _conventions(),
        _fixed(),
        _commands(),
        _values(),
        _intervals(),
        _frames(),
        coder_page.section(),
        _data_blocks(),
        _examples(),
    )
    return "\n".join(parts)


def _ports() -> str:
    said = _docstrings(Port)
    rows = [
        (port.value, f"`{port.name}`", "head-end" if port in DOWNLINK_PORTS else "meter", said.get(port.name, ""))
        for port in Port
    ]
    return f"""# Telegrams, bit by bit

What a meter and a head-end say to each other in the FRMPayload of LoRaWAN frames. This page is made from the tables of the
program; a decoder can be written from it alone. One is ready: `nyala telegram codec > nyala.js` prints it in JavaScript for
ChirpStack v4 and The Things Stack v3 (below {SIZE_MAX:,} characters), and `nyala telegram decode PORT HEX` reads by hand.

{table(("FPort", "telegram", "said by", "what it is"), rows)}"""


def _conventions() -> str:
    return f"""## What holds for all

- Bits are numbered from the most significant bit of the first byte. Fields follow each other without gaps. Where the last one
  ends within a byte, the byte is filled with zero bits. Numbers are unsigned unless it is said.
- A decoder refuses: a telegram that ends within a field, a code that stands for nothing, bits behind the end that are not zero,
  and a whole byte behind the end.
- Instants are POSIX seconds, UTC. Energy is in whole Wh (varh, VAh) at the meter's terminals. An interval is named by its
  absolute index: its start / its length.
- A *short* number says its low b bits. Meant is the number nearest to what the reception suggests (`about`):
  `number = about + ((short - about + 2^(b-1)) mod 2^b) - 2^(b-1)`, with a remainder that is never negative.
- The lengths of an interval: {", ".join(f"{code} = {length} s" for code, length in kinds.PERIODS.items())}.
- The channels: {", ".join(f"{channel.value} = {channel.name}" for channel in Channel)}.
"""


def _fixed() -> str:
    text = "## Telegrams of fixed form\n"
    for port, (name, layout) in LAYOUTS.items():
        text += f"\n### {port.name} (FPort {port.value}), `{name}`\n\n" + _layout(layout)
    for title, codes in (("Events", EventCode), ("Results", Result), ("Settings", Setting)):
        text += f"\n### {title}\n\n" + _codes(codes)
    return (
        text
        + f"""
The detail of an alarm's event: the alarm's bit above {kinds.ALARM_VALUE_BITS} bits of its value.

The check of a setting is the CRC-32 (IEEE 802.3) over kind (8 bits), version (16 bits) and the bytes of the block, at most
{vocab_settings.BODY_MAX:,}.
"""
    )


def _commands() -> str:
    text = "## Orders\n\nBehind the fields of COMMAND come the arguments of the opcode. "
    text += "A repeat with one sequence number is done once.\n\n" + _codes(Opcode)
    for opcode, layout in messages.ARGUMENTS.items():
        text += f"\n### Arguments of {opcode.name}\n\n" + _layout(layout)
    return text


def _values() -> str:
    forms = [(code, form.name, form.bits, form.unit_s) for code, form in enumerate(values.FORMS)]
    rows = [
        (f"`{each.name}`", each.code, each.unit, each.scaler, "yes" if each.signed else "")
        for each in catalogue().values()
        if not each.rate
    ]
    rated = ", ".join(f"`{each.name.removesuffix('_t1')}`" for each in catalogue().values() if each.rate == 1)
    return f"""## VALUES (FPort {Port.VALUES.value}), `values`

{values.FORM_BITS} bits: how the instant is written. Then the instant in so many bits: a short number of units, or whole.

{table(("form", "unit", "bits", "seconds"), forms)}
Then for each value, as long as {values.ITEM_MIN_BITS} bits and more are left:

{_layout(values.ITEM)}
then the integer in so many nibbles (two's complement where the quantity is signed); physical value = integer x 10^scaler. A
quantity comes once, and at least one comes. A quantity that has rates has them at the {RATES} codes behind its own, names
`_t1` to `_t{RATES}`: {rated}.

{table(("quantity", "code", "unit", "scaler", "signed"), rows)}
What they mean: [quantities](reference/quantities.md).
"""


def _intervals() -> str:
    return f"""## INTERVALS and INTERVALS_FULL (FPorts {Port.INTERVALS.value}, {Port.INTERVALS_FULL.value}), `intervals`

{_layout(intervals.HEAD)}
On INTERVALS_FULL `first` has {intervals.FULL_INDEX_BITS} bits and is whole; else `about` is the reception / period. Where
`status` is 1, one bit for each interval follows: 1 = without supply in part of it. Then for each channel, as long as
{intervals.BLOCK_BITS} bits and more are left:

{_layout(intervals.BLOCK)}
then, where it says so, the anchor of {intervals.ANCHOR_BITS} bits: the channel's register at the end of the last interval, mod
65,536; then the values, in so many bits each. A channel comes once, and at least one comes.
"""


def _frames() -> str:
    rows = [(f"`{each.name}`", each.width, each.full_width, each.meaning) for each in FIELDS]
    sets = [(model, ", ".join(each.name for each in channels)) for model, channels in CHANNEL_SETS.items()]
    distances = ", ".join(f"n - {each}" for each in parity.DISTANCES)
    codes = ", ".join(f"{code} = {count}" for code, count in enumerate(frame_header.COUNTS))
    ports = ", ".join(str(each.value) for each in (Port.FRAME, Port.FRAME_SUM, Port.FRAME_FULL))
    return f"""## FRAME, FRAME_SUM and FRAME_FULL (FPorts {ports}), `intervalblock`

A block of intervals. It begins at a multiple of its own length: first interval = number x intervals. The header:

{table(("field", "bits", "on FRAME_FULL", "meaning"), rows)}
- `count`: intervals of the block, {codes}.
- `number` is short on FRAME and FRAME_SUM; `about` = reception / (period x intervals), rounded down, - 1. The period is a
  setting of the meter (HELLO says it) and is not in the frame.
- On FRAME_SUM {frames.SUM_BYTES} bytes follow: the import register at the end of the block, mod 65,536. Two of them prove all
  that came between, or give its energy where it is below 65,536 Wh.
- Where `parity` is 0, the body is all that is left, and its bytes mod {frame_header.OWN_LIMIT} are `own`. Where it is 1, the
  body is `own` bytes and the rest is parity.
- `model` {frame_header.RAW}: the body is raw. It has {frames.MASK_BITS} bits of channels (bit n, from the lowest: channel n, at
  least one), {frames.WIDTH_BITS} bits of width, then for each channel in their order its values in so many bits, then padding.
- Other models: the body is coded by the load model of `epoch` (mod 4), for these channels:

{table(("model", "channels"), sets)}
### Parity

Parity of block n is the bodies of the blocks {distances} added without carry (XOR), each padded with zeros to the
longest, without trailing zeros; only bodies that agree in the first byte of the header (epoch, model, count) and are not raw.
Where two of the three are known, the third is the XOR of all, up to its last byte that is not zero.
"""


def _data_blocks() -> str:
    return f"""## Data blocks for many meters

Not a telegram: what fragmentation (LoRa Alliance TS004) carries. {blocks.HEADER_BYTES} bytes, little-endian:
`{blocks.MAGIC.decode()}`, descriptor of 32 bits (kind in the top {32 - blocks.VERSION_BITS}, version below), length of the body
(32), CRC-32 of the body (32); then the body. The descriptor of the fragmentation session is the same.

{_codes(blocks.BlockKind)}"""


def _examples() -> str:
    text = f"""## Examples

Received at {iso(HEARD_S)} ({HEARD_S}) from a meter of {PERIOD_S} s. The test `tests/unit/telegram/test_specification.py` reads
each of them, by the program and by the JavaScript.
"""
    for port, payload in EXAMPLES:
        said = example(port, bytes.fromhex(payload))
        text += f"\nFPort {port.value}, `{payload}`:\n\n```json\n{json.dumps(said, separators=(', ', ': '))}\n```\n"
    return text


def example(port: Port, payload: bytes) -> Mapping[str, Any]:
    """A payload as `nyala telegram decode` prints it; of an order only what its opcode takes."""
    telegram = codec.decode(port, payload, HEARD_S)
    document = to_json(telegram)
    if isinstance(telegram, IntervalBlock):
        return placed(document, telegram, PERIOD_S, HEARD_S)
    return {key: each for key, each in document.items() if port != Port.COMMAND or each not in (0, ())}


# -- from tables to Markdown


def _layout(layout: Layout) -> str:
    rows = [_row(each) for each in layout.fields]
    text = table(("field", "bits", "meaning"), rows) if rows else ""
    if layout.repeat is not None:
        repeat = layout.repeat
        text += f"{chr(10) + 'Then' if rows else 'This,'} 1 to {repeat.most:,} times to the end (`{repeat.name}`):\n\n"
        text += table(("field", "bits", "meaning"), [_row(each) for each in repeat.fields])
    return text


def _row(field: Field) -> tuple[object, ...]:
    meaning = field.meaning
    if field.plus:
        meaning += f", - {field.plus}"
    if field.codes is not None and len(field.codes) <= 16:
        meaning += ": " + ", ".join(f"{code} = {_shown(each)}" for code, each in field.codes.items())
    return f"`{field.name}`", field.width, meaning


def _shown(value: object) -> object:
    return value.name if isinstance(value, IntEnum) else value


def _codes(codes: type[IntEnum]) -> str:
    said = _docstrings(codes)
    return table(("code", "name", "meaning"), [(each.value, f"`{each.name}`", said.get(each.name, "")) for each in codes])


def _docstrings(codes: type[IntEnum]) -> dict[str, str]:
    """What stands below each member in the source."""
    body = ast.parse(inspect.getsource(codes)).body[0]
    assert isinstance(body, ast.ClassDef)
    said = {}
    for before, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(before, ast.Assign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            target = before.targets[0]
            said[getattr(target, "id", "")] = " ".join(str(after.value.value).split())
    return said
