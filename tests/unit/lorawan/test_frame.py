"""Data frames: published vectors, properties in pairs, and the refusal of every rule."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.frame import (
    DATA_OVERHEAD,
    DataFrame,
    FType,
    frame_type,
    full_counter,
    mic_holds,
    open_payload,
    seal,
)
from nyala.vocab.errors import BadArgumentError, FrameError
from tests.unit.lorawan.vectors import VECTORS, unhex

PUBLISHED = VECTORS["published"]
ACTIVATION = VECTORS["activation"]
DATA_TYPES = [FType.UNCONFIRMED_UP, FType.UNCONFIRMED_DOWN, FType.CONFIRMED_UP, FType.CONFIRMED_DOWN]
aes_keys = st.binary(min_size=16, max_size=16).map(AesKey)


@st.composite
def frames(draw: st.DrawFn) -> DataFrame:
    """Every frame that can be sent."""
    f_type = draw(st.sampled_from(DATA_TYPES))
    port = draw(st.none() | st.integers(0, 255))
    return DataFrame(
        f_type=f_type,
        dev_addr=draw(st.integers(0, 2**32 - 1)),
        f_cnt=draw(st.integers(0, 2**16 - 1)),
        f_opts=b"" if port == 0 else draw(st.binary(max_size=15)),
        f_port=port,
        payload=b"" if port is None else draw(st.binary(max_size=227)),
        adr=draw(st.booleans()),
        adr_ack_req=f_type.uplink and draw(st.booleans()),
        ack=draw(st.booleans()),
        pending=draw(st.booleans()),
        mic=draw(st.binary(min_size=4, max_size=4)),
    )


data_bytes = st.builds(
    lambda mhdr, rest: bytes([mhdr]) + rest, st.sampled_from([0x40, 0x60, 0x80, 0xA0]), st.binary(max_size=40)
)


def test_the_published_frame_reads_opens_and_writes_back():
    phy = unhex(PUBLISHED["phy"])
    nwk_s_key, app_s_key = AesKey(unhex(PUBLISHED["nwk_s_key"])), AesKey(unhex(PUBLISHED["app_s_key"]))
    frame = DataFrame.decode(phy)
    assert frame == DataFrame(
        FType.UNCONFIRMED_UP,
        int(PUBLISHED["dev_addr"], 16),
        PUBLISHED["f_cnt"],
        f_port=PUBLISHED["f_port"],
        payload=unhex(PUBLISHED["encrypted"]),
        mic=unhex(PUBLISHED["mic"]),
    )
    assert frame.encode() == phy
    assert mic_holds(phy, frame, 2, nwk_s_key)
    assert open_payload(frame, 2, nwk_s_key, app_s_key) == PUBLISHED["payload"].encode()
    assert seal(frame._replace(payload=b"test"), nwk_s_key, app_s_key) == phy


def test_the_uplink_after_the_vectors_activation_is_sealed_to_the_byte():
    uplink = ACTIVATION["uplink"]
    frame = DataFrame(
        FType.UNCONFIRMED_UP,
        int(ACTIVATION["dev_addr"], 16),
        uplink["f_cnt"],
        f_port=uplink["f_port"],
        payload=uplink["payload"].encode(),
    )
    phy = seal(frame, AesKey(unhex(ACTIVATION["nwk_s_key"])), AesKey(unhex(ACTIVATION["app_s_key"])))
    assert phy.hex() == uplink["phy"]
    assert len(phy) == DATA_OVERHEAD + len("test")


def test_a_frame_by_hand_has_every_field_at_its_place():
    # TS001-1.0.4 4.3: MHDR 80 confirmed up; DevAddr little-endian; FCtrl ADR, ADRACKReq, ACK, bit 4, FOptsLen 2
    phy = unhex("80 04030201 f2 0605 0203 0a ffee 11223344")
    frame = DataFrame(FType.CONFIRMED_UP, 0x01020304, 0x0506, b"\x02\x03", 10, b"\xff\xee", True, True, True, True, phy[-4:])
    assert DataFrame.decode(phy) == frame
    assert frame.encode() == phy


@pytest.mark.parametrize(("bit", "field"), [(0x80, "adr"), (0x40, "adr_ack_req"), (0x20, "ack"), (0x10, "pending")])
def test_each_bit_of_fctrl_is_one_field(bit, field):
    frame = DataFrame.decode(unhex("40 01000000") + bytes([bit]) + unhex("0000 11223344"))
    assert [name for name in ("adr", "adr_ack_req", "ack", "pending") if getattr(frame, name)] == [field]
    assert frame.encode()[5] == bit


def test_no_port_differs_from_port_zero_and_from_an_empty_payload():
    bare, zero, ten = (DataFrame.decode(unhex(f"40 01000000 00 0000 {port} 11223344")) for port in ("", "00", "0a"))
    assert (bare.f_port, zero.f_port, ten.f_port) == (None, 0, 10)
    assert bare.payload == zero.payload == ten.payload == b""


@given(st.binary(max_size=260) | data_bytes)
@example(bytes([0x40]) + bytes(254))
@example(bytes([0x40]) + bytes(255))
def test_any_bytes_are_a_frame_that_writes_back_or_a_frame_error(phy):
    try:
        frame = DataFrame.decode(phy)
    except FrameError:
        return
    assert frame.f_type is frame_type(phy)
    if frame.f_type.uplink or not phy[5] & 0x40:  # bit 6 of a downlink is reserved: read over, never written
        assert frame.encode() == phy


@given(frames())
def test_every_frame_that_can_be_written_reads_back(frame):
    assert DataFrame.decode(frame.encode()) == frame


@given(st.binary(min_size=12, max_size=60).filter(lambda rest: rest[4] & 0x0F == 0))
def test_every_well_formed_frame_is_taken(rest):
    assert DataFrame.decode(b"\x40" + rest).mic == rest[-4:]


def test_a_reserved_bit_in_a_downlink_is_no_reason_to_refuse_it():
    frame = DataFrame.decode(unhex("60 01000000 40 0000 11223344"))
    assert (frame.f_type, frame.ack, frame.adr) == (FType.UNCONFIRMED_DOWN, False, False)


@given(frames(), aes_keys, aes_keys, st.integers(0, 2**16 - 1))
def test_a_sealed_frame_opens_with_its_keys_and_counter_only(frame, nwk_s_key, app_s_key, high):
    f_cnt = high << 16 | frame.f_cnt
    phy = seal(frame._replace(f_cnt=f_cnt), nwk_s_key, app_s_key)
    heard = DataFrame.decode(phy)
    assert mic_holds(phy, heard, f_cnt, nwk_s_key)
    assert open_payload(heard, f_cnt, nwk_s_key, app_s_key) == frame.payload
    assert heard._replace(payload=frame.payload, mic=frame.mic) == frame
    assert not mic_holds(phy, heard, f_cnt ^ 1 << 16, nwk_s_key)
    assert not mic_holds(phy, heard, f_cnt, AesKey(bytes(b ^ 1 for b in nwk_s_key.value)))


@given(frames(), aes_keys, aes_keys, st.data())
def test_one_flipped_bit_anywhere_breaks_the_mic_or_the_frame(frame, nwk_s_key, app_s_key, data):
    phy = bytearray(seal(frame, nwk_s_key, app_s_key))
    phy[data.draw(st.integers(0, len(phy) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        heard = DataFrame.decode(bytes(phy))
    except FrameError:
        return
    assert not mic_holds(bytes(phy), heard, frame.f_cnt, nwk_s_key)


def test_port_zero_is_encrypted_with_the_network_key():
    nwk_s_key, app_s_key = AesKey(bytes(16)), AesKey(bytes([1] * 16))
    phys = [seal(DataFrame(FType.UNCONFIRMED_UP, 1, 0, f_port=port, payload=b"\x02"), nwk_s_key, app_s_key) for port in (0, 1)]
    keystream = (
        nwk_s_key.encrypt(unhex("01 00000000 00 01000000 00000000 00 01"))[0],
        app_s_key.encrypt(unhex("01 00000000 00 01000000 00000000 00 01"))[0],
    )
    assert tuple(phy[9] ^ 2 for phy in phys) == keystream


REFUSED_BYTES = [
    ("data frame of 11 bytes", "11 bytes", "40 01000000 00 0000 112233"),
    ("data frame of 0 bytes", "0 bytes", ""),
    ("frame of 256 bytes", "256 bytes", "40 01000000 00 0000 0a" + "00" * 247),
    ("FOptsLen is 3, only 2 bytes follow", "FOpts longer than the frame", "40 01000000 03 0000 0203 11223344"),
    ("both in FOpts and on port 0", "MAC commands twice", "40 01000000 01 0000 02 00 11223344"),
    ("MHDR 00", "a join request", "00 01000000 00 0000 11223344"),
    ("MHDR 20", "a join accept", "20 01000000 00 0000 11223344"),
    ("MHDR c0", "reserved type 6", "c0 01000000 00 0000 11223344"),
    ("MHDR e0", "proprietary", "e0 01000000 00 0000 11223344"),
    ("MHDR 41", "another major version", "41 01000000 00 0000 11223344"),
    ("MHDR 44", "a reserved bit of MHDR", "44 01000000 00 0000 11223344"),
]


@pytest.mark.parametrize(("said", "_", "phy"), REFUSED_BYTES, ids=[row[1] for row in REFUSED_BYTES])
def test_bytes_that_are_no_data_frame_are_refused(said, _, phy):
    with pytest.raises(FrameError, match=said):
        DataFrame.decode(unhex(phy))


GOOD = DataFrame(FType.UNCONFIRMED_UP, 1, 0, f_port=10, payload=b"x")
REFUSED_FRAMES = [
    ("is not a data frame", GOOD._replace(f_type=FType.JOIN_REQUEST)),
    ("is not a data frame", GOOD._replace(f_type=FType.JOIN_ACCEPT)),
    ("is not a data frame", GOOD._replace(f_type=FType.RFU)),
    ("is not a data frame", GOOD._replace(f_type=FType.PROPRIETARY)),
    ("FOpts of 16 bytes; at most 15", GOOD._replace(f_opts=bytes(16))),
    ("a payload without a port", GOOD._replace(f_port=None)),
    ("both in FOpts and on port 0", GOOD._replace(f_port=0, f_opts=b"\x02")),
    ("ADRACKReq is RFU in a downlink", GOOD._replace(f_type=FType.UNCONFIRMED_DOWN, adr_ack_req=True)),
    (".", GOOD._replace(f_port=256)),
    (".", GOOD._replace(f_port=-1)),
    (".", GOOD._replace(payload=bytes(243))),
    (".", GOOD._replace(mic=b"\0\0\0")),
    (".", GOOD._replace(dev_addr=1 << 32)),
]


@pytest.mark.parametrize(("said", "frame"), REFUSED_FRAMES)
def test_a_frame_that_cannot_be_sent_is_refused(said, frame):
    with pytest.raises(BadArgumentError, match=said):
        frame.encode()


def test_a_payload_that_no_lora_frame_carries_is_not_sealed():
    with pytest.raises(BadArgumentError):
        seal(GOOD._replace(payload=bytes(243)), AesKey(bytes(16)), AesKey(bytes(16)))


@pytest.mark.parametrize("f_type", FType)
def test_the_type_is_the_top_three_bits_of_mhdr(f_type):
    assert frame_type(bytes([f_type << 5])) is f_type
    assert f_type.uplink == (f_type.name in {"JOIN_REQUEST", "UNCONFIRMED_UP", "CONFIRMED_UP"})
    assert f_type.confirmed == (f_type.name in {"CONFIRMED_UP", "CONFIRMED_DOWN"})


@pytest.mark.parametrize(("phy", "said"), [("", "empty frame"), ("41", "major version 1"), ("43", "major version 3")])
def test_a_frame_without_a_type_is_refused(phy, said):
    with pytest.raises(FrameError, match=said):
        frame_type(unhex(phy))


COUNTERS = [  # received 16 bits, next one expected, the 32 bits (TS001-1.0.4 4.3.1.5; MAX_FCNT_GAP is gone in 1.0.4)
    (0, 0, 0),
    (5, 5, 5),
    (7, 5, 7),
    (0xFFFF, 0, 0xFFFF),
    (0, 0xFFFF, 0x10000),
    (0, 0x10000, 0x10000),
    (0x0001, 0x1FFFF, 0x20001),
    (4, 5, 0x10004),
    (0x8000, 0x12345678, 0x12348000),
]


@pytest.mark.parametrize(("received", "following", "full"), COUNTERS)
def test_the_full_counter_is_the_first_one_not_before_the_expected(received, following, full):
    assert full_counter(received, following) == full


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1))
def test_a_full_counter_agrees_in_its_low_half_and_is_less_than_65536_ahead(following, received):
    full = full_counter(received, following)
    assert full & 0xFFFF == received
    assert 0 <= full - following < 2**16
