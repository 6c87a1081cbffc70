"""Firmware images: bytes and back, and whose they are."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram.blocks import BlockKind, decode_block, descriptor_of, encode_block
from nyala.telegram.firmware import (
    OVERHEAD,
    VIRTUAL_MAKER,
    VIRTUAL_SEED,
    Image,
    decode_image,
    firmware_block,
    public_key,
    sign_image,
    signed_by,
)
from nyala.vocab.errors import BadArgumentError, TelegramError

IMAGE = Image(2, 0x0101, b"code")
BODY = sign_image(IMAGE, VIRTUAL_SEED)
images = st.builds(Image, st.integers(0, 255), st.integers(1, 0xFFFF), st.binary(min_size=1, max_size=200))


def test_the_layout_is_the_one_that_is_written_down():
    assert BODY[:-64].hex() == "4e594631" + "02" + "00" + "0101" + "04000000" + b"code".hex()


def test_the_signature_is_that_of_rfc_8032():
    """Section 7.1, test 1: the public key of a seed."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert public_key(seed).hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


@given(images)
def test_what_is_signed_reads_back_and_is_its_makers(image):
    body = sign_image(image, VIRTUAL_SEED)
    assert decode_image(body) == image
    assert signed_by(body, VIRTUAL_MAKER)
    assert not signed_by(body, public_key(bytes(32)))


@given(images, st.data())
def test_no_bit_can_be_turned(image, data):
    body = bytearray(sign_image(image, VIRTUAL_SEED))
    bit = data.draw(st.integers(0, 8 * len(body) - 1))
    body[bit // 8] ^= 1 << bit % 8
    assert not signed_by(bytes(body), VIRTUAL_MAKER)


@given(st.one_of(st.binary(max_size=120), st.binary(min_size=OVERHEAD, max_size=120).map(lambda end: b"NYF1" + end)))
def test_any_bytes_are_an_image_or_a_telegram_error(body):
    with contextlib.suppress(TelegramError):
        image = decode_image(body)
        assert len(image.code) == len(body) - OVERHEAD


def test_it_travels_in_a_block_of_its_version():
    block = firmware_block(BODY)
    assert (block.kind, block.version) == (BlockKind.FIRMWARE, 0x0101)
    assert decode_block(descriptor_of(block.kind, block.version), encode_block(block)) == block


@pytest.mark.parametrize("image", [Image(2, 0, b"x"), Image(2, 0x10000, b"x"), Image(256, 1, b"x"), Image(2, 1, b"")])
def test_numbers_that_do_not_fit_and_no_code_are_refused(image):
    with pytest.raises(BadArgumentError, match="no image"):
        sign_image(image, VIRTUAL_SEED)


def test_a_key_of_another_length_is_refused():
    with pytest.raises(BadArgumentError, match="32 bytes, not 31"):
        sign_image(IMAGE, bytes(31))
