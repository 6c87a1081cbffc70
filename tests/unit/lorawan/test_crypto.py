"""AES-CMAC, the payload cipher and the session keys."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan.crypto import DOWNLINK, UPLINK, AesKey, crypt_payload, data_mic, session_keys
from nyala.vocab.errors import BadArgumentError
from tests.unit.lorawan.vectors import VECTORS, unhex

RFC4493 = VECTORS["cmac"]
ACTIVATION = VECTORS["activation"]
keys = st.binary(min_size=16, max_size=16)
addresses = st.integers(0, 2**32 - 1)
counters = st.integers(0, 2**32 - 1)


def library_cmac(key: bytes, message: bytes) -> bytes:
    cmac = CMAC(algorithms.AES(key))
    cmac.update(message)
    return cmac.finalize()


@pytest.mark.parametrize("case", RFC4493["cases"], ids=[f"{len(c['message']) // 2} bytes" for c in RFC4493["cases"]])
def test_cmac_agrees_with_rfc_4493(case):
    assert AesKey(unhex(RFC4493["key"])).cmac(unhex(case["message"])).hex() == case["mac"]


def test_the_block_cipher_agrees_with_rfc_4493():
    key = AesKey(unhex(RFC4493["key"]))
    assert key.encrypt(bytes(16)).hex() == "7df76b0c1ab899b33e42f047b91b546f"
    assert key.decrypt(key.encrypt(bytes(range(32)))) == bytes(range(32))


@given(keys, st.lists(st.binary(max_size=70), max_size=8))
def test_a_key_that_is_used_again_and_again_gives_the_librarys_cmac(key, messages):
    ours = AesKey(key)
    for message in messages:
        assert ours.cmac(message) == library_cmac(key, message)


@pytest.mark.parametrize("size", [0, 15, 17, 24, 32])
def test_a_key_of_another_length_is_refused(size):
    with pytest.raises(BadArgumentError, match=f"takes 16 bytes, got {size}"):
        AesKey(bytes(size))


@given(keys, st.sampled_from([UPLINK, DOWNLINK]), addresses, counters, st.binary(max_size=255))
def test_a_data_mic_is_the_cmac_over_block_b0_and_the_message(key, direction, address, counter, message):
    b0 = b"\x49" + bytes(4) + bytes([direction]) + address.to_bytes(4, "little") + counter.to_bytes(4, "little")
    b0 += bytes([0, len(message)])
    assert data_mic(AesKey(key), direction, address, counter, message) == library_cmac(key, b0 + message)[:4]


@given(keys, st.sampled_from([UPLINK, DOWNLINK]), addresses, counters, st.binary(max_size=242))
def test_the_payload_is_xored_with_the_blocks_a_i(key, direction, address, counter, payload):
    stream = b""
    for i in range(1, len(payload) // 16 + 2):
        a_i = b"\x01" + bytes(4) + bytes([direction]) + address.to_bytes(4, "little") + counter.to_bytes(4, "little")
        encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        stream += encryptor.update(a_i + bytes([0, i]))
    expected = bytes(a ^ b for a, b in zip(payload, stream, strict=False))
    assert crypt_payload(AesKey(key), direction, address, counter, payload) == expected


@given(keys, addresses, counters, st.binary(max_size=242))
def test_encrypting_twice_gives_the_payload_back_and_directions_differ(key, address, counter, payload):
    aes = AesKey(key)
    cipher = crypt_payload(aes, UPLINK, address, counter, payload)
    assert crypt_payload(aes, UPLINK, address, counter, cipher) == payload
    if len(payload) >= 8:
        assert crypt_payload(aes, DOWNLINK, address, counter, cipher) != payload


def test_session_keys_agree_with_the_vector():
    nwk_s_key, app_s_key = session_keys(
        AesKey(unhex(ACTIVATION["app_key"])), ACTIVATION["join_nonce"], ACTIVATION["net_id"], ACTIVATION["dev_nonce"]
    )
    assert (nwk_s_key.hex(), app_s_key.hex()) == (ACTIVATION["nwk_s_key"], ACTIVATION["app_s_key"])


@given(keys, st.integers(0, 2**24 - 1), st.integers(0, 2**24 - 1), st.integers(0, 2**16 - 1))
def test_session_keys_are_two_blocks_of_the_application_key(key, join_nonce, net_id, dev_nonce):
    tail = join_nonce.to_bytes(3, "little") + net_id.to_bytes(3, "little") + dev_nonce.to_bytes(2, "little") + bytes(7)
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    assert b"".join(session_keys(AesKey(key), join_nonce, net_id, dev_nonce)) == encryptor.update(b"\1" + tail + b"\2" + tail)
