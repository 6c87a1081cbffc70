"""`nyala firmware`: images as files, and campaigns that a store has."""

import pytest

from nyala.headend.ports import Changes
from nyala.store.engine import open_engine, upgrade
from nyala.telegram.firmware import decode_image
from tests.unit.store.filled import campaign, group, onboard, write


def signed(nyala, tmp_path, *said):
    (tmp_path / "code").write_bytes(b"code")
    arguments = ("firmware", "sign", tmp_path / "code", tmp_path / "image", "--model", "three-phase", "--version", "1.2", *said)
    return nyala(*map(str, arguments))


def test_an_image_is_signed_and_shown(nyala, tmp_path):
    assert "firmware 1.2 for three-phase, 80 bytes" in signed(nyala, tmp_path).out
    image = decode_image((tmp_path / "image").read_bytes())
    assert (image.version, image.code) == (0x0102, b"code")
    shown = nyala("firmware", "show", str(tmp_path / "image")).out
    assert shown == "firmware 1.2 for three-phase, 4 bytes of code, signed by the maker of virtual meters\n"


def test_another_key_makes_it_somebody_elses(nyala, tmp_path):
    (tmp_path / "key").write_bytes(bytes(32))
    signed(nyala, tmp_path, "--key", tmp_path / "key")
    assert "signed by somebody else" in nyala("firmware", "show", str(tmp_path / "image")).out


@pytest.mark.parametrize("version", ["1", "1.256", "a.b", "0.0"])
def test_what_is_no_version_is_refused(nyala, tmp_path, version):
    assert signed(nyala, tmp_path, "--version", version).code == 2
    assert not (tmp_path / "image").exists()


def test_what_is_no_image_or_no_file_is_refused(nyala, tmp_path):
    (tmp_path / "no").write_bytes(b"no")
    assert "2 bytes are no firmware image" in nyala("firmware", "show", str(tmp_path / "no")).err
    assert "No such file" in nyala("firmware", "show", str(tmp_path / "none")).err


def test_campaigns_are_listed_with_where_each_meter_stands(nyala, tmp_path):
    engine = open_engine(str(tmp_path), durable=False)
    upgrade(engine)
    onboard(engine)
    steps = {"00000000000d0001": ["verified", 0, ""], "00000000000d0002": ["failed", 3, "no answer"]}
    report = {"devices": {"failed": 1, "verified": 1}, "meters": steps}
    write(engine, Changes(groups=[group()], campaigns=[campaign(report=report)]))
    engine.dispose()
    listed = nyala("firmware", "list", "--db", str(tmp_path)).out
    assert "firmware 0.0" in listed
    assert "1 failed, 1 verified" in listed
    lines = nyala("firmware", "report", "1", "--db", str(tmp_path)).out.splitlines()
    assert [line.split() for line in lines] == [["N00001", "verified"], ["N00002", "failed", "lacks", "3", "no", "answer"]]
    assert nyala("firmware", "report", "9", "--db", str(tmp_path)).code == 2
