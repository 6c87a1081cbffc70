"""Frames, joins and MAC commands with `liblora`, an independent implementation in Python (BSD)."""

import warnings
from dataclasses import dataclass
from random import Random

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its modules have invalid escape sequences
    import loramsg
    import loraopts
    from loracrypto import crypto

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.crypto import AesKey, session_keys
from nyala.lorawan.frame import DataFrame, DlSettings, JoinAccept, JoinRequest, mic_holds, open_payload, seal
from tests.peers.seeded import DOWN, UP, Case, cases


@dataclass(frozen=True)
class Eui:
    """What the peer wants of an EUI; it packs signed."""

    value: int

    def as_int(self) -> int:
        return signed(self.value, 64)


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def written_by_peer(case: Case) -> bytes:
    frame = case.frame
    control = frame.adr << 7 | frame.ack << 5
    return bytes(
        loramsg.pack_dataframe(
            frame.f_type << 5,
            signed(frame.dev_addr, 32),
            control,
            frame.f_cnt,
            frame.f_opts,
            frame.f_port,
            frame.payload,
            case.nwk_s_key,
            case.app_s_key,
        )
    )


def counted(case: Case) -> Case:
    """The peer packs counters signed: 31 bits of them."""
    return Case(case.frame._replace(f_cnt=case.frame.f_cnt & 0x7FFFFFFF), case.nwk_s_key, case.app_s_key)


@pytest.mark.parametrize("types", [UP, DOWN], ids=["uplinks", "downlinks"])
def test_our_frames_are_the_peers_to_the_byte(types):
    for case in map(counted, cases(11, types)):
        assert seal(case.frame, *case.keys) == written_by_peer(case)


@pytest.mark.parametrize("types", [UP, DOWN], ids=["uplinks", "downlinks"])
def test_the_peer_reads_our_frames(types):
    for case in map(counted, cases(12, types)):
        frame = case.frame
        phy = seal(frame, *case.keys)
        assert loramsg.sanity_check_frame(phy) == frame.f_type << 5
        said = loramsg.unpack_dataframe(phy, frame.f_cnt, case.nwk_s_key, case.app_s_key)
        assert (said["FRMPayload"], said["FPort"], said["FCnt"]) == (frame.payload, frame.f_port, frame.f_cnt)
        assert (said["FOpts"], said["DevAddr"] & 0xFFFFFFFF) == (frame.f_opts, frame.dev_addr)
        assert said["FCtrl"] == frame.adr << 7 | frame.ack << 5 | len(frame.f_opts)


@pytest.mark.parametrize("types", [UP, DOWN], ids=["uplinks", "downlinks"])
def test_we_read_the_peers_frames(types):
    for case in map(counted, cases(13, types)):
        phy = written_by_peer(case)
        heard = DataFrame.decode(phy)
        assert heard._replace(payload=case.frame.payload, mic=bytes(4), f_cnt=case.frame.f_cnt) == case.frame
        assert mic_holds(phy, heard, case.frame.f_cnt, case.keys[0])
        assert open_payload(heard, case.frame.f_cnt, *case.keys) == case.frame.payload


def test_the_peer_refuses_our_frame_under_another_key():
    for case in map(counted, cases(14, UP, count=50)):
        with pytest.raises(loramsg.VerifyError):
            loramsg.unpack_dataframe(seal(case.frame, *case.keys), case.frame.f_cnt, bytes(16), case.app_s_key)


def test_join_requests_are_the_same_and_each_side_reads_the_others():
    random = Random(15)
    for _ in range(300):
        dev_eui, join_eui, nonce, key = (
            random.getrandbits(64),
            random.getrandbits(64),
            random.getrandbits(16),
            random.randbytes(16),
        )
        ours = JoinRequest(join_eui, dev_eui, nonce).signed(AesKey(key))
        assert ours == bytes(loramsg.pack_jreq(key, Eui(join_eui), Eui(dev_eui), nonce))
        loramsg.verify_jreq(key, ours)
        said = loramsg.unpack_jreq(ours)
        assert (said["JoinEUI"].as_int() % 2**64, said["DevEUI"].as_int() % 2**64, said["DevNonce"]) == (
            join_eui,
            dev_eui,
            nonce,
        )
        with pytest.raises(loramsg.VerifyError):
            loramsg.verify_jreq(bytes(b ^ 1 for b in key), ours)


@pytest.mark.parametrize("channels", [0, 1, 5])
def test_join_accepts_are_the_same_and_each_side_reads_the_others(channels):
    random = Random(16)
    for _ in range(300):
        cf_list = tuple(100 * random.getrandbits(24) for _ in range(channels))
        listed = b"".join((hz // 100).to_bytes(3, "little") for hz in cf_list).ljust(16, b"\0") if cf_list else None
        key, dlset = random.randbytes(16), random.randrange(128)
        join_nonce, net_id, dev_addr, delay_s = (random.getrandbits(n) for n in (24, 24, 32, 4))
        delay_s = delay_s or 1
        accept = JoinAccept(join_nonce, net_id, dev_addr, DlSettings.from_bytes(bytes([dlset])), delay_s, cf_list)
        phy = accept.encode(AesKey(key))
        assert phy == bytes(loramsg.pack_jacc(key, join_nonce, net_id, signed(dev_addr, 32), dlset, delay_s, listed))
        said = loramsg.unpack_jacc(key, phy, 0)
        assert (said["AppNonce"], said["NetID"], said["DevAddr"] % 2**32) == (join_nonce, net_id, dev_addr)
        assert (said["DLSettings"], said["RxDelay"], said["CFList"]) == (dlset, delay_s, listed)
        padded = (*cf_list, 0, 0, 0, 0)[:5] if cf_list else ()
        assert JoinAccept.decode(phy, AesKey(key)) == JoinAccept(
            join_nonce, net_id, dev_addr, accept.dl_settings, delay_s, padded
        )


def test_session_keys_are_the_same():
    random = Random(17)
    for _ in range(300):
        key, join_nonce, net_id, dev_nonce = random.randbytes(16), *(random.getrandbits(n) for n in (24, 24, 16))
        theirs = tuple(
            crypto.derive(key, dev_nonce, join_nonce, net_id, kind) for kind in (loramsg.KD_NwkSKey, loramsg.KD_AppSKey)
        )
        assert session_keys(AesKey(key), join_nonce, net_id, dev_nonce) == theirs


# Their name of a field for ours; what is not here is reserved.
FIELDS = {
    "margin": "Margin",
    "gateway_count": "GwCnt",
    "tx_power": "TXPow",
    "data_rate": "DR",
    "ch_mask": "ChMask",
    "nb_trans": "NbTrans",
    "ch_mask_cntl": "ChMaskCntl",
    "ch_mask_ack": "ChAck",
    "data_rate_ack": "DRAck",
    "power_ack": "TXPowAck",
    "rx2_data_rate": "RX2DR",
    "rx1_dr_offset": "RX1DRoff",
    "channel_ack": "FreqAck",
    "rx2_data_rate_ack": "RX2DRAck",
    "rx1_dr_offset_ack": "RX1DRoffAck",
    "battery": "Batt",
    "index": "Chnl",
    "frequency_100hz": "Freq",
    "min_data_rate": "MinDR",
    "max_data_rate": "MaxDR",
    "delay_s": "Delay",
    "max_eirp": "MaxEIRP",
    "uplink_dwell_time": "UpDwell",
    "downlink_dwell_time": "DnDwell",
    "gps_s": "epoch_secs",
    "fraction_256": "frac",
    "max_duty_cycle": "MaxDC",
}
OTHER_FIELDS = {
    mac.NewChannelAns: {"frequency_ack": "ChnlAck", "data_rate_range_ack": "DRAck"},
    mac.DlChannelAns: {"frequency_ack": "FreqAck", "uplink_frequency_exists": "ChnlAck"},
}
THEIRS = {
    "LinkAdrReq": "LinkADRReq",
    "LinkAdrAns": "LinkADRAns",
    "RxParamSetupReq": "RXParamSetupReq",
    "RxParamSetupAns": "RXParamSetupAns",
    "RxTimingSetupReq": "RXTimingSetupReq",
    "RxTimingSetupAns": "RXTimingSetupAns",
    "TxParamSetupReq": "TXParamSetupReq",
    "TxParamSetupAns": "TXParamSetupAns",
}
CLASSES = [*mac.UPLINK.values(), *mac.DOWNLINK.values()]


@pytest.mark.parametrize("cls", CLASSES, ids=[cls.__name__ for cls in CLASSES])
def test_mac_commands_are_the_same_to_the_byte_and_read_back(cls):
    random = Random(18)
    theirs_cls = getattr(loraopts, THEIRS.get(cls.__name__, cls.__name__))
    names = FIELDS | OTHER_FIELDS.get(cls, {})
    for _ in range(100):
        values = {}
        for name, bits in cls.layout():
            low = -(1 << bits.width - 1) if bits.signed else 0
            values[name] = 0 if name.startswith("rfu") else random.randrange(low, low + (1 << bits.width))
        theirs = theirs_cls(**{names[name]: value for name, value in values.items() if not name.startswith("rfu")})
        wire = bytearray(1 + cls.size())
        assert theirs.encode(wire, 0) == len(wire)
        assert mac.encode([cls(**values)]) == bytes(wire)
        table = mac.UPLINK if cls in mac.UPLINK.values() else mac.DOWNLINK
        assert mac.decode(bytes(wire), table) == [cls(**values)]
