"""The tables of other makers' meters: every row of those that come with nyala, their published payloads, and wrong tables."""

from itertools import pairwise

import pytest

from nyala.headend.foreign import mapping
from nyala.headend.foreign.mapping import UNITS, add_models, foreign_model, foreign_models, read_model
from nyala.headend.service import RefusedTelegram
from nyala.mdm.load_day import Key
from nyala.telegram.values import Values
from nyala.vocab.errors import FileError, TelegramError
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel, catalogue
from tests.unit.headend.fleet import DAY, FIRST, START_S, Centre, record

AT_US = START_S * 1_000_000
# how cThings publishes a payload of the factory's configuration, and what it says
EASTRON = bytes.fromhex("01354BEC 01 14 3C83126F 436D3798 00000000 3F800000 4248320D F792")
# channels of the WS52x: voltage 230.4 V, 10 W, power factor 100 %, 10 kWh, 43 mA, on
MILESIGHT = bytes.fromhex("03740009 04800a000000 058164 068310270000 07c92b00 083101")

TABLE = """
name = "m"
title = "M"
source = "s"
phases = 1
codec = "m.js"
[[field]]
path = "e.total"
quantity = "import_wh"
unit = "kWh"
[[field]]
path = "p.0"
quantity = "p_w"
unit = "kW"
sign = -1
"""
SOURCE = "function decodeUplink(i) { return {data: JSON.parse(String.fromCharCode.apply(null, i.bytes))}; }"


def decode(text, table=TABLE):
    return read_model(table, SOURCE, "m.toml").decode(1, text.encode(), AT_US).values


@pytest.mark.parametrize("name", foreign_models())
def test_every_row_of_every_table_is_a_quantity_in_its_unit(name):
    model = foreign_models()[name]
    assert (model.name, model.phases in (1, 3)) == (name, True)
    assert model.title
    assert model.source
    assert Channel.IMPORT in model.channels
    assert all(field.quantity.name in catalogue() for field in model.fields)


def another(name):
    """A model of another maker that is there."""
    model = foreign_model(name)
    assert model is not None
    return model


def test_the_published_payload_of_the_eastron_is_read_as_published():
    model = another("eastron-sdm230-lorawan")
    assert model.decode(2, EASTRON, AT_US) == Values(
        START_S, {"import_wh": 16, "u1_v": 2372, "i1_a": 0, "pf": 1000, "f_hz": 5005}
    )
    assert model.codec.decode_uplink(2, EASTRON, AT_US)["serial"] == 20_270_060


def test_another_order_of_the_eastron_is_a_variable_of_its_codec():
    codec = another("eastron-sdm230-lorawan").codec
    said = codec.decode_uplink(2, EASTRON, AT_US, {"fields": "energy_import,voltage"})
    assert (set(said), said["voltage"]) == (
        {"serial", "message", "energy_import", "voltage"},
        codec.decode_uplink(2, EASTRON, 0)["voltage"],
    )


def test_the_milesight_is_read_and_configured():
    model = another("milesight-ws52x")
    assert model.decode(85, MILESIGHT, AT_US).values == {"import_wh": 10_000, "p_w": 10, "u1_v": 2304, "i1_a": 43, "pf": 1000}
    assert model.codec.encode_downlink({"report_interval": 300}) == (85, b"\xff\x03\x2c\x01")
    with pytest.raises(TelegramError, match="1 to 65535"):
        model.codec.encode_downlink({"report_interval": 0})


@pytest.mark.parametrize("payload", [b"", b"\x03", EASTRON[:-1], EASTRON + b"\0", b"\x99\x99\x00"])
@pytest.mark.parametrize("name", foreign_models())
def test_a_payload_that_is_not_of_the_meter_is_a_telegram_error(name, payload):
    with pytest.raises(TelegramError):
        another(name).decode(85, payload, AT_US)


def test_our_own_models_are_not_foreign():
    assert foreign_model("single-phase") is None


# -- an operator's own


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of codecs, added to a copy of the known models."""
    known = dict(foreign_models())
    monkeypatch.setattr(mapping, "_models", lambda: known)
    (tmp_path / "m.toml").write_text(TABLE)
    (tmp_path / "m.js").write_text(SOURCE)
    return tmp_path


def test_a_folder_of_own_codecs_is_added(own):
    add_models(own)
    assert another("m").decode(1, b'{"e": {"total": 1}}', AT_US).values == {"import_wh": 1000}
    assert set(foreign_models()) == {"m", "milesight-ws52x", "eastron-sdm230-lorawan"}


def test_a_folder_that_is_not_there_or_wrong_is_refused_and_named(own):
    with pytest.raises(FileError, match="no folder"):
        add_models(own / "none")
    (own / "n.toml").write_text(TABLE)
    with pytest.raises(FileError, match=r"n\.toml.*has a table already"):
        add_models(own)
    (own / "n.toml").write_text(TABLE.replace("m.js", "n.js"))
    with pytest.raises(FileError, match=r"n\.toml.*no codec"):
        add_models(own)
    (own / "n.toml").write_text("= 7")
    with pytest.raises(FileError, match=r"n\.toml.*no codec"):
        add_models(own)
    assert "m" not in foreign_models()


# -- values


@pytest.mark.parametrize(
    ("said", "wh"), [("4.2", 4200), ("0.0009", 0), ("1.9999", 1999), ("1234567.891", 1234567891), ("7", 7000)]
)
def test_energy_is_cut_to_whole_watt_hours_without_the_errors_of_floats(said, wh):
    assert decode(f'{{"e": {{"total": {said}}}}}') == {"import_wh": wh}


def test_other_values_are_rounded_and_signed():
    assert decode('{"p": [1.2346]}') == {"p_w": -1235}


@pytest.mark.parametrize(
    "text", ['{"e": {"total": -1}}', '{"e": {"total": "7"}}', '{"e": {"total": true}}', '{"p": [1e300]}', '{"e": 7}', "[]", "7"]
)
def test_a_field_that_is_no_value_of_its_quantity_is_a_telegram_error(text):
    with pytest.raises(TelegramError):
        decode(text)


def test_the_instant_may_be_the_meters_own():
    model = read_model('time = "at"' + TABLE, SOURCE, "m.toml")
    assert model.decode(1, b'{"at": 1764000000, "e": {"total": 1}}', AT_US).at_s == 1_764_000_000
    assert model.decode(1, b'{"e": {"total": 1}}', AT_US).at_s == START_S


def test_every_unit_names_one_of_the_catalogue():
    assert {unit for unit, _ in UNITS.values()} <= {quantity.unit for quantity in catalogue().values()}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"import_wh"', '"import_kwh"', "unknown quantity"),
        ('"kWh"', '"kW"', "unit of import_wh"),
        ('"kWh"', '"furlong"', "unit of import_wh"),
        ("sign = -1", "sign = 2", "neither 1 nor -1"),
        ("phases = 1", "phases = 'x'", "not a table"),
        ("title =", "titel =", "title"),
        ('"p_w"\nunit = "kW"', '"import_wh"\nunit = "kWh"', "each quantity once"),
        ("name =", "name = =", "not a table"),
        (TABLE[TABLE.index("[[") :], "field = []", "at least one"),
    ],
)
def test_a_wrong_table_is_refused_and_named(old, new, says):
    assert old in TABLE
    with pytest.raises(FileError, match=says) as caught:
        read_model(TABLE.replace(old, new), SOURCE, "m.toml")
    assert caught.value.path == "m.toml"


# -- at the centre


def milesight(wh):
    return bytes.fromhex("0683") + wh.to_bytes(4, "little")


def test_the_meter_of_another_maker_has_load_days_whose_sum_its_registers_prove():
    centre = Centre(record(1, model="milesight-ws52x"))
    registers = {START_S + 600 * n: 1_000 + 7 * n * n for n in range(145)}
    for at_s, wh in registers.items():
        centre.hears(85, milesight(wh), at_s=at_s)
        centre.hears(85, milesight(wh), at_s=at_s)  # every frame may come twice
    day = centre.headend.book.day(Key(1, DAY, Channel.IMPORT))
    assert day is not None
    assert (day.open_wh, day.close_wh) == (1_000, registers[START_S + 86_400])
    assert int(day.values.sum()) == registers[START_S + 86_400] - 1_000
    assert set(day.qualities.tolist()) == {Quality.LINEAR}
    assert centre.state().complete_to == FIRST + 96
    assert centre.state().registers["import_wh"] == (registers[START_S + 86_400], START_S + 86_400)


def test_a_meter_that_reports_on_the_hour_has_intervals_as_read():
    centre = Centre(record(1, model="milesight-ws52x", period_s=3_600))
    hours = [(START_S + 3_600 * n + n % 20, 10 * n) for n in range(25)]
    for at_s, wh in hours:
        centre.hears(85, milesight(wh), at_s=at_s)
    day = centre.headend.book.day(Key(1, DAY, Channel.IMPORT))
    assert day is not None
    assert day.values.tolist() == [after - before for (_, before), (_, after) in pairwise(hours)]
    assert set(day.qualities.tolist()) == {Quality.RAW}


def test_nothing_is_asked_of_a_meter_that_does_not_speak_our_telegrams():
    centre = Centre(record(1, model="milesight-ws52x"))
    centre.hears(85, milesight(5), at_s=START_S)
    centre.now_s += 86_400
    downlinks, _ = centre.headend.poll(centre.now_us)
    assert downlinks == []


def test_a_payload_that_the_codec_refuses_is_counted_and_named():
    centre, heard = Centre(record(1, model="milesight-ws52x")), list[RefusedTelegram]()
    centre.headend.refused.append(heard.append)
    centre.hears(85, b"\x00\x01\x02")
    assert centre.counts["refused_TelegramError"] == 1
    assert (heard[0].serial, heard[0].detail) == (
        "N00001",
        "codec milesight_ws52x.toml says: ['unknown channel at byte 0']",
    )
