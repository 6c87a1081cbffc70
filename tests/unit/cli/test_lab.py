"""`nyala meter test|calibrate|certificate`: outputs, exit codes, refusals."""

import json

import pytest

TEST = ("meter", "test", "--model", "single-phase", "--quick")


def test_a_test_gives_the_promised_json(nyala):
    said = nyala(*TEST, "--json")
    assert said.code == 0
    found = said.json
    assert found["model"] == "single-phase"
    assert found["pass"] is True
    assert found["constants_hash"]
    assert {"test", "i_a", "pf", "phases", "error_pct", "limit_pct", "pass"} <= set(found["points"][0])
    assert "basic: active A" in said.err


def test_the_same_seed_gives_the_same_output(nyala):
    first, second = (nyala(*TEST, "--uncalibrated", "--json").out for _ in range(2))
    assert first == second


def test_an_uncalibrated_meter_fails_and_says_so(nyala):
    said = nyala(*TEST, "--seed", 2, "--uncalibrated")
    assert said.code == 1
    assert "constants none: un-calibrated" in said.out
    assert "FAIL" in said.out


def test_a_tighter_class_is_refused_or_failed(nyala):
    assert "no limits for a direct connected" in nyala(*TEST, "--class", "0.2S").refusal
    said = nyala(*TEST, "--class", "2", "--json")
    assert said.json["classes"] == ["IEC 62053-21 class 2", "IEC 62053-23 class 2"]


def test_a_transformer_meter_is_tested_at_another_voltage_and_current_range(nyala):
    found = nyala("meter", "test", "--model", "three-phase-ct", "--un", 57.7, "--in", 1, "--quick", "--json").json
    assert found["pass"] is True
    assert found["rating"] == "3x57.7 V, 0.01-1(10) A"
    basic = [point for point in found["points"] if point["test"] == "basic"]
    assert {point["u_v"] for point in basic} == {57.7}
    assert {0.01, 1.0, 10.0} <= {point["i_a"] for point in basic}
    assert {point["test"] for point in found["points"]} >= {"composite", "voltage", "temperature"}


def test_the_wear_budget_is_printed(nyala):
    said = nyala("meter", "test", "--model", "three-phase-ct", "--lifetime")
    assert said.code == 0
    assert "15 years" in said.out
    found = nyala("meter", "test", "--model", "three-phase-ct", "--lifetime", "--json").json
    assert found["pass"] is True
    assert found["lifetime"]["rows"]


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (("test", "--model", "nothing"), "unknown meter model: nothing"),
        (("test", "--model", "three-phase", "--profile", "x"), "unknown limit profile: x"),
        (("test", "--model", "three-phase", "--class", "9"), "unknown accuracy class of active energy: 9"),
        (("test", "--model", "three-phase", "--constants", "nowhere.json"), "nowhere.json: cannot be read"),
        (("test", "--model", "three-phase", "--un", 57.7), "three-phase is made for 230 V, not 57.7 V"),
        (("test", "--model", "three-phase-ct", "--un", 100), "three-phase-ct is made for 57.7 or 230 V, not 100 V"),
        (("calibrate", "--model", "single-phase", "--in", 1), "single-phase has a basic current of 5 A, not 1 A"),
        (("certificate", "--model", "three-phase-ct", "--in", 2), "three-phase-ct has a basic current of 1 or 5 A, not 2 A"),
        (("certificate", "--model", "three-phase", "--date", "x"), "not a date: 'x'"),
        (("certificate", "--model", "three-phase", "--language", "fr"), "written in en or id"),
        (("certificate", "--model", "three-phase", "--out", "x.doc"), "a .pdf or .json file"),
    ],
)
def test_bad_input_ends_with_2_and_one_line(nyala, arguments, refusal):
    assert refusal in nyala("meter", *arguments).refusal


@pytest.fixture
def constants(nyala, tmp_path):
    """A file that `calibrate` wrote."""
    path = tmp_path / "constants.json"
    said = nyala("meter", "calibrate", "--model", "single-phase", "--out", path)
    assert said.code == 0
    assert "as found %" in said.out
    return path


def test_constants_are_kept_and_used(nyala, constants):
    document = json.loads(constants.read_text(encoding="utf-8"))
    found = nyala(*TEST, "--constants", constants, "--json").json
    assert found["constants_hash"] == document["crc32"]
    assert found["pass"] is True


def test_a_wrong_checksum_leaves_the_meter_un_calibrated_and_it_fails(nyala, constants):
    document = json.loads(constants.read_text(encoding="utf-8"))
    document["data"] = document["data"][:20] + "0123" + document["data"][24:]
    constants.write_text(json.dumps(document), encoding="utf-8")
    said = nyala(*TEST, "--constants", constants, "--json")
    assert "UN-CALIBRATED" in said.err
    assert said.json["constants_hash"] is None
    assert said.code == 1


def test_constants_of_another_specimen_are_refused(nyala, constants):
    said = nyala(*TEST, "--seed", 2, "--constants", constants)
    assert "constants of serial 0100000001" in said.err
    assert said.code == 2


def test_calibration_as_json(nyala):
    found = nyala("meter", "calibrate", "--model", "single-phase", "--json").json
    assert found["pass"] is True
    assert len(found["as_found"]) == len(found["as_left"]) > 5
    assert found["constants_hash"]


def test_a_certificate_is_pdf_and_json(nyala, tmp_path):
    path = tmp_path / "a.pdf"
    said = nyala("meter", "certificate", "--model", "single-phase", "--quick", "--date", "2026-11-24", "--out", path)
    assert said.code == 0
    document = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert said.out == f"{document['number']}: pass, {path}\n"
    assert path.read_bytes().startswith(b"%PDF")
    assert document["simulated"] is True
    assert document["as_found"]
    assert document["report"]["pass"] is True


def test_a_certificate_as_json_alone(nyala, tmp_path):
    path = tmp_path / "c.json"
    said = nyala("meter", "certificate", "--model", "single-phase", "--quick", "--language", "id", "--out", path, "--json")
    assert said.json == json.loads(path.read_text(encoding="utf-8"))
    assert not path.with_suffix(".pdf").exists()


def test_a_place_that_cannot_be_written_is_said(nyala, tmp_path):
    said = nyala("meter", "calibrate", "--model", "single-phase", "--out", tmp_path / "no" / "c.json")
    assert said.code == 2
    assert "cannot be written" in said.err
