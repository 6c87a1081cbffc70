"""Frames, joins and whole conversations with `pamoja-lorawan`, an independent implementation in Rust.

It knows sessions and joins of the device and of the network; it has no class C and only its own channel plans, so the
conversations here go by its frames: its device against our network server, our device against its grant and session.
"""

from dataclasses import replace
from random import Random

import pamoja.lorawan as peer
import pytest

from nyala.lorawan.crypto import AesKey, session_keys
from nyala.lorawan.device.effects import Joined, Received, Transmit, UplinkDone
from nyala.lorawan.device.mac import DeviceMac
from nyala.lorawan.device.procedure import Message
from nyala.lorawan.device.state import DeviceMemory, Identity
from nyala.lorawan.frame import DataFrame, DlSettings, FType, JoinAccept, JoinRequest, mic_holds, open_payload, seal
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Downlink, JoinedDevice, Reception, Refusal, Refused, Transmission, Uplink
from nyala.lorawan.network.server import NetworkServer
from nyala.lorawan.network.sessions import Root, Sessions
from nyala.lorawan.region import region
from tests.peers.seeded import DOWN, UP, Case, cases

SECOND = 1_000_000


def session_of(case: Case) -> "peer.Session":
    return peer.session(case.frame.dev_addr, case.nwk_s_key, case.app_s_key)


def written_by_peer(case: Case) -> bytes:
    frame = case.frame
    encode = session_of(case).encode_uplink if frame.f_type.uplink else session_of(case).encode_downlink
    assert frame.f_port is not None
    return bytes(
        encode(frame.f_cnt, frame.f_port, frame.payload, frame.f_type.confirmed, frame.adr, frame.ack, fopts=frame.f_opts)
    )


@pytest.mark.parametrize("types", [UP, DOWN], ids=["uplinks", "downlinks"])
def test_our_frames_are_the_peers_to_the_byte(types):
    for case in cases(1, types):
        assert seal(case.frame, *case.keys) == written_by_peer(case)


@pytest.mark.parametrize("types", [UP, DOWN], ids=["uplinks", "downlinks"])
def test_the_peer_reads_our_frames(types):
    for case in cases(2, types):
        frame = case.frame
        said = session_of(case).decode(seal(frame, *case.keys), frame.f_cnt)
        assert (bytes(said.payload), said.fport, said.fcnt) == (frame.payload, frame.f_port, frame.f_cnt & 0xFFFF)
        assert (said.confirmed, said.adr, said.ack) == (frame.f_type.confirmed, frame.adr, frame.ack)
        assert (bytes(said.fopts), said.dev_addr) == (frame.f_opts, frame.dev_addr)
        assert said.direction == ("Uplink" if frame.f_type.uplink else "Downlink")


@pytest.mark.parametrize("types", [UP, DOWN], ids=["uplinks", "downlinks"])
def test_we_read_the_peers_frames(types):
    for case in cases(3, types):
        phy = written_by_peer(case)
        heard = DataFrame.decode(phy)
        assert heard._replace(payload=case.frame.payload, mic=bytes(4), f_cnt=case.frame.f_cnt) == case.frame
        assert mic_holds(phy, heard, case.frame.f_cnt, case.keys[0])
        assert open_payload(heard, case.frame.f_cnt, *case.keys) == case.frame.payload


def test_the_peer_refuses_our_frame_with_a_flipped_bit_and_under_another_counter():
    random = Random(4)
    for case in cases(4, UP, count=100):
        phy = bytearray(seal(case.frame, *case.keys))
        with pytest.raises(Exception, match=r".+"):
            session_of(case).decode(bytes(phy), case.frame.f_cnt ^ 1 << 16)
        phy[random.randrange(8, len(phy))] ^= 1 << random.randrange(8)
        with pytest.raises(Exception, match=r".+"):
            session_of(case).decode(bytes(phy), case.frame.f_cnt)


def test_join_requests_are_the_same_and_each_side_reads_the_others():
    random = Random(5)
    for _ in range(200):
        dev_eui, join_eui, key, nonce = (
            random.getrandbits(64),
            random.getrandbits(64),
            random.randbytes(16),
            random.getrandbits(16),
        )
        theirs = bytes(peer.device(dev_eui.to_bytes(8, "big"), join_eui.to_bytes(8, "big"), key).join_request(nonce))
        assert JoinRequest(join_eui, dev_eui, nonce).signed(AesKey(key)) == theirs
        said = peer.parse_join_request(theirs, key)
        heard = JoinRequest.decode(theirs)
        assert heard.mic_holds(AesKey(key))
        assert (heard.dev_eui, heard.join_eui, heard.dev_nonce) == (dev_eui, join_eui, nonce)
        assert (bytes(said.dev_eui), bytes(said.app_eui), said.dev_nonce) == (
            dev_eui.to_bytes(8, "big"),
            join_eui.to_bytes(8, "big"),
            nonce,
        )


def random_accept(random: Random, cf_list: tuple[int, ...]) -> JoinAccept:
    settings = DlSettings(random.randrange(16), random.randrange(8))
    return JoinAccept(
        random.getrandbits(24), random.getrandbits(24), random.getrandbits(32), settings, random.randint(1, 15), cf_list
    )


@pytest.mark.parametrize("channels", [0, 1, 5])
def test_join_accepts_and_session_keys_are_the_same(channels):
    random = Random(6)
    for _ in range(200):
        cf_list = tuple(100 * random.getrandbits(24) for _ in range(channels))
        accept, key, nonce = random_accept(random, cf_list), random.randbytes(16), random.getrandbits(16)
        listed = b"".join((hz // 100).to_bytes(3, "little") for hz in cf_list).ljust(16, b"\0") if cf_list else None
        octet = accept.dl_settings.to_bytes()[0]
        grant = peer.grant(accept.join_nonce, accept.net_id, accept.dev_addr, octet, accept.rx_delay_s, listed)
        phy = accept.encode(AesKey(key))
        assert phy == bytes(grant.accept(key, nonce))
        assert JoinAccept.decode(phy, AesKey(key)).dev_addr == accept.dev_addr
        said = peer.device(bytes(8), bytes(8), key).accept_join(phy, nonce)
        assert (said.dev_addr, said.net_id, said.dl_settings, said.rx_delay) == (
            accept.dev_addr,
            accept.net_id,
            octet,
            accept.rx_delay_s,
        )
        keys = session_keys(AesKey(key), accept.join_nonce, accept.net_id, nonce)
        frame = DataFrame(FType.UNCONFIRMED_UP, accept.dev_addr, 1, f_port=1, payload=b"keys")
        assert seal(frame, AesKey(keys[0]), AesKey(keys[1])) == bytes(said.session().encode_uplink(1, 1, b"keys"))


# -- conversations

DEV_EUI, JOIN_EUI, APP_KEY, DEV_ADDR = 0x70B3D57ED0000001, 1, bytes(range(16)), 0x26011BDA


def test_the_peers_device_joins_our_network_and_talks_with_it():
    sessions = Sessions()
    sessions.add_root(Root(DEV_EUI, JOIN_EUI, AesKey(APP_KEY), DEV_ADDR, class_c=False))
    server = NetworkServer(replace(indonesia(), adr=False), sessions)
    now_us = 1_760_000_000 * SECOND

    def hears(phy: bytes) -> tuple[list[object], list[bytes]]:
        """What the server makes of a frame, and what it sends in answer."""
        nonlocal now_us
        now_us += 10 * SECOND
        server.receive(Reception(1, phy, now_us, 921_400_000, 5, -80.0, 6.0, now_us % 2**32), now_us)
        events = server.poll(now_us + 200_000)
        refused = {event.reason for event in events if isinstance(event, Refused)}
        assert refused <= {Refusal.MAC_IGNORED}  # the peer answers no MAC requests
        return [e for e in events if isinstance(e, Uplink | JoinedDevice)], [
            e.phy for e in events if isinstance(e, Transmission)
        ]

    device = peer.device(DEV_EUI.to_bytes(8, "big"), JOIN_EUI.to_bytes(8, "big"), APP_KEY)
    (joined,), (accept,) = hears(bytes(device.join_request(41)))
    assert isinstance(joined, JoinedDevice)
    session = device.accept_join(accept, 41).session()
    assert session.dev_addr == DEV_ADDR
    f_cnt_down = 0
    for f_cnt in range(60):
        confirmed = f_cnt % 3 == 0
        order = b"order %d" % f_cnt if f_cnt % 4 == 0 else b""
        if order:
            server.enqueue(Downlink(DEV_EUI, 20, order), now_us)
        (uplink,), answers = hears(bytes(session.encode_uplink(f_cnt, 10, b"up %d" % f_cnt, confirmed)))
        assert isinstance(uplink, Uplink)
        assert (uplink.payload, uplink.port, uplink.f_cnt, uplink.confirmed) == (b"up %d" % f_cnt, 10, f_cnt, confirmed)
        for answer in answers:
            said = session.decode(answer, f_cnt_down)
            assert said.ack == confirmed
            assert bytes(said.payload) == order
            f_cnt_down += 1
        assert answers or not (confirmed or order)
    assert f_cnt_down >= 30


def test_our_device_joins_the_peers_network_and_talks_with_it():
    memory = DeviceMemory()
    device = DeviceMac(Identity(DEV_EUI, JOIN_EUI, APP_KEY), region("AS923-2"), memory, Random(1))
    now_us = 0
    device.start_join(now_us)
    (request,) = device.poll(now_us)
    assert isinstance(request, Transmit)
    nonce = peer.parse_join_request(request.phy, APP_KEY).dev_nonce
    grant = peer.grant(7, 0x13, DEV_ADDR, 0x02, 1)
    assert device._uplink is not None
    assert device.detect(*device._uplink.rx1[1:], device._uplink.rx1[0], device._uplink.rx1[0] + 1)
    assert device.receive(bytes(grant.accept(APP_KEY, nonce)), 5.0, device._uplink.rx1[0]) == [Joined(DEV_ADDR)]
    session = grant.session(APP_KEY, nonce)
    now_us = 10 * SECOND
    for f_cnt in range(60):
        confirmed = f_cnt % 2 == 0
        (sent,) = device.send(Message(10, b"up %d" % f_cnt, confirmed, f_cnt), now_us)
        assert isinstance(sent, Transmit)
        said = session.decode(sent.phy, f_cnt)
        assert (bytes(said.payload), said.fport, said.confirmed) == (b"up %d" % f_cnt, 10, confirmed)
        uplink = device._uplink
        assert uplink is not None
        now_us = uplink.rx1[0]
        assert device.detect(*uplink.rx1[1:], now_us, now_us + 60_000)
        down = bytes(session.encode_downlink(f_cnt, 20, b"down %d" % f_cnt, ack=confirmed))
        effects = device.receive(down, 5.0, now_us + 60_000)
        assert [effect.payload for effect in effects if isinstance(effect, Received)] == [b"down %d" % f_cnt]
        assert UplinkDone(f_cnt, True if confirmed else None) in effects
        assert device.receive(down, 5.0, now_us + 60_000) == []
        now_us += 10 * SECOND
