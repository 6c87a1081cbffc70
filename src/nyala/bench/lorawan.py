"""Frames per second per core: parse, MIC and decryption of uplinks, against the bare AES calls on the same frames."""

import time
from random import Random
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.frame import DataFrame, FType, full_counter, mic_holds, open_payload, seal

FRAME_BYTES: Final = 53
DEVICES: Final = 1_000
FRAMES: Final = 20_000
ROUNDS: Final = 9
_PAYLOAD: Final = FRAME_BYTES - 13


def run() -> dict[str, Any]:
    """The benchmark."""
    random = Random(1)
    keys = [(AesKey(random.randbytes(16)), AesKey(random.randbytes(16))) for _ in range(DEVICES)]
    frames = []
    for i in range(FRAMES):
        network, session = keys[i % DEVICES]
        frame = DataFrame(FType.UNCONFIRMED_UP, i % DEVICES, i // DEVICES, f_port=10, payload=random.randbytes(_PAYLOAD))
        frames.append((seal(frame, network, session), network, session, i // DEVICES))
    ours, bare = [], []
    _ours(frames)
    _bare(frames)
    for _ in range(ROUNDS):
        ours.append(_timed(_ours, frames))
        bare.append(_timed(_bare, frames))
    best_ours, best_bare = min(ours), min(bare)
    ratios = sorted(b / o for o, b in zip(ours, bare, strict=True))
    return {
        "bench": "lorawan",
        "figures": {
            "frames_per_s": round(FRAMES / best_ours),
            "ratio_to_bare_aes": round(ratios[len(ratios) // 2], 3),
            "us_per_frame": round(best_ours / FRAMES * 1e6, 2),
            "bare_us_per_frame": round(best_bare / FRAMES * 1e6, 2),
        },
        "baseline": "for each frame one CMAC object over B0 and message, and one ECB encryption of the key stream, by "
        "`cryptography`: no parsing, no comparison, no XOR; the ratio is its time over ours",
        "conditions": {"frame_bytes": FRAME_BYTES, "devices": DEVICES, "frames": FRAMES, "rounds": ROUNDS},
    }


def _timed(work: Any, frames: Any) -> float:
    began = time.perf_counter()
    work(frames)
    return time.perf_counter() - began


def _ours(frames: list[tuple[bytes, AesKey, AesKey, int]]) -> None:
    for phy, network, session, following in frames:
        frame = DataFrame.decode(phy)
        f_cnt = full_counter(frame.f_cnt, following)
        assert mic_holds(phy, frame, f_cnt, network)
        open_payload(frame, f_cnt, network, session)


def _bare(frames: list[tuple[bytes, AesKey, AesKey, int]]) -> None:
    stream = bytes(-(-_PAYLOAD // 16) * 16)
    head = bytes(16)
    for phy, network, session, _ in frames:
        mac = CMAC(algorithms.AES(network.value))
        mac.update(head + phy[:-4])
        mac.finalize()
        Cipher(algorithms.AES(session.value), modes.ECB()).encryptor().update(stream)  # noqa: S305 - LoRaWAN prescribes it
