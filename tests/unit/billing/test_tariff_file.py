"""Tariff files: what is accepted, and that every rule of the form refuses."""

from datetime import date
from decimal import Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nyala.billing.money import Rounding, RoundingMode
from nyala.billing.tariff import DAY_MINUTES, Tariff
from nyala.billing.tariff_file import FILE_CHARS_MAX, check_tariff, shipped, shipped_text
from nyala.vocab.errors import FileError, UnknownError
from nyala.vocab.time import instant_from_text

B3 = shipped_text("pln-b3")
R1 = shipped_text("pln-r1-1300")
PATH = "mine.toml"
ROUNDING = 'rounding = { mode = "half-up", unit = "0.01" }'


def test_every_shipped_tariff_reads_and_is_labelled_in_both_languages():
    assert sorted(shipped()) == ["pln-b3", "pln-r1-1300"]
    for code, tariff in shipped().items():
        assert check_tariff(shipped_text(code), PATH) == tariff
        for version in tariff.versions:
            charges = [*version.energy, version.minimum, version.fixed, *version.taxes]
            assert all(charge.label_en != charge.label_id for charge in charges if charge is not None)


def test_an_unknown_shipped_code_is_an_unknown_error():
    with pytest.raises(UnknownError, match="unknown shipped tariff: pln-x"):
        shipped_text("pln-x")


def test_the_prices_of_pln_are_those_of_the_reference():
    # reference tariffs-and-vee.md 1.1 and 1.2
    flat = shipped()["pln-r1-1300"].versions[-1]
    assert [(each.base_price, each.factor) for each in flat.energy] == [(Decimal("1444.70"), Decimal(1))]
    assert flat.minimum is not None
    assert flat.minimum.hours == 40
    two = shipped()["pln-b3"].versions[-1]
    assert two.energy_of("LWBP").base_price == two.energy_of("WBP").base_price == Decimal("1035.78")
    assert two.energy_of("WBP").factor == Decimal("1.5")
    wbp = [interval for interval in two.intervals if interval.period == "WBP"]
    assert [(each.from_minute, each.to_minute) for each in wbp] == [(17 * 60, 22 * 60)]
    assert [(tax.name, tax.percent) for tax in two.taxes] == [("PPJ", Decimal("2.4"))]


def test_a_toml_number_is_read_as_the_decimal_that_is_written():
    tariff = check_tariff(R1.replace('price = "1444.70"', "price = 1444.70"), PATH)
    assert str(tariff.versions[0].energy[0].base_price) == "1444.70"
    tariff = check_tariff(R1.replace('price = "1444.70"', "price = 1e3"), PATH)
    assert str(tariff.versions[0].energy[0].base_price) == "1000"


def two_versions(first: str, second: str) -> str:
    head, version = R1.split("[[version]]")
    later = version.replace("1444.70", "1500.00").replace("2022-07-01", second)
    return f"{head}[[version]]{version.replace('2022-07-01', first)}[[version]]{later}"


@pytest.mark.parametrize("order", [("2022-07-01", "2025-01-01"), ("2025-01-01", "2022-07-01")])
def test_the_version_in_force_at_the_local_start_applies(order):
    tariff = check_tariff(two_versions(*order), PATH)
    assert [version.effective_from for version in tariff.versions] == [date(2022, 7, 1), date(2025, 1, 1)]
    # Midnight of 1 January in Jakarta is 17:00 UTC of the day before.
    before, after = instant_from_text("2024-12-31T16:59:59Z"), instant_from_text("2024-12-31T17:00:00Z")
    assert tariff.version_at(before).effective_from == date(2022, 7, 1)
    assert tariff.version_at(after).effective_from == date(2025, 1, 1)
    assert tariff.version_of(date(2025, 1, 1)) is tariff.versions[1]


def test_a_date_before_the_first_version_is_unknown():
    tariff = check_tariff(R1, PATH)
    with pytest.raises(UnknownError, match=r"version of tariff pln-r1-1300 in force on: 2022-06-30"):
        tariff.version_at(instant_from_text("2022-06-30T16:59:59Z"))
    with pytest.raises(UnknownError):
        tariff.version_of(date(2023, 1, 1))
    with pytest.raises(UnknownError, match="time-of-use period: WBP"):
        tariff.versions[0].energy_of("WBP")


REFUSALS = [
    # (text replaced in pln-b3, by what, key in the error, what the error says)
    ('code = "pln-b3"', "", "code", "is missing"),
    ('code = "pln-b3"', "code = 3", "code", "must be a text in quotes, not a number"),
    ('code = "pln-b3"', 'code = "a b"', "code", "letters, digits"),
    ('code = "pln-b3"', f'code = "{"x" * 33}"', "code", "1 to 32"),
    ('code = "pln-b3"', 'code = "pln-b3"\ncolour = "red"', "colour", "unknown key"),
    ('code = "pln-b3"', 'code = "pln-b3"\n"a\\nb" = 1', "'a\\nb'", "unknown key"),
    ('title = "PLN B-3/TM above 200 kVA, two rates"', 'title = " "', "title", "must be one line"),
    ('title = "PLN B-3/TM above 200 kVA, two rates"', 'title = "a\\nb"', "title", "must be one line"),
    ('title = "PLN B-3/TM above 200 kVA, two rates"', f'title = "{"x" * 401}"', "title", "1 to 400 characters"),
    ('currency = "IDR"', 'currency = "Rp"', "currency", "three capital letters"),
    ('zone = "Asia/Jakarta"', 'zone = "Asia/Batavia"', "zone", "unknown time zone: Asia/Batavia"),
    ('zone = "Asia/Jakarta"', 'zone = "../zone"', "zone", "unknown time zone"),
    ('confidence = "recalled"', 'confidence = "sure"', "confidence", "must be one of verified, recalled"),
    ("effective_from = 2022-07-01", 'effective_from = "2022-07-01"', "version[1].effective_from", "without quotes"),
    ("effective_from = 2022-07-01", "effective_from = 2022-07-01T00:00:00", "version[1].effective_from", "a datetime"),
    ("effective_from = 2022-07-01", "effective_from = 2022-07-01\nuntil = 2023-01-01", "version[1].until", "unknown key"),
    ('name = "WBP"', 'name = "LWBP"', "version[1].period[2].name", "LWBP is there twice"),
    ('factor = "1.5"', 'factor = "1.5"\nK = 1', "version[1].period[2].K", "unknown key"),
    ('factor = "1.5"', 'factor = "1.5x"', "version[1].period[2].factor", "is not a decimal number"),
    ('factor = "1.5"', 'factor = "٣"', "version[1].period[2].factor", "is not a decimal number"),
    ('factor = "1.5"', "factor = true", "version[1].period[2].factor", "must be a decimal number, not a bool"),
    ('factor = "1.5"', "factor = 1001", "version[1].period[2].factor", "is above 1000"),
    ('factor = "1.5"', "factor = 1.4999999999999999", "version[1].period[2].factor", "has 16 decimals; at most 6"),
    ('factor = "1.5"', 'factor = "1.0000001"', "version[1].period[2].factor", "has 7 decimals; at most 6"),
    ('factor = "1.5"', 'factor = "-1.5"', "version[1].period[2].factor", "must not be negative: -1.5"),
    ('factor = "1.5"', "factor = -0.0", "version[1].period[2].factor", "must not be negative"),
    ('factor = "1.5"', "factor = nan", "version[1].period[2].factor", "must be a number: NaN"),
    ('factor = "1.5"', "factor = inf", "version[1].period[2].factor", "must be a number: Infinity"),
    ('factor = "1.5"', "factor = 1e99", "version[1].period[2].factor", "is above"),
    ('times = [{ from = "17:00", to = "22:00" }]', "", "version[1].period[2].times", "is missing"),
    ('times = [{ from = "17:00", to = "22:00" }]', "times = []", "version[1].period[2].times", "0 tables; 1 to 24"),
    ('times = [{ from = "17:00", to = "22:00" }]', "times = [1]", "version[1].period[2].times", "a list of tables"),
    (
        'times = [{ from = "17:00", to = "22:00" }]',
        "times = 17",
        "version[1].period[2].times",
        "a list of tables, not a number",
    ),
    ('from = "17:00"', 'from = "5 pm"', "version[1].period[2].times[1].from", 'a clock time "HH:MM"'),
    ('from = "17:00"', 'from = "24:00"', "version[1].period[2].times[1].from", "is only an end"),
    ('from = "17:00"', 'from = "22:00"', "version[1].period[2].times[1].to", "is where it begins"),
    ('to = "22:00"', 'to = "22:60"', "version[1].period[2].times[1].to", 'a clock time "HH:MM"'),
    ('to = "22:00"', 'to = "22:00", day = "Monday"', "version[1].period[2].times[1].day", "unknown key"),
    ('from = "17:00"', 'from = "16:59"', "version[1].period", "16:59 is in LWBP and again in WBP"),
    ('from = "17:00"', 'from = "17:01"', "version[1].period", "17:00 is in no period"),
    ('to = "22:00"', 'to = "21:59"', "version[1].period", "21:59 is in no period"),
    ("hours = 40", "hours = 745", "version[1].minimum.hours", "is above 744"),
    ("hours = 40", "hours = 40\nkva = 3", "version[1].minimum.kva", "unknown key"),
    ('period = "LWBP"', 'period = "PEAK"', "version[1].minimum.period", "PEAK is none of the periods"),
    ("[version.minimum] ", "[[version.minimum]] ", "version[1].minimum", "must be a table, not a list"),
    ('percent = "2.4"', 'percent = "100.1"', "version[1].tax[1].percent", "is above 100"),
    ('percent = "2.4"', 'percent = "2.4"\nflag = true', "version[1].tax[1].flag", "unknown key"),
    ('name = "PPJ"', 'name = "energy"', "version[1].tax[1].name", "is the name of another charge"),
    ('name = "PPJ"', 'name = "tax"', "version[1].tax[1].name", "is the name of another charge"),
    ('on = ["energy", "minimum"]', 'on = ["energy", "PPJ"]', "version[1].tax[1].on", "'PPJ' is none of the charges before"),
    ('on = ["energy", "minimum"]', 'on = ["fixed"]', "version[1].tax[1].on", "'fixed' is none of the charges before"),
    ('on = ["energy", "minimum"]', 'on = "energy"', "version[1].tax[1].on", "must be a list of names"),
    ('on = ["energy", "minimum"]', "on = []", "version[1].tax[1].on", "different names"),
    ('on = ["energy", "minimum"]', 'on = ["energy", "energy"]', "version[1].tax[1].on", "different names"),
]


@pytest.mark.parametrize(("old", "new", "key", "what"), REFUSALS, ids=[f"{row[2]} {row[3]}" for row in REFUSALS])
def test_a_rule_of_the_form_refuses(old, new, key, what):
    assert B3.count(old) == 1
    with pytest.raises(FileError) as caught:
        check_tariff(B3.replace(old, new), PATH)
    assert str(caught.value).startswith(f"{PATH}: {key}: ")
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rounding", "what"),
    [
        ('rounding = { mode = "bankers", unit = "0.01" }', "rounding.mode: must be one of half-up, floor, ceil"),
        ('rounding = { mode = "floor", unit = 0 }', "rounding.unit: must be above 0"),
        ('rounding = { mode = "floor", unit = "-1" }', "rounding.unit: must not be negative"),
        ('rounding = { mode = "floor", unit = "1", on = 3 }', "rounding.on: unknown key"),
        ('rounding = { mode = "floor" }', "rounding.unit: is missing"),
        ('rounding = "floor"', "rounding: must be a table, not a str"),
        ("", "rounding: is missing"),
    ],
)
def test_a_line_without_a_proper_rounding_is_refused(rounding, what):
    with pytest.raises(FileError) as caught:
        check_tariff(R1.replace(ROUNDING, rounding, 1), PATH)
    assert str(caught.value).startswith(f"{PATH}: version[1].period[1].{what}")


def test_two_versions_of_one_date_are_refused():
    with pytest.raises(FileError, match=r"version\[2\]\.effective_from: 2022-07-01 is there twice"):
        check_tariff(two_versions("2022-07-01", "2022-07-01"), PATH)


def test_a_tariff_without_a_version_is_refused():
    with pytest.raises(FileError, match="version: is missing"):
        check_tariff(R1.split("[[version]]", maxsplit=1)[0], PATH)


def test_the_fixed_charge_is_checked_like_the_others():
    fixed = f'[version.fixed]\nlabel_en = "Fixed"\nlabel_id = "Abonemen"\nprice = "20000"\n{ROUNDING}\n'
    tariff = check_tariff(R1 + fixed, PATH)
    assert tariff.versions[0].fixed is not None
    assert tariff.versions[0].fixed.price == 20000
    with pytest.raises(FileError, match=r"version\[1\]\.fixed\.price: must not be negative"):
        check_tariff(R1 + fixed.replace('"20000"', '"-1"'), PATH)
    with pytest.raises(FileError, match=r"version\[1\]\.fixed\.days: unknown key"):
        check_tariff(R1 + fixed + "days = 3\n", PATH)


def test_a_file_that_is_not_toml_names_its_line():
    with pytest.raises(FileError) as caught:
        check_tariff('code = "x"\ntitle = \n', PATH)
    assert caught.value.line == 2
    assert str(caught.value).startswith(f"{PATH}:2: not TOML: ")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x = 1e9999999999999999999", "beyond all bounds"),
        ("x = " + "[" * 5000, "not TOML|nested too deep"),
        ("x = " + "9" * 5000, "not TOML"),
        ("x = 0x" + "f" * 10000, "code: is missing"),
        ("#" * (FILE_CHARS_MAX + 1), "characters; at most"),
        ("x = 2022-13-01", "not TOML"),
    ],
)
def test_hostile_toml_is_a_file_error(text, what):
    with pytest.raises(FileError, match=what):
        check_tariff(text, PATH)


def parse(text: str) -> None:
    """A tariff or a FileError that names the path; any other exception fails the test."""
    said = ""
    try:
        assert isinstance(check_tariff(text, PATH), Tariff)
    except FileError as error:
        said = str(error)
    assert said == "" or said.startswith(f"{PATH}:")


@given(st.text())
def test_any_text_is_a_tariff_or_a_file_error(text):
    parse(text)


@given(st.data())
def test_any_spoilt_tariff_is_a_tariff_or_a_file_error(data):
    base = data.draw(st.sampled_from([B3, R1]))
    lines = base.splitlines()
    index = data.draw(st.integers(0, len(lines) - 1))
    line = lines[index]
    cut = data.draw(st.integers(0, len(line)))
    junk = data.draw(st.sampled_from(['"', "1", "-", ".", "=", "[", "]", "{", "}", ",", "nan", "2022-07-01", "", "e9", "'"]))
    spoilt = [line[:cut] + junk + line[cut:], line[:cut], line[cut:], "", f"{line}\n{line}"]
    lines[index] = data.draw(st.sampled_from(spoilt))
    parse("\n".join(lines))


VALUES = st.recursive(
    st.sampled_from(['"x"', "1", "-1", "1.5", "true", "2022-07-01", "12:00:00", "[]", "{}", "inf", '"IDR"', '"00:00"']),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    max_leaves=4,
)


@given(st.data())
def test_any_value_for_any_key_is_a_tariff_or_a_file_error(data):
    lines = B3.splitlines()
    index = data.draw(st.sampled_from([i for i, line in enumerate(lines) if " = " in line and not line.startswith("#")]))
    lines[index] = f"{lines[index].split(' = ')[0]} = {data.draw(VALUES)}"
    parse("\n".join(lines))


@given(st.lists(st.integers(0, DAY_MINUTES - 1), min_size=2, max_size=8, unique=True))
@example([0, 1])
@example([1439, 0])
def test_any_cutting_of_the_day_reads_back_minute_for_minute(cuts):
    cuts = sorted(cuts)
    ends = [*cuts[1:], cuts[0]]
    clock = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(DAY_MINUTES)]
    periods = "".join(
        f'[[version.period]]\nname = "P{start}"\nlabel_en = "a"\nlabel_id = "b"\nprice = 1\n'
        f'times = [{{ from = "{clock[start]}", to = "{clock[end]}" }}]\n{ROUNDING}\n'
        for start, end in zip(cuts, ends, strict=True)
    )
    head = R1.split("[[version]]", maxsplit=1)[0]
    tariff = check_tariff(f"{head}[[version]]\neffective_from = 2022-07-01\n{periods}", PATH)
    owner = {minute: each.period for each in tariff.versions[0].intervals for minute in each.minutes()}
    assert sorted(owner) == list(range(DAY_MINUTES))
    for minute, period in owner.items():
        assert period == f"P{max((cut for cut in cuts if cut <= minute), default=cuts[-1])}"


@pytest.mark.parametrize(
    ("mode", "unit", "amount", "rounded"),
    [
        ("half-up", "0.01", "1802.9856", "1802.99"),
        ("half-up", "0.01", "0.005", "0.01"),
        ("half-up", "0.01", "-0.005", "-0.01"),
        ("half-up", "0.01", "0.004999", "0.00"),
        ("half-up", "100", "149.99", "100"),
        ("floor", "1", "46296.9", "46296"),
        ("floor", "1", "-0.1", "-1"),
        ("ceil", "0.1", "32.01", "32.1"),
        ("ceil", "1", "-0.9", "0"),
        ("ceil", "5", "10", "10"),
    ],
)
def test_rounding_to_a_unit(mode, unit, amount, rounded):
    with localcontext(prec=2):  # the caller's context does not matter
        assert str(Rounding(RoundingMode(mode), Decimal(unit)).apply(Decimal(amount))) == rounded
