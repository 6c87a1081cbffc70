"""The part of docs/telegram.md on coded bodies: range coder, load model, its tables, and a body step by step."""

from typing import Any

from md import table

from nyala.telegram import frames, load_model
from nyala.telegram.interval_block import coder_of
from nyala.telegram.load_model_coder import decode_body, read
from nyala.telegram.load_model_file import EPOCH, EPOCHS, hash_of, model_of_epoch
from nyala.telegram.range_coder import CHUNK_BITS, RANGE_BITS, RENORM, TOTAL_BITS, Decoder
from nyala.vocab.quantities import Channel


def section() -> str:
    """All of it."""
    return f"{_range_coder()}\n{_load_model()}\n{_tables()}\n{_trace()}"


def _range_coder() -> str:
    return f"""## The range coder

Unsigned numbers of {RANGE_BITS} bits are enough: `code` < `width` < 2^{RANGE_BITS} always. A byte beyond the end reads as 0.

```c
code  = the first {RANGE_BITS // 8} bytes, the most significant first;     width = 2^{RANGE_BITS} - 1
if (code > width - 1) code = width - 1

narrow:   while (width < 2^{RENORM.bit_length() - 1}) {{ code = code << 8 | next byte;  width <<= 8; }}

symbol of a table of cumulative frequencies c[0] = 0 < c[1] < .. < c[n] = 2^{TOTAL_BITS}:
          unit = width >> {TOTAL_BITS};  place = code / unit
          s = the largest with c[s] <= place, at most n - 1
          code -= unit * c[s]
          width = s == n - 1 ? width - unit * c[s] : unit * (c[s + 1] - c[s])
          narrow

number of b uniform bits: the highest {CHUNK_BITS} first, then the next {CHUNK_BITS}, the rest last; each part of p bits:
          unit = width >> p;  digit = min(code / unit, 2^p - 1)
          code = min(code - unit * digit, unit - 1);  width = unit
          narrow;  number = number << p | digit
```

No bytes are refused by the coder itself. A body with bytes that are not looked at when all values are read is refused.

An encoder keeps `low` (any length, or carries into the bytes already written) and `width` from 0 and 2^{RANGE_BITS} - 1:
`low += unit * c[s]`, the same widths, and where it narrows `low <<= 8`. It ends with the shortest bytes that, followed by
zeros for ever, lie within [low, low + width).
"""


def _load_model() -> str:
    seen = [
        (
            channel.name,
            f"`{each.tables}`",
            "" if each.condition is None else each.condition.name,
            "the excess" if each.excess else "the value",
        )
        for channel, each in load_model.SETTINGS.items()
    ]
    tokens = [
        (f"{token}", load_model.TOKEN_START[token], bits) for token, bits in enumerate(load_model.RAW_BITS[: load_model.ESCAPE])
    ]
    classes = [load_model.CLASS_OF.index(each) for each in range(load_model.CLASSES)]
    return f"""## The load model

The channels of a body are read in this order, each by its tables. A channel whose condition is not in the body is read as
{Channel.IMPORT.name} is, by `{load_model.ALONE.tables}` and without a condition.

{table(("channel", "tables", "condition", "what is coded"), seen)}
For each channel:

1. A symbol of `choice`: the model m. The last choice stands for *plain*: {load_model.WIDTH_BITS} uniform bits of width, then
   each value in so many uniform bits, and the channel is done.
2. For each interval i (from 0) the number `said`:
   - `second` = class of the condition's value of this interval. Without a condition: class of `level` >>
     {load_model.LEVEL_BITS} where i > form(m), else 0.
   - A symbol of the distribution `pool[map(m)[{load_model.CLASSES} * before + second]]`: the token. `before` is
     {load_model.FIRST} at first, later the class of the `said` before.
   - Token t < {load_model.ESCAPE}: `said` = start of t + so many uniform bits as t has. Token {load_model.ESCAPE}:
     {load_model.WIDTH_BITS} uniform bits say the number of bits b of `said` (refused below {load_model.VALUE_BITS + 1}), then
     b - 1 uniform bits are all but its highest.
   - With v = min(`said`, {load_model.VALUES - 1:,}): `level` = v << {load_model.LEVEL_BITS} where i <= form(m), else `level` +=
     ((v << {load_model.LEVEL_BITS}) - `level`) >> {load_model.LEVEL_PACE} (arithmetic shift, rounds down).
3. Form 0: the value is `said`. Form 1: the first value is `said`; each other is the one before + (`said` / 2, or
   -(`said` + 1) / 2 where `said` is odd).
4. Where the excess is coded: value = `said` value + the condition's value - 1.
5. A value below 0 or beyond 2^{load_model.REGISTER_BITS} - 1, before or after step 4, is refused.

Classes of values, by the smallest value of each, the last without an end: {", ".join(map(str, classes))}.

Tokens: below {load_model.EXACT} the value itself; then {1 << load_model.STEP_BITS} to the octave. Where they start, and the
uniform bits behind them:

{table(("token", "starts at", "uniform bits"), tokens[load_model.EXACT :: 1 << load_model.STEP_BITS])}
Of each octave the first token is shown; the next starts 2^bits later.
"""


def _tables() -> str:
    rows = [
        (epoch, f"`src/nyala/telegram/models/epoch{epoch}.json`", f"{model.size_bytes:,}", model.licence, f"`{hash_of(model)}`")
        for epoch, model in ((each, model_of_epoch(each)) for each in EPOCHS)
    ]
    lines = "".join(f"    {name}\n" for name in load_model.TABLES)
    return f"""### Its tables

{table(("epoch", "file", "bytes", "licence", "SHA-256 of the table bytes"), rows)}
Meters start with epoch {EPOCH}. In a file `tables` is base64 of zlib of the table bytes; these are, for each of

{lines}
in this order, little-endian:

| bytes | what |
| --- | --- |
| 1 | models m |
| 1 | distributions d in the pool |
| m | the form of each model |
| m x {load_model.CONTEXTS:,} | the map of each model: a distribution's number for each context |
| 2 x (m + 1) | `choice`: cumulative frequencies c[0] .. c[m], the last 65,536 is not written |
| 2 x {load_model.TOKENS} x d | the pool: each c[0] .. c[{load_model.TOKENS - 1}] likewise |
"""


class _Traced(Decoder):
    """A decoder that tells what it takes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.rows: list[tuple[object, ...]] = []

    def take(self, table: Any) -> int:
        before = self._code, self._width
        symbol = super().take(table)
        self.rows.append((f"symbol of {len(table) - 1}", f"`{before[0]:08x}`", f"`{before[1]:08x}`", symbol))
        return symbol

    def take_bits(self, bits: int) -> int:
        before = self._code, self._width
        value = super().take_bits(bits)
        self.rows.append((f"{bits} uniform bits", f"`{before[0]:08x}`", f"`{before[1]:08x}`", value))
        return value


def _trace() -> str:
    rows, model = {Channel.IMPORT: (31, 28, 44, 61)}, model_of_epoch(EPOCH)
    coded = coder_of(EPOCH).encode_body(rows, 8 * frames.OWN_LIMIT)
    assert coded is not None
    body = coded[1]
    traced = _Traced(body)
    assert read(traced, model, rows, 4) == rows == decode_body(model, rows, 4, body)
    return f"""### A body step by step

The body `{body.hex()}` of model {coded[0]} by epoch {EPOCH}: {", ".join(map(str, rows[Channel.IMPORT]))} Wh. `code` and
`width` are those before the step.

{table(("taken", "code", "width", "is"), traced.rows)}"""
