"""The quantity catalogue: every row is walked."""

import csv
import re
from importlib.resources import files

import pytest

from nyala.vocab.errors import UnknownError
from nyala.vocab.quantities import RATES, Channel, by_code, catalogue, quantity, register

with files("nyala.vocab").joinpath("quantities.csv").open(encoding="utf-8") as _table:
    ROWS = list(csv.DictReader(_table))

KINDS = {"energy", "derived", "phase", "demand", "instant", "state"}
UNITS = {"Wh", "varh", "VAh", "V", "A", "W", "var", "VA", "Hz", "1", "ms", "s", "deg", "C", "dB", "ppb", ""}
OBIS = re.compile(r"[01]-0:\d{1,3}\.\d{1,3}\.\d{1,3}(\*1)?")

# IEC 62056-6-1 (value group C: 1 +P, 2 -P, 5..8 Q QI..QIV, 9 +S, 10 -S, 13 power factor, 14 frequency, 16 P net,
# 31/51/71 I, 32/52/72 U, 36/56/76 P net of a phase, 131 Q net; D 8 time integral, 7 instantaneous).
STANDARD_OBIS = {
    "import_wh": "1-0:1.8.0",
    "export_wh": "1-0:2.8.0",
    "q1_varh": "1-0:5.8.0",
    "q2_varh": "1-0:6.8.0",
    "q3_varh": "1-0:7.8.0",
    "q4_varh": "1-0:8.8.0",
    "import_vah": "1-0:9.8.0",
    "export_vah": "1-0:10.8.0",
    "u1_v": "1-0:32.7.0",
    "u2_v": "1-0:52.7.0",
    "u3_v": "1-0:72.7.0",
    "i1_a": "1-0:31.7.0",
    "i2_a": "1-0:51.7.0",
    "i3_a": "1-0:71.7.0",
    "p_w": "1-0:16.7.0",
    "p1_w": "1-0:36.7.0",
    "p2_w": "1-0:56.7.0",
    "p3_w": "1-0:76.7.0",
    "q_var": "1-0:131.7.0",
    "s_va": "1-0:9.7.0",
    "f_hz": "1-0:14.7.0",
    "pf": "1-0:13.7.0",
    "switch_state": "0-0:96.3.10",
    "active_rate": "0-0:96.14.0",
}


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_every_row_is_complete_and_becomes_its_quantity(row):
    assert row["kind"] in KINDS
    assert row["unit"] in UNITS
    assert row["signed"] in {"0", "1"}
    assert -3 <= int(row["scaler"]) <= 0
    assert OBIS.fullmatch(row["obis"])
    assert row["label_en"]
    assert row["label_id"]
    read = quantity(row["name"])
    assert (read.name, read.code, read.obis) == (row["name"], int(row["code"]), row["obis"])
    assert (read.unit, read.scaler, read.signed) == (row["unit"], int(row["scaler"]), row["signed"] == "1")
    assert (read.kind, read.label_en, read.label_id) == (row["kind"], row["label_en"], row["label_id"])
    assert (read.description, read.rate) == (row["description"], 0)
    assert (read.channel is not None) == (read.kind == "energy")


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_unit_stands_last_in_the_name(row):
    if row["unit"] not in {"", "1"} and not row["name"].endswith("_at"):
        assert row["name"].endswith(f"_{row['unit'].lower()}")


@pytest.mark.parametrize(("name", "obis"), list(STANDARD_OBIS.items()))
def test_the_obis_code_is_the_standards(name, obis):
    assert quantity(name).obis == obis


def test_all_totals_and_instants_of_the_first_ninety_codes_are_in_the_table_above():
    makers = {row["name"] for row in ROWS if "96.2." in row["obis"] or "96.128." in row["obis"]}
    assert {row["name"] for row in ROWS if int(row["code"]) < 90} - makers == STANDARD_OBIS.keys()


@pytest.mark.parametrize("phase", [1, 2, 3])
def test_a_register_of_a_phase_stands_twenty_per_phase_above_its_total(phase):
    for channel in Channel:
        total, own = register(channel), quantity(f"l{phase}_{register(channel).name}")
        group = int(total.obis.partition(":")[2].partition(".")[0])
        assert own.obis == f"1-0:{group + 20 * phase}.8.0"
        assert (own.unit, own.kind, own.code) == (total.unit, "phase", 126 + 8 * (phase - 1) + channel)


def test_names_codes_and_obis_are_unique_over_totals_and_rates():
    quantities = list(catalogue().values())
    assert len(quantities) == len(ROWS) + RATES * (len(Channel) + 4) == 207
    for column in ("name", "code", "label_en", "label_id"):
        assert len({getattr(each, column) for each in quantities}) == len(quantities)
    told_apart = [each.obis for each in quantities if not each.name.endswith("_at")]  # attribute 5 of the same object
    assert len(set(told_apart)) == len(told_apart)


def test_every_code_fits_its_eight_bits_and_finds_its_quantity():
    assert all(0 <= code < 256 for code in by_code())
    assert all(by_code()[each.code] is each for each in catalogue().values())
    assert len(by_code()) == len(catalogue())


@pytest.mark.parametrize("channel", Channel)
def test_every_channel_has_a_total_and_eight_rates_behind_it(channel):
    total = register(channel)
    assert total.channel is channel
    assert (total.rate, total.kind, total.scaler, total.signed) == (0, "energy", 0, False)
    for rate in range(1, RATES + 1):
        each = register(channel, rate)
        assert each is quantity(f"{total.name}_t{rate}")
        assert (each.code, each.rate, each.channel) == (total.code + rate, rate, channel)
        assert each.obis == f"{total.obis.rpartition('.')[0]}.{rate}"
        assert each.label_en == f"{total.label_en} T{rate}"
        assert each.label_id == f"{total.label_id} T{rate}"
        assert (each.unit, each.kind) == (total.unit, total.kind)


def test_the_channels_stand_in_the_order_of_the_bank():
    assert [register(channel).name for channel in Channel] == [row["name"] for row in ROWS if row["kind"] == "energy"]
    assert [channel.name for channel in Channel] == ["IMPORT", "EXPORT", "Q1", "Q2", "Q3", "Q4", "IMPORT_VA", "EXPORT_VA"]


@pytest.mark.parametrize("name", ["", "import", "IMPORT_WH", "import_wh_t0", "import_wh_t9", "u1_v_t1"])
def test_an_unknown_name_is_refused_by_name(name):
    with pytest.raises(UnknownError, match=f"unknown quantity: {name}") as caught:
        quantity(name)
    assert (caught.value.kind, caught.value.name) == ("quantity", name)
