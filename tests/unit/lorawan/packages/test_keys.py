"""Multicast keys against ChirpStack's vectors (lorawan.md section 12)."""

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.packages.keys import mc_ke_key, mc_root_key, mc_session_keys, unwrap_mc_key, wrap_mc_key

GEN_APP_KEY = AesKey(bytes.fromhex("0302030405060708090A0B0C0D0E0F10"))


def test_the_root_key_is_that_of_the_vector():
    assert mc_root_key(GEN_APP_KEY).value.hex() == "55344e82570eaec8bf03b99962d1f445"


def test_the_key_encryption_key_is_that_of_the_vector():
    root = AesKey(bytes.fromhex("0402030405060708090A0B0C0D0E0F10"))
    assert root.encrypt(bytes(16)).hex() == "9083bebf704257883160dbfcde33ad71"
    assert mc_ke_key(GEN_APP_KEY).value == mc_root_key(GEN_APP_KEY).encrypt(bytes(16))


def test_the_session_keys_of_a_group_are_those_of_the_vector():
    network, app = mc_session_keys(AesKey(bytes.fromhex("0102030405060708090A0B0C0D0E0F10")), 0x01020304)
    assert (network.hex(), app.hex()) == ("c3f6b388bad6c000b23291ad52c11c7b", "95cb4518ee375606735bbacbdce837fa")


def test_a_group_key_is_sent_as_in_the_vector_and_comes_back():
    ke_key = AesKey(b"\x01" * 16)
    assert wrap_mc_key(ke_key, b"\x02" * 16).hex() == "3437d6e231d702419b51b4947271b611"
    assert unwrap_mc_key(ke_key, wrap_mc_key(ke_key, b"\x02" * 16)) == b"\x02" * 16
