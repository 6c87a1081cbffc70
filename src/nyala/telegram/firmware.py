"""A firmware image: which meter it is for, its version, its code, and the maker's signature.  Codec only.

    body   magic "NYF1", model u8, reserved u8 (0), version u16, length u32 of the code, code, signature of 64 octets
           (little-endian): the body of a block of firmware (`blocks`), whose version is the image's

The signature is Ed25519 (RFC 8032) over all that is before it.  A CRC says that an image is whole; only the signature says
whose it is, so that neither a stolen network key nor a taken centre can put code into a meter.
"""

from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nyala.telegram.blocks import Block, BlockKind
from nyala.vocab.errors import BadArgumentError, TelegramError

_HEADER: Final = Struct("<4sBBHI")
MAGIC: Final = b"NYF1"
SIGNATURE_BYTES: Final = 64
SEED_BYTES: Final = 32
OVERHEAD: Final = _HEADER.size + SIGNATURE_BYTES
VERSION_MAX: Final = 0xFFFF
"""What a hello can say."""
VIRTUAL_SEED: Final = sha256(b"nyala: the maker of virtual meters").digest()
"""The key that signs for virtual meters.  It is no secret: whoever runs them is their maker.  Real meters have another."""


@dataclass(frozen=True, slots=True)
class Image:
    """A firmware image without its signature.  `model`: the code of the meter model that it runs on."""

    model: int
    version: int
    code: bytes


def _private(seed: bytes) -> Ed25519PrivateKey:
    if len(seed) != SEED_BYTES:
        raise BadArgumentError(f"a signing key has {SEED_BYTES} bytes, not {len(seed)}")
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_key(seed: bytes) -> bytes:
    """The 32 octets that prove what a seed has signed; BadArgumentError for a seed of another length."""
    return _private(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


VIRTUAL_MAKER: Final = public_key(VIRTUAL_SEED)
"""The key that virtual meters believe."""


def sign_image(image: Image, seed: bytes) -> bytes:
    """The body of an image, signed; BadArgumentError for numbers that do not fit or no code."""
    if not (0 < image.version <= VERSION_MAX and 0 <= image.model <= 0xFF and image.code):
        raise BadArgumentError(f"no image: {image.version:#x} for model {image.model} with {len(image.code)} bytes of code")
    head = _HEADER.pack(MAGIC, image.model, 0, image.version, len(image.code)) + image.code
    return head + _private(seed).sign(head)


def decode_image(body: bytes) -> Image:
    """What a body says, whoever signed it; TelegramError for one that is no image."""
    if len(body) <= OVERHEAD:
        raise TelegramError(f"{len(body)} bytes are no firmware image")
    magic, model, reserved, version, length = _HEADER.unpack_from(body)
    if (magic, reserved, length) != (MAGIC, 0, len(body) - OVERHEAD) or not version:
        raise TelegramError(f"no firmware image: {magic.hex()}, {length} of {len(body) - OVERHEAD} bytes of code")
    return Image(model, version, body[_HEADER.size : -SIGNATURE_BYTES])


def signed_by(body: bytes, maker: bytes) -> bool:
    """Whether the maker of this public key signed a body."""
    try:
        Ed25519PublicKey.from_public_bytes(maker).verify(body[-SIGNATURE_BYTES:], body[:-SIGNATURE_BYTES])
    except InvalidSignature:
        return False
    return True


def firmware_block(body: bytes) -> Block:
    """The block that carries an image; TelegramError."""
    return Block(BlockKind.FIRMWARE, decode_image(body).version, body)
