"""Join request and join accept: vectors, properties in pairs, refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.frame import DlSettings, FType, JoinAccept, JoinRequest
from nyala.vocab.errors import BadArgumentError, FrameError
from tests.unit.lorawan.vectors import VECTORS, unhex

VECTOR = VECTORS["activation"]
APP_KEY = AesKey(unhex(VECTOR["app_key"]))
aes_keys = st.binary(min_size=16, max_size=16).map(AesKey)
euis = st.integers(0, 2**64 - 1)
requests = st.builds(JoinRequest, euis, euis, st.integers(0, 2**16 - 1), st.binary(min_size=4, max_size=4))
frequencies = st.integers(0, 2**24 - 1).map(lambda step: 100 * step)
accepts = st.builds(
    JoinAccept,
    join_nonce=st.integers(0, 2**24 - 1),
    net_id=st.integers(0, 2**24 - 1),
    dev_addr=st.integers(0, 2**32 - 1),
    dl_settings=st.builds(DlSettings, st.integers(0, 15), st.integers(0, 7), st.integers(0, 1)),
    rx_delay_s=st.integers(1, 15),
    cf_list=st.just(()) | st.tuples(*[frequencies] * 5),
)


def the_accept(*cf_list: int) -> JoinAccept:
    return JoinAccept(
        VECTOR["join_nonce"],
        VECTOR["net_id"],
        int(VECTOR["dev_addr"], 16),
        DlSettings(VECTOR["rx2_data_rate"], 0),
        VECTOR["rx_delay_s"],
        cf_list,
    )


def signed(clear: str, key: AesKey = APP_KEY) -> bytes:
    """An accept from its clear bytes without MIC, as another join server would make it."""
    message = unhex(clear)
    return message[:1] + key.decrypt(message[1:] + key.cmac(message)[:4])


def test_the_vectors_join_request_is_written_to_the_byte_and_read_back():
    request = JoinRequest(int(VECTOR["join_eui"], 16), int(VECTOR["dev_eui"], 16), VECTOR["dev_nonce"])
    phy = request.signed(APP_KEY)
    assert phy.hex() == VECTOR["join_request"]
    heard = JoinRequest.decode(phy)
    assert (heard.join_eui, heard.dev_eui, heard.dev_nonce) == (request.join_eui, request.dev_eui, request.dev_nonce)
    assert heard.mic_holds(APP_KEY)


@given(requests, aes_keys)
def test_every_join_request_reads_back_and_is_signed_by_its_key_only(request, key):
    assert JoinRequest.decode(request.encode()) == request
    heard = JoinRequest.decode(request.signed(key))
    assert heard.mic_holds(key)
    assert not heard.mic_holds(AesKey(bytes(b ^ 1 for b in key.value)))


@given(st.binary(max_size=40) | st.binary(min_size=22, max_size=22).map(lambda rest: b"\0" + rest))
def test_any_bytes_are_a_join_request_that_writes_back_or_a_frame_error(phy):
    try:
        request = JoinRequest.decode(phy)
    except FrameError:
        return
    assert request.encode() == phy


@pytest.mark.parametrize("size", [0, 1, 22, 24])
def test_a_join_request_of_another_length_is_refused(size):
    with pytest.raises(FrameError, match=f"join request of {size} bytes; it has 23"):
        JoinRequest.decode(bytes(size))


@pytest.mark.parametrize("mhdr", [0x01, 0x04, 0x20, 0x40, 0xC0])
def test_a_join_request_with_another_mhdr_is_refused(mhdr):
    with pytest.raises(FrameError, match="is not a join request"):
        JoinRequest.decode(bytes([mhdr]) + bytes(22))


@pytest.mark.parametrize(
    ("cf_list", "phy"), [((), VECTOR["join_accept"]), (VECTOR["cf_list_hz"], VECTOR["join_accept_with_cf_list"])]
)
def test_the_vectors_join_accepts_are_written_to_the_byte_and_read_back(cf_list, phy):
    accept = the_accept(*cf_list)
    assert accept.encode(APP_KEY).hex() == phy
    assert JoinAccept.decode(unhex(phy), APP_KEY) == accept


def test_the_device_opens_an_accept_by_encrypting_only():
    clear = APP_KEY.encrypt(unhex(VECTOR["join_accept_with_cf_list"])[1:])
    assert clear[:12].hex() == "010000130000da1b01260201"
    assert clear[12:28].hex() == VECTOR["cf_list"]


@given(accepts, aes_keys)
def test_every_join_accept_reads_back(accept, key):
    phy = accept.encode(key)
    assert len(phy) == (33 if accept.cf_list else 17)
    assert JoinAccept.decode(phy, key) == accept


@given(st.binary(max_size=40) | st.builds(bytes.__add__, st.just(b"\x20"), st.binary(min_size=16, max_size=16)), aes_keys)
def test_any_bytes_are_a_join_accept_or_a_frame_error(phy, key):
    try:
        JoinAccept.decode(phy, key)
    except FrameError:
        return
    assert phy[0] == FType.JOIN_ACCEPT << 5


@given(accepts, aes_keys, st.data())
def test_one_flipped_bit_of_an_accept_is_refused(accept, key, data):
    phy = bytearray(accept.encode(key))
    phy[data.draw(st.integers(0, len(phy) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(FrameError):
        JoinAccept.decode(bytes(phy), key)


def test_fewer_than_five_frequencies_are_filled_up_with_zeros():
    phy = the_accept(921_800_000, 922_000_000).encode(APP_KEY)
    assert JoinAccept.decode(phy, APP_KEY).cf_list == (921_800_000, 922_000_000, 0, 0, 0)


@pytest.mark.parametrize(("octet", "delay_s"), [("00", 1), ("01", 1), ("0f", 15), ("f5", 5)])
def test_rx_delay_is_the_low_nibble_and_zero_means_one_second(octet, delay_s):
    phy = signed(f"20 010000 130000 da1b0126 02 {octet}")
    assert JoinAccept.decode(phy, APP_KEY).rx_delay_s == delay_s


@pytest.mark.parametrize("size", [0, 1, 16, 18, 32, 34])
def test_an_accept_of_another_length_is_refused(size):
    with pytest.raises(FrameError, match=f"not a join accept: {size} bytes"):
        JoinAccept.decode((b"\x20" + bytes(40))[:size], APP_KEY)


@pytest.mark.parametrize("mhdr", [0x00, 0x21, 0x24, 0x60])
def test_an_accept_with_another_mhdr_is_refused(mhdr):
    with pytest.raises(FrameError, match="not a join accept"):
        JoinAccept.decode(bytes([mhdr]) + unhex(VECTOR["join_accept"])[1:], APP_KEY)


def test_an_accept_of_another_key_is_refused():
    with pytest.raises(FrameError, match="bad MIC"):
        JoinAccept.decode(unhex(VECTOR["join_accept"]), AesKey(bytes(16)))


@pytest.mark.parametrize("kind", ["01", "02", "ff"])
def test_a_cflist_of_another_type_is_refused(kind):
    phy = signed(f"20 010000 130000 da1b0126 02 01 {VECTOR['cf_list'][:-2]} {kind}")
    with pytest.raises(FrameError, match=f"CFList type {int(kind, 16)}"):
        JoinAccept.decode(phy, APP_KEY)


def test_a_sixth_frequency_is_refused():
    with pytest.raises(BadArgumentError, match="CFList of 6 frequencies; it holds 5"):
        the_accept(*[921_800_000] * 6).encode(APP_KEY)


REFUSED_ACCEPTS = {
    "a JoinNonce of 25 bits": JoinAccept(1 << 24, 0, 0, DlSettings(2, 0)),
    "a NetID of 25 bits": JoinAccept(1, 1 << 24, 0, DlSettings(2, 0)),
    "a DevAddr of 33 bits": JoinAccept(1, 0, 1 << 32, DlSettings(2, 0)),
    "RX2 data rate 16": JoinAccept(1, 0, 0, DlSettings(16, 0)),
    "no RxDelay": JoinAccept(1, 0, 0, DlSettings(2, 0), rx_delay_s=0),
    "an RxDelay of 16 s": JoinAccept(1, 0, 0, DlSettings(2, 0), rx_delay_s=16),
    "a frequency between the steps of 100 Hz": JoinAccept(1, 0, 0, DlSettings(2, 0), cf_list=(921_800_050,)),
    "a frequency of 25 bits": JoinAccept(1, 0, 0, DlSettings(2, 0), cf_list=(100 << 24,)),
}


@pytest.mark.parametrize("accept", REFUSED_ACCEPTS.values(), ids=REFUSED_ACCEPTS)
def test_an_accept_that_does_not_fit_its_fields_is_refused(accept):
    with pytest.raises(BadArgumentError):
        accept.encode(APP_KEY)
