"""Onboarding: meters from a CSV or JSON file.  Every bad row is reported with its line; nothing of a bad file is taken.

Columns (CSV header, JSON keys): `serial`, `model`, `dev_eui`, `join_eui`, `app_key` are required; `customer`, `site`,
`zone` (IANA, default Asia/Jakarta), `tariff`, `contracted_va`, `ct_ratio` (200/5), `installed` (ISO 8601 with zone),
`period_min` (15), `report_min` (60), `lorawan_version` (1.0.4; 1.0.3: random DevNonces), `lorawan_class` (C, or A), `state`
(active; in_stock, commissioning), `feeder`, `lat` and `lon` (of the site, degrees) are not.
"""

import csv
import io
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from nyala.headend.lifecycle import Life
from nyala.lorawan.network.sessions import VERSIONS
from nyala.telegram.kinds import PERIODS_S
from nyala.vocab.errors import BadArgumentError, CallerError, FileError
from nyala.vocab.identifiers import parse_eui, parse_key, parse_serial
from nyala.vocab.places import Place, parse_place
from nyala.vocab.time import DAY_S, instant_from_text, zone

REQUIRED: Final = ("serial", "model", "dev_eui", "join_eui", "app_key")
OPTIONAL: Final = (
    *("customer", "site", "zone", "tariff", "contracted_va", "ct_ratio", "installed", "period_min", "report_min"),
    *("lorawan_version", "lorawan_class", "state", "feeder", "lat", "lon"),
)
BEGINNINGS: Final = (Life.IN_STOCK, Life.COMMISSIONING, Life.ACTIVE)
"""States that a meter may be onboarded in."""
ROWS_MAX: Final = 1_000_000
TEXT_MAX: Final = 120
ERRORS_MAX: Final = 100
"""Bad rows that one run reports; a file with more is not worth reading on."""


@dataclass(frozen=True, slots=True)
class NewMeter:
    """A meter to be onboarded."""

    serial: str
    model: str
    dev_eui: int
    join_eui: int
    app_key: bytes = field(repr=False)
    customer: str
    site: str
    zone: str
    tariff: str
    contracted_va: int
    ct_ratio: tuple[int, int]
    installed_s: int
    period_s: int
    report_s: int
    lorawan_version: str = "1.0.4"
    class_c: bool = True
    life: Life = Life.ACTIVE
    feeder: str = ""
    place: Place | None = None
    """Of its site."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file gave: its good rows, and an error for each bad one."""

    meters: tuple[NewMeter, ...]
    errors: tuple[FileError, ...]


def _text(value: str) -> str:
    if len(value) > TEXT_MAX:
        raise BadArgumentError(f"at most {TEXT_MAX} characters, got {len(value)}")
    return value.strip()


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise BadArgumentError(f"not a whole number: {value!r}") from None
        if not low <= number <= high:
            raise BadArgumentError(f"{number} is not {low}..{high}")
        return number

    return parse


def _ratio(value: str) -> tuple[int, int]:
    primary, slash, secondary = value.partition("/")
    parse = _whole(1, 1_000_000)
    if not slash:
        raise BadArgumentError(f"a ratio is written 200/5, not {value!r}")
    return parse(primary), parse(secondary)


def _period(value: str) -> int:
    period_s = _whole(1, 60)(value) * 60
    if period_s not in PERIODS_S:
        raise BadArgumentError(f"intervals of {value} min; a meter knows {[p // 60 for p in PERIODS_S]}")
    return period_s


def _version(value: str) -> str:
    if value.strip() not in VERSIONS:
        raise BadArgumentError(f"{value!r} is none of {', '.join(VERSIONS)}")
    return value.strip()


def _class_c(value: str) -> bool:
    if value.strip().upper() not in ("A", "C"):
        raise BadArgumentError(f"{value!r} is neither A nor C")
    return value.strip().upper() == "C"


def _life(value: str) -> Life:
    if value.strip() not in BEGINNINGS:
        raise BadArgumentError(f"{value!r} is none of {', '.join(BEGINNINGS)}")
    return Life(value.strip())


def _place(row: Mapping[str, str]) -> Place | None:
    lat, lon = row.get("lat") or "", row.get("lon") or ""
    if not lat and not lon:
        return None
    if not (lat and lon and row.get("site")):
        raise BadArgumentError("lat and lon are of a site: all three, or neither of the two")
    return parse_place(lat, lon)


def _zone(value: str) -> str:
    return zone(value).key


def read_file(text: str, path: str, models: Collection[str], now_s: int) -> Reading:
    """The meters of a CSV or JSON text.  `path` is named in errors; `now_s` is the default of `installed`.

    FileError where the text is neither; bad rows are in the result.
    """
    rows = _json_rows(text, path) if text.lstrip().startswith(("[", "{")) else _csv_rows(text, path)
    meters: list[NewMeter] = []
    errors: list[FileError] = []
    seen: dict[tuple[str, object], int] = {}
    places: dict[str, tuple[Place, int]] = {}
    for line, row in rows:
        if len(errors) >= ERRORS_MAX:
            break
        try:
            meter = _meter(row, models, now_s)
            for what in (("serial", meter.serial), ("dev_eui", meter.dev_eui)):
                if what in seen:
                    raise BadArgumentError(f"{what[0]} {row[what[0]]} stands in line {seen[what]} already")
            if meter.place is not None and places.setdefault(meter.site, (meter.place, line))[0] != meter.place:
                raise BadArgumentError(f"site {meter.site} is elsewhere in line {places[meter.site][1]}")
            seen[("serial", meter.serial)] = seen[("dev_eui", meter.dev_eui)] = line
            meters.append(meter)
        except CallerError as error:
            errors.append(FileError(str(error), path=path, line=line))
        if len(meters) > ROWS_MAX:
            raise FileError(f"more than {ROWS_MAX} meters", path=path)
    return Reading(tuple(meters), tuple(errors))


def _csv_rows(text: str, path: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        header = reader.fieldnames or []
        absent = [name for name in REQUIRED if name not in header]
        unknown = [name for name in header if name not in (*REQUIRED, *OPTIONAL)]
        if absent or unknown:
            raise FileError(f"header lacks {absent}, has unknown {unknown}", path=path, line=1)
        for row in reader:
            if None in row or None in row.values():
                yield reader.line_num, {"serial": ""}
            else:
                yield reader.line_num, row
    except csv.Error as error:
        raise FileError(f"not CSV: {error}", path=path, line=reader.line_num) from None


def _json_rows(text: str, path: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"not JSON: {error}", path=path) from None
    if not isinstance(document, list):
        raise FileError("a list of meters is expected", path=path)
    for number, row in enumerate(document, start=1):
        if not isinstance(row, dict):
            raise FileError(f"entry {number} is not an object", path=path)
        yield number, {str(key): str(value) for key, value in row.items()}


def _meter(row: Mapping[str, str], models: Collection[str], now_s: int) -> NewMeter:
    unknown = [name for name in row if name not in (*REQUIRED, *OPTIONAL)]
    absent = [name for name in REQUIRED if not row.get(name)]
    if absent or unknown:
        raise BadArgumentError(f"lacks {', '.join(absent) or 'nothing'}" + (f"; unknown {unknown}" if unknown else ""))

    def take(name: str, parse: Callable[[str], Any], default: Any = None) -> Any:
        value = row.get(name) or ""
        if not value and default is not None:
            return default
        try:
            return parse(value)
        except CallerError as error:
            raise BadArgumentError(f"{name}: {error}") from None

    model = row["model"].strip()
    if model not in models:
        raise BadArgumentError(f"model: {model!r} is none of {', '.join(models)}")
    return NewMeter(
        serial=take("serial", parse_serial),
        model=model,
        dev_eui=take("dev_eui", parse_eui),
        join_eui=take("join_eui", parse_eui),
        app_key=take("app_key", parse_key),
        customer=take("customer", _text, ""),
        site=take("site", _text, ""),
        zone=take("zone", _zone, "Asia/Jakarta"),
        tariff=take("tariff", _text, ""),
        contracted_va=take("contracted_va", _whole(0, 1_000_000_000), 0),
        ct_ratio=take("ct_ratio", _ratio, (1, 1)),
        installed_s=take("installed", instant_from_text, now_s),
        period_s=take("period_min", _period, 900),
        report_s=take("report_min", _whole(1, DAY_S // 60), 60) * 60,
        lorawan_version=take("lorawan_version", _version, "1.0.4"),
        class_c=take("lorawan_class", _class_c, True),
        life=take("state", _life, Life.ACTIVE),
        feeder=take("feeder", _text, ""),
        place=_place(row),
    )
