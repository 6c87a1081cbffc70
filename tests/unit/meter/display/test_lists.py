"""The table of items: each row can be shown, under the code that the catalogue gives."""

import pytest

from nyala.meter.display.lists import SPECIAL, UNITS, _item, available, display_code, error_bits, items, rolls
from nyala.meter.display.number import Scale
from nyala.meter.display.reading import Ratio
from nyala.meter.display.segments import CODE_DIGITS, annunciators, read, spell
from nyala.vocab.alarms import Alarm
from nyala.vocab.errors import FileError
from nyala.vocab.quantities import catalogue, quantity
from tests.unit.meter.display.faces import Read, item, shown

ALL = dict.fromkeys(catalogue(), 1_234_567) | {"alarms": 1 << Alarm.UNCALIBRATED}


@pytest.mark.parametrize("row", items(), ids=lambda row: row.name)
def test_every_item_can_be_shown(row):
    segments = shown(row.name, ALL)
    assert any(segments.digits)
    if row.format != "test":
        assert read(segments.code) == row.code
    assert segments.signs <= annunciators().keys()


@pytest.mark.parametrize("row", [row for row in items() if row.quantity], ids=lambda row: row.name)
def test_what_only_grows_rolls_over_and_nothing_else_does(row):
    assert row.register == rolls(row.quantity)


@pytest.mark.parametrize("of", catalogue().values(), ids=lambda of: of.name)
def test_every_code_of_the_catalogue_fits_its_field(of):
    assert read(spell(display_code(of), CODE_DIGITS)) == display_code(of)


def test_codes_are_obis_without_medium_and_channel():
    codes = [item(name).code for name in ("import_wh", "import_wh_t3", "prev_import_w", "in_a", "serial", "date", "error")]
    assert codes == ["1.8.0", "1.8.3", "1.6.0.01", "91.7.0", "0.0.0", "0.9.2", "F.F"]


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_is_made_of_signs_of_the_glass(unit):
    assert {annunciators()[name].group for name in UNITS[unit]} <= {"unit"}


@pytest.mark.parametrize(
    ("name", "value", "text", "unit"),
    [
        ("import_wh", 123_456_789, "123456.78", {"kilo", "watt", "hour"}),
        ("plus_varh", 999, "000000.99", {"kilo", "var", "hour"}),
        ("import_vah", 0, "000000.00", {"kilo", "volt", "ampere", "hour"}),
        ("p_w", -12_345, "-12.345", {"kilo", "watt"}),
        ("u1_v", 2304, "230.4", {"volt"}),
        ("i1_a", 12_345, "12.345", {"ampere"}),
        ("pf", -950, "-0.950", set()),
        ("f_hz", 4998, "49.98", {"hertz"}),
        ("temperature_c", -55, "-5.5", {"celsius"}),
        ("u2_angle_deg", 1200, "120.0", {"degree"}),
        ("reset_count", 17, "17", set()),
        ("alarms", 0x4_0B81, "00040b81", set()),
        ("max_import_w_at", 1_764_000_305, "11.24.23.05", set()),
    ],
)
def test_a_value_has_its_decimals_and_its_unit(name, value, text, unit):
    segments = shown(name, {name: value})
    assert read(segments.digits) == text
    assert segments.signs == unit


@pytest.mark.parametrize(
    ("name", "text"), [("date", "2025.11.24"), ("time", "23-05-05"), ("serial", "00001234"), ("firmware", "0.2.1")]
)
def test_the_meter_tells_of_itself(name, text):
    assert read(shown(name, {}).digits) == text


@pytest.mark.parametrize(("serial", "text"), [("A123456789Z", "23456789"), ("KWX", "-")])
def test_of_a_serial_number_the_last_eight_digits_are_shown(serial, text):
    assert read(shown("serial", {}, serial=serial).digits) == text


@pytest.mark.parametrize(
    ("firmware", "text"),
    [("1.10.3rc1", "1.10.3"), ("1.0+dirty", "1.0"), ("1..2", "1"), ("1234.56789.1", "1234"), ("123456789", "-"), ("v2", "-")],
)
def test_of_a_version_its_beginning_is_shown(firmware, text):
    assert read(shown("firmware", {}, firmware=firmware).digits) == text


def test_the_test_register_shows_single_watt_hours():
    # Product sheet C5: resolution 1 Wh on the display.
    segments = shown("import_wh", {"import_wh": 123_456_789}, place=1)
    assert read(segments.digits) == "23456789"
    assert segments.signs == {"watt", "hour"}


def test_behind_transformers_the_display_is_primary():
    scale = Scale("M", 0, Ratio(ct=(2000, 5), vt=(500_000, 100)))
    values = {"import_wh": 50_000_000, "u1_v": 577, "i1_a": 4_999, "p_w": 866, "f_hz": 5001}
    texts = [read(shown(name, values, scale).digits) for name in values]
    # 50 MWh x 2,000,000 = 100 TWh: one whole turn of eight digits of MWh.
    assert texts == ["00000000", "288.500", "1999.600", "1732.000", "50.01"]
    assert shown("u1_v", values, scale).signs == {"kilo", "volt"}


def test_what_a_meter_does_not_have_is_passed_over():
    names = [each.name for each in available(Read({"import_wh": 1, "max_import_w_at": 0}), button=True)]
    assert "import_wh" in names
    assert not {"export_wh", "u2_v", "credit_wh", "max_import_w_at", "error"} & set(names)


def test_the_lists_differ_and_keep_the_order_of_the_table():
    reading = Read(ALL)
    auto, button = available(reading, button=False), available(reading, button=True)
    assert set(auto) < set(button)
    assert [each for each in button if each in auto] == list(auto)
    assert [each.name for each in auto[:3]] == ["date", "time", "credit_wh"]


def test_low_credit_comes_first():
    assert [available(Read(ALL), button=button, credit_first=True)[0].name for button in (False, True)] == ["credit_wh"] * 2


def test_only_errors_of_the_meter_itself_are_item_ff():
    assert error_bits(Read({"alarms": 1 << Alarm.MAGNET | 1 << Alarm.UNCALIBRATED})) == 1 << Alarm.UNCALIBRATED
    assert "error" not in [each.name for each in available(Read({"alarms": 1 << Alarm.MAGNET}), button=True)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"item": "nothing"},
        {"format": "roman"},
        {"format": "date"},
        {"prefix": "G"},
        {"item": "clock_error_ms"},
        {"item": "date"},
    ],
)
def test_a_row_that_the_glass_cannot_show_is_refused_with_its_line(wrong):
    row = {"item": "p_w", "format": "number", "auto": "1", "button": "1", "prefix": "k", "decimals": "3", "register": "0"}
    assert _item(row, 7).quantity == quantity("p_w")
    with pytest.raises(FileError, match=r"^scroll.csv:7: "):
        _item(row | wrong, 7)


def test_specials_are_no_quantities():
    assert not SPECIAL.keys() & catalogue().keys()
