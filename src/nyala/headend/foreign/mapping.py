"""What the fields of a codec mean: a table per meter model (`codecs/*.toml`), codec field -> quantity of the catalogue.

    name, title, source       the model, what a person reads, where its format is published
    phases                    1 or 3
    codec                     the JavaScript file beside the table
    [[field]]
      path                    where the value stands in `data`: `energy.total`, `phases.0.u`
      quantity                a name of the catalogue
      unit                    the unit the codec says it in (`UNITS`)
      sign                    -1 where the maker counts the other way (default 1)
    time                      path of the instant of the values, POSIX seconds; without it they are of when they came

A field that a message does not have is not an error: meters spread their values over messages.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from nyala.headend.foreign.sandbox import PayloadCodec
from nyala.telegram.values import Values
from nyala.vocab.errors import FileError, TelegramError, UnknownError
from nyala.vocab.quantities import Channel, Quantity, catalogue
from nyala.vocab.time import US_PER_S

UNITS: Final[Mapping[str, tuple[str, int]]] = {
    "Wh": ("Wh", 0),
    "kWh": ("Wh", 3),
    "MWh": ("Wh", 6),
    "varh": ("varh", 0),
    "kvarh": ("varh", 3),
    "VAh": ("VAh", 0),
    "kVAh": ("VAh", 3),
    "W": ("W", 0),
    "kW": ("W", 3),
    "var": ("var", 0),
    "kvar": ("var", 3),
    "VA": ("VA", 0),
    "kVA": ("VA", 3),
    "V": ("V", 0),
    "mV": ("V", -3),
    "A": ("A", 0),
    "mA": ("A", -3),
    "Hz": ("Hz", 0),
    "1": ("1", 0),
    "%": ("1", -2),
}
"""Unit of a codec -> unit of the catalogue and power of ten between them."""
VALUE_LIMIT: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the table."""

    path: tuple[str, ...]
    quantity: Quantity
    exponent: int
    """Catalogue integer = codec's value * 10**exponent."""
    sign: int


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """A meter of another maker."""

    name: str
    title: str
    source: str
    phases: int
    codec: PayloadCodec
    fields: tuple[Field, ...]
    time: tuple[str, ...]

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The energy registers it tells: what intervals are made of."""
        return tuple(f.quantity.channel for f in self.fields if f.quantity.channel is not None and f.quantity.rate == 0)

    def decode(self, port: int, payload: bytes, received_us: int) -> Values:
        """The values of an uplink; TelegramError where the codec refuses it or it says nothing that is in the table."""
        data = self.codec.decode_uplink(port, payload, received_us)
        said = {}
        for field in self.fields:
            value = _at(data, field.path)
            if value is not None:
                said[field.quantity.name] = self._whole(field, value)
        if not said:
            raise TelegramError(f"{self.name}: nothing of FPort {port} is in its table")
        instant = _at(data, self.time) if self.time else None
        at_s = received_us // US_PER_S if instant is None else int(self._number(self.time, instant))
        return Values(at_s, said)

    def _whole(self, field: Field, value: Any) -> int:
        """Energy is cut, never rounded up; the rest is rounded."""
        scaled = (self._number(field.path, value) * field.sign).scaleb(field.exponent)
        whole = int(scaled.to_integral_value(ROUND_HALF_EVEN if field.quantity.channel is None else ROUND_FLOOR))
        if not (-VALUE_LIMIT if field.quantity.signed else 0) <= whole < VALUE_LIMIT:
            raise TelegramError(f"{self.name}: {'.'.join(field.path)} {value} is no {field.quantity.name}")
        return whole

    def _number(self, path: tuple[str, ...], value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise TelegramError(f"{self.name}: {'.'.join(path)} is no number: {str(value)[:40]!r}")
        return Decimal(value)


def _at(data: Any, path: tuple[str, ...]) -> Any:
    """The value at a path of object keys and list indices; None where there is none."""
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def read_model(table: str, source: str, path: str) -> ForeignModel:
    """A model from the text of its table and of its codec; FileError, which names `path`, for a wrong one."""
    try:
        row: dict[str, Any] = tomllib.loads(table)
        fields = tuple(_field(each) for each in row["field"])
        time = tuple(str(row.get("time", "")).split(".")) if row.get("time") else ()
        model = ForeignModel(
            str(row["name"]),
            str(row["title"]),
            str(row["source"]),
            int(row["phases"]),
            PayloadCodec(path, source),
            fields,
            time,
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, UnknownError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"not a table of a codec: {error}", path=path) from None
    names = [field.quantity.name for field in fields]
    if len(set(names)) < len(names) or not fields:
        raise FileError("a table of a codec names each quantity once, and at least one", path=path)
    return model


def _field(row: Mapping[str, Any]) -> Field:
    quantity, unit = catalogue().get(row["quantity"]), UNITS.get(row["unit"])
    if quantity is None:
        raise UnknownError("quantity", row["quantity"])
    if unit is None or unit[0] != quantity.unit:
        raise UnknownError(f"unit of {quantity.name} ({quantity.unit})", row["unit"])
    sign = row.get("sign", 1)
    if sign not in (1, -1):
        raise ValueError(f"sign {sign} is neither 1 nor -1")
    return Field(tuple(row["path"].split(".")), quantity, unit[1] - quantity.scaler, sign)


def read_folder(folder: Traversable) -> dict[str, ForeignModel]:
    """The models of a folder's tables (`*.toml`), each with its codec beside it, by name; FileError for a wrong one."""
    models: dict[str, ForeignModel] = {}
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if not file.name.endswith(".toml"):
            continue
        table = file.read_text(encoding="utf-8")
        try:
            source = folder.joinpath(tomllib.loads(table)["codec"]).read_text(encoding="utf-8")
        except (tomllib.TOMLDecodeError, KeyError, TypeError, OSError) as error:
            raise FileError(f"no codec: {error}", path=file.name) from None
        model = read_model(table, source, file.name)
        if model.name in models:
            raise FileError(f"model {model.name} has a table already", path=file.name)
        models[model.name] = model
    return models


@cache
def _models() -> dict[str, ForeignModel]:
    return read_folder(files("nyala.headend.foreign").joinpath("codecs"))


def foreign_models() -> Mapping[str, ForeignModel]:
    """The models of other makers by name: those that come with nyala, and those that were added."""
    return _models()


def add_models(folder: Path) -> None:
    """Adds an operator's own models, once, before a process begins its work; a model of ours may be replaced by name."""
    if not folder.is_dir():
        raise FileError("no folder of codecs", path=str(folder))
    _models().update(read_folder(folder))


def foreign_model(name: str) -> ForeignModel | None:
    """The model of another maker by name; None for one of our own."""
    return _models().get(name)
