"""Keys of multicast and of data blocks, LoRaWAN 1.0.x: all from the GenAppKey, which stands beside the AppKey.

TS005 lets a maker choose the GenAppKey of a device.  Our meters derive it from their AppKey, so that nobody has to bring a
second key to the centre: `gen_app_key`.  A device with a GenAppKey of its own cannot take part yet.

Source: TS005 2.0.0 section 4, TS004 2.0.0 section 3.5; vectors in reference lorawan.md section 12.
"""

from typing import Final

from nyala.lorawan.crypto import AesKey

GEN_APP_KEY: Final = b"nyala GenAppKey\0"
"""Unlike the blocks that LoRaWAN 1.0.x encrypts under an AppKey, which begin with 01 or 02."""


def gen_app_key(app_key: AesKey) -> AesKey:
    """GenAppKey of a meter of ours."""
    return AesKey(app_key.encrypt(GEN_APP_KEY))


def data_block_key(gen_app_key: AesKey) -> AesKey:
    """DataBlockIntKey: signs the blocks of fragmentation."""
    return AesKey(gen_app_key.encrypt(b"\x30" + bytes(15)))


def mc_ke_key(gen_app_key: AesKey) -> AesKey:
    """McKEKey, by way of McRootKey: under it the key of a group is sent."""
    return AesKey(mc_root_key(gen_app_key).encrypt(bytes(16)))


def mc_root_key(gen_app_key: AesKey) -> AesKey:
    """McRootKey."""
    return AesKey(gen_app_key.encrypt(bytes(16)))


def wrap_mc_key(ke_key: AesKey, mc_key: bytes) -> bytes:
    """McKey as it is sent: decrypted, so that a device needs only encryption."""
    return ke_key.decrypt(mc_key)


def unwrap_mc_key(ke_key: AesKey, sent: bytes) -> bytes:
    """McKey of what was sent."""
    return ke_key.encrypt(sent)


def mc_session_keys(mc_key: AesKey, mc_addr: int) -> tuple[bytes, bytes]:
    """(McNetSKey, McAppSKey) of a group."""
    tail = mc_addr.to_bytes(4, "little") + bytes(11)
    return mc_key.encrypt(b"\x02" + tail), mc_key.encrypt(b"\x01" + tail)
