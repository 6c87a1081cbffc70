"""AES, CMAC and the LoRaWAN 1.0.x uses of them: MICs, payload cipher, session keys.  Bytes in, bytes out.

Sources: RFC 4493 (AES-CMAC), TS001-1.0.4 sections 4.3.3 (payload), 4.4 (MIC), 6.2.5 (keys), 6.2.3 (join accept).

An `AesKey` keeps its cipher contexts open, which is ten times faster than a new context for each frame: ECB has no state
between blocks, and a running CBC context starts a new message with a zero vector when its first block is XORed with the
last block that came out.
"""

from functools import cached_property
from struct import Struct
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from nyala.vocab.errors import BadArgumentError

BLOCK: Final = 16
MIC_BYTES: Final = 4
UPLINK: Final = 0
DOWNLINK: Final = 1

_BLOCK_B0: Final = Struct("<B4xBIIxB")  # 49, 00 x 4, Dir, DevAddr, FCnt32, 00, length
_BLOCK_A: Final = Struct("<B4xBIIxB")  # 01, 00 x 4, Dir, DevAddr, FCnt32, 00, i
_R128: Final = 0x87
_MASK128: Final = (1 << 128) - 1


class AesKey:
    """A 128-bit key with its open contexts.  Not safe between threads; cheap to make, dearer at first use."""

    __slots__ = ("__dict__", "value")

    def __init__(self, value: bytes) -> None:
        if len(value) != BLOCK:
            raise BadArgumentError(f"an AES-128 key takes {BLOCK} bytes, got {len(value)}")
        self.value = value

    @cached_property
    def _ecb(self) -> CipherContext:
        return Cipher(algorithms.AES(self.value), modes.ECB()).encryptor()  # noqa: S305 - LoRaWAN prescribes ECB

    @cached_property
    def _chain(self) -> list[CipherContext | int]:
        return [Cipher(algorithms.AES(self.value), modes.CBC(bytes(BLOCK))).encryptor(), 0]

    @cached_property
    def _subkeys(self) -> tuple[int, int]:
        low = int.from_bytes(self.encrypt(bytes(BLOCK)), "big")
        first = low << 1 & _MASK128 ^ (_R128 if low >> 127 else 0)
        return first, first << 1 & _MASK128 ^ (_R128 if first >> 127 else 0)

    def encrypt(self, blocks: bytes) -> bytes:
        """AES-ECB encryption of whole blocks."""
        return self._ecb.update(blocks)

    def decrypt(self, blocks: bytes) -> bytes:
        """AES-ECB decryption of whole blocks: only the join server uses it, to make a join accept."""
        return Cipher(algorithms.AES(self.value), modes.ECB()).decryptor().update(blocks)  # noqa: S305 - as above

    def cmac(self, message: bytes) -> bytes:
        """AES-CMAC of a message, 16 bytes (RFC 4493)."""
        whole, rest = divmod(len(message), BLOCK)
        whole_subkey, padded_subkey = self._subkeys
        if rest or not whole:
            message += b"\x80" + bytes(BLOCK - 1 - rest)
            subkey = padded_subkey
        else:
            subkey = whole_subkey
        chain = self._chain
        context, last = chain
        assert not isinstance(context, int)
        assert isinstance(last, int)
        masked = int.from_bytes(message, "big") ^ subkey ^ last << 8 * (len(message) - BLOCK)
        mac = context.update(masked.to_bytes(len(message), "big"))[-BLOCK:]
        chain[1] = int.from_bytes(mac, "big")
        return mac


def data_mic(key: AesKey, direction: int, dev_addr: int, f_cnt: int, message: bytes) -> bytes:
    """MIC of a data frame: `message` is MHDR..FRMPayload, `f_cnt` all 32 bits, `key` NwkSKey."""
    return key.cmac(_BLOCK_B0.pack(0x49, direction, dev_addr, f_cnt, len(message)) + message)[:MIC_BYTES]


def crypt_payload(key: AesKey, direction: int, dev_addr: int, f_cnt: int, payload: bytes) -> bytes:
    """Encrypts or decrypts an FRMPayload: AppSKey, or NwkSKey where FPort is 0."""
    size = len(payload)
    if not size:
        return b""
    blocks = b"".join([_BLOCK_A.pack(0x01, direction, dev_addr, f_cnt, i + 1) for i in range((size + BLOCK - 1) // BLOCK)])
    stream = key.encrypt(blocks)[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(stream, "little")).to_bytes(size, "little")


def session_keys(app_key: AesKey, join_nonce: int, net_id: int, dev_nonce: int) -> tuple[bytes, bytes]:
    """(NwkSKey, AppSKey) of a 1.0.x activation."""
    tail = join_nonce.to_bytes(3, "little") + net_id.to_bytes(3, "little") + dev_nonce.to_bytes(2, "little") + bytes(7)
    return app_key.encrypt(b"\x01" + tail), app_key.encrypt(b"\x02" + tail)
