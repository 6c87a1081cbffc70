"""Frames per second per core: parse, MIC and decryption of uplinks, against the bare AES calls on the same frames; then the
whole network with 100,000 sessions (`network`), and a device's round trips with it.
"""

import time
from random import Random
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from nyala.bench.network import figures
from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.effects import Transmit, UplinkDone
from nyala.lorawan.device.mac import DeviceMac
from nyala.lorawan.device.procedure import Message
from nyala.lorawan.device.state import DeviceMemory, Identity
from nyala.lorawan.frame import DataFrame, FType, full_counter, mic_holds, open_payload, seal
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Reception, Transmission
from nyala.lorawan.network.server import NetworkServer
from nyala.lorawan.network.sessions import Root, Sessions

FRAME_BYTES: Final = 53
DEVICES: Final = 1_000
FRAMES: Final = 20_000
ROUNDS: Final = 9
ROUND_TRIPS: Final = 2_000
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
    whole, conditions = figures()
    return {
        "bench": "lorawan",
        "figures": {
            "frames_per_s": round(FRAMES / best_ours),
            "ratio_to_bare_aes": round(ratios[len(ratios) // 2], 3),
            "us_per_frame": round(best_ours / FRAMES * 1e6, 2),
            "bare_us_per_frame": round(best_bare / FRAMES * 1e6, 2),
            "round_trips_per_s": _round_trips(),
            **whole,
        },
        "baseline": "for each frame one CMAC object over B0 and message, and one ECB encryption of the key stream, by "
        "`cryptography`: no parsing, no comparison, no XOR; the ratio is its time over ours",
        "conditions": {"frame_bytes": FRAME_BYTES, "devices": DEVICES, "frames": FRAMES, "rounds": ROUNDS} | conditions,
    }


def _round_trips() -> int:
    """Confirmed uplinks a second of one device whose frames reach the network server at once, and whose answers come back."""
    plan = indonesia()
    root = Root(1, 1, AesKey(bytes(16)), 1)
    sessions = Sessions()
    sessions.add_root(root)
    server, device = NetworkServer(plan, sessions), DeviceMac(Identity(1, 1, bytes(16)), plan.region, DeviceMemory(), Random(1))
    device.start_join(0)
    now_us = trips = 0
    began = time.perf_counter()
    while trips < ROUND_TRIPS:
        now_us = max(now_us + 1, device.next_us or 0, device.free_us)
        effects = device.send(Message(10, b"x", confirmed=True), now_us) if device.ready(now_us) else device.poll(now_us)
        for sent in effects:
            if isinstance(sent, Transmit):
                trips += _answered(device, server, sent, now_us)
    return round(ROUND_TRIPS / (time.perf_counter() - began))


def _answered(device: DeviceMac, server: NetworkServer, sent: Transmit, now_us: int) -> int:
    """Carries a frame to the server and its answer back; 1 where the device took it as its acknowledgement."""
    region = server.plan.region
    rate = region.data_rate(sent.data_rate)
    end_us = now_us + airtime_us(len(sent.phy), rate.sf, rate.bandwidth_khz)
    reception = Reception(1, sent.phy, end_us, sent.frequency_hz, sent.data_rate, -80.0, 9.0, end_us & 0xFFFFFFFF)
    server.receive(reception, end_us)
    for event in server.poll(end_us + server.plan.deduplication_us):
        if isinstance(event, Transmission):
            start_us = event.start_us
            device.detect(event.frequency_hz, event.data_rate, start_us, start_us + 1)
            effects = device.receive(event.phy, 9.0, start_us + 1)
            return any(isinstance(each, UplinkDone) and each.acknowledged is True for each in effects)
    return 0


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
