"""AES, CMAC and the LoRaWAN 1.0.x uses of them: MICs, payload cipher, session keys.  Bytes in, bytes out.

Sources: RFC 4493 (AES-CMAC), TS001-1.0.4 sections 4.3.3 (payload), 4.4 (MIC), 6.2.5 (keys), 6.2.3 (join accept).

An `AesKey` keeps its cipher contexts open, which is ten times faster than a new context for each frame: ECB has no state
between blocks, and a running CBC context starts a new message with a zero vector when its first block is XORed with the
last block that came out.
"""

from collections import deque
from struct import Struct
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from nyala.vocab.errors import BadArgumentError

BLOCK: Final = 16
HOT_KEYS: Final = 8_192
"""Keys that keep their contexts open: the sessions of a minute at a hundred frames a second."""
MIC_BYTES: Final = 4
UPLINK: Final = 0
DOWNLINK: Final = 1

_BLOCK_B0: Final = Struct("<B4xBIIxB")  # 49, 00 x 4, Dir, DevAddr, FCnt32, 00, length
_BLOCK_A: Final = Struct("<B4xBIIxB")  # 01, 00 x 4, Dir, DevAddr, FCnt32, 00, i
_R128: Final = 0x87
_MASK128: Final = (1 << 128) - 1


class AesKey:
    """A 128-bit key with its open contexts.  Not safe between threads; cheap to make, dearer at first use.

    A context takes a kilobyte, so only the last `HOT_KEYS` keys to open theirs keep them; another opens them anew.
    """

    __slots__ = ("_chain", "_ecb", "_subkeys", "value")

    def __init__(self, value: bytes) -> None:
        if len(value) != BLOCK:
            raise BadArgumentError(f"an AES-128 key takes {BLOCK} bytes, got {len(value)}")
        self.value = value
        self._ecb: CipherContext | None = None
        self._chain: tuple[CipherContext, int] | None = None
        """A running CBC context, and the last block that came out."""
        self._subkeys: tuple[int, int] | None = None

    def _open_ecb(self) -> CipherContext:
        self._heat()
        self._ecb = Cipher(algorithms.AES(self.value), modes.ECB()).encryptor()  # noqa: S305 - LoRaWAN prescribes ECB
        return self._ecb

    def _open_chain(self) -> tuple[CipherContext, int]:
        self._heat()
        return Cipher(algorithms.AES(self.value), modes.CBC(bytes(BLOCK))).encryptor(), 0

    def _heat(self) -> None:
        """Before a context is opened: the key is hot from now on, and the one that was hot for longest is not."""
        if self._ecb is None and self._chain is None:
            if len(_HOT) == HOT_KEYS:
                _HOT[0].close()
            _HOT.append(self)

    def close(self) -> None:
        """Lets go of the contexts; the next use opens new ones."""
        self._ecb = self._chain = None

    def _made_subkeys(self) -> tuple[int, int]:
        low = int.from_bytes(self.encrypt(bytes(BLOCK)), "big")
        first = low << 1 & _MASK128 ^ (_R128 if low >> 127 else 0)
        self._subkeys = first, first << 1 & _MASK128 ^ (_R128 if first >> 127 else 0)
        return self._subkeys

    def encrypt(self, blocks: bytes) -> bytes:
        """AES-ECB encryption of whole blocks."""
        return (self._ecb or self._open_ecb()).update(blocks)

    def decrypt(self, blocks: bytes) -> bytes:
        """AES-ECB decryption of whole blocks: only the join server uses it, to make a join accept."""
        return Cipher(algorithms.AES(self.value), modes.ECB()).decryptor().update(blocks)  # noqa: S305 - as above

    def cmac(self, message: bytes) -> bytes:
        """AES-CMAC of a message, 16 bytes (RFC 4493)."""
        whole, rest = divmod(len(message), BLOCK)
        whole_subkey, padded_subkey = self._subkeys or self._made_subkeys()
        if rest or not whole:
            message += b"\x80" + bytes(BLOCK - 1 - rest)
            subkey = padded_subkey
        else:
            subkey = whole_subkey
        context, last = self._chain or self._open_chain()
        masked = int.from_bytes(message, "big") ^ subkey ^ last << 8 * (len(message) - BLOCK)
        mac = context.update(masked.to_bytes(len(message), "big"))[-BLOCK:]
        self._chain = context, int.from_bytes(mac, "big")
        return mac


_HOT: Final[deque[AesKey]] = deque(maxlen=HOT_KEYS)
"""The keys whose contexts are open, the oldest first."""


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
