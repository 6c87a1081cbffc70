"""Semtech UDP, both sides: any bytes give a message or a GatewayError, and what is written reads back."""

from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from nyala.gateway import semtech_udp as udp
from nyala.gateway.semtech_udp import Ack, Kind, PullData, PullResp, PushData, RxPk, Stat, TxAck, TxPk
from nyala.lorawan.network.port import Reception, Transmission
from nyala.vocab.errors import GatewayError
from tests.unit.gateway.datagrams import REGION, TX_ERRORS, Port, from_gateway, head, rxpk

tokens, euis = st.integers(0, 2**16 - 1), st.integers(0, 2**64 - 1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
whole = st.integers(-(2**31), 2**32)
rates = st.integers(0, len(REGION.data_rates) - 1)
frames = st.binary(max_size=255)
rxpks = st.builds(
    RxPk,
    tmst=whole,
    freq=numbers,
    datr=texts | whole,
    data=texts,
    rssi=numbers,
    lsnr=numbers,
    stat=st.integers(-1, 1),
    modu=texts,
    codr=texts,
    tmms=st.none() | whole,
    chan=whole,
    rfch=whole,
    size=whole,
    time=texts,
)
degrees = st.none() | numbers
stats = st.builds(
    Stat,
    time=texts,
    rxnb=whole,
    rxok=whole,
    rxfw=whole,
    ackr=numbers,
    dwnb=whole,
    txnb=whole,
    lati=degrees,
    long=degrees,
    alti=numbers,
    temp=degrees,
)
txpks = st.builds(
    TxPk,
    freq=numbers,
    datr=texts,
    data=texts,
    size=whole,
    powe=whole,
    imme=st.booleans(),
    tmst=st.none() | whole,
    tmms=st.none() | whole,
    modu=texts,
    codr=texts,
    ipol=st.booleans(),
    ncrc=st.booleans(),
    rfch=whole,
)
documents = st.recursive(
    st.none() | st.booleans() | whole | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["rxpk", "stat", "txpk", "data"]), inner),
    max_leaves=8,
)
bodies = st.binary(max_size=60) | documents.map(lambda said: repr(said).replace("'", '"').encode())
of_gateways = st.builds(from_gateway, st.integers(0, 7), bodies, token=tokens, version=st.integers(0, 3), eui=euis)
of_servers = st.builds(lambda start, body: start + body, st.builds(head, st.integers(0, 7), tokens), bodies)


@given(st.binary(max_size=40) | of_gateways | of_servers)
@example(b"")
def test_any_bytes_are_a_message_of_a_gateway_or_a_gateway_error(datagram):
    with suppress(GatewayError):
        assert isinstance(udp.decode_from_gateway(datagram), PushData | PullData | TxAck)


@given(st.binary(max_size=40) | of_gateways | of_servers)
def test_any_bytes_are_a_message_of_a_server_or_a_gateway_error(datagram):
    with suppress(GatewayError):
        assert isinstance(udp.decode_from_server(datagram), PullResp | Ack)


@given(st.binary(max_size=40) | of_gateways | of_servers)
def test_no_datagram_disturbs_the_server(datagram):
    port = Port()
    port.comes(datagram)
    port.pull(token=9)
    assert port.sent()[-1][0] == Ack(Kind.PULL_ACK, 9)


@given(tokens, euis, st.lists(rxpks, max_size=4), st.none() | stats)
def test_push_data_reads_back(token, eui, said, stat):
    assert udp.decode_from_gateway(udp.encode_push_data(token, eui, said, stat)) == PushData(token, eui, tuple(said), stat)


@given(tokens, euis)
def test_pull_data_reads_back(token, eui):
    assert udp.decode_from_gateway(udp.encode_pull_data(token, eui)) == PullData(token, eui)


@given(tokens, euis, st.sampled_from(["NONE", *TX_ERRORS]) | texts.filter(bool), texts.filter(bool), st.none() | numbers)
def test_tx_ack_reads_back(token, eui, error, warn, value):
    assert udp.decode_from_gateway(udp.encode_tx_ack(token, eui, error)) == TxAck(token, eui, error)
    said = udp.encode_tx_ack(token, eui, error, warn, value)
    assert udp.decode_from_gateway(said) == TxAck(token, eui, error, warn, value)


@given(st.sampled_from([Kind.PUSH_ACK, Kind.PULL_ACK]), tokens)
def test_acknowledgements_read_back(kind, token):
    assert udp.decode_from_server(udp.encode_ack(kind, token)) == Ack(kind, token)


@given(tokens, txpks)
def test_pull_resp_reads_back(token, txpk):
    assert udp.decode_from_server(udp.encode_pull_resp(token, txpk)) == PullResp(token, txpk)


@given(euis, frames, whole, st.integers(0, 10**10), rates, numbers, numbers, st.integers(0, 2**32 - 1), st.none() | whole)
def test_a_reception_survives_the_way_through_a_gateway(
    eui, phy, received_us, frequency_hz, rate, rssi_dbm, snr_db, tmst_us, gps_ms
):
    gps_us = None if gps_ms is None else 1_000 * gps_ms
    reception = Reception(eui, phy, received_us, frequency_hz, rate, rssi_dbm, snr_db, tmst_us, gps_us=gps_us)
    message = udp.decode_from_gateway(udp.encode_push_data(1, eui, [udp.to_rxpk(reception, REGION)]))
    assert isinstance(message, PushData)
    assert message.rxpk[0].size == len(phy)
    assert udp.to_reception(message.rxpk[0], message.gateway, REGION, received_us) == reception


@given(frames, st.integers(0, 10**10), rates, st.integers(-20, 40), st.none() | st.integers(0, 2**32 - 1))
def test_a_transmission_survives_the_way_to_a_gateway(phy, frequency_hz, rate, eirp_dbm, tmst_us):
    sent = Transmission(1, phy, frequency_hz, rate, eirp_dbm, tmst_us, 0)
    message = udp.decode_from_server(udp.encode_pull_resp(1, udp.to_txpk(sent, REGION)))
    assert isinstance(message, PullResp)
    txpk = message.txpk
    assert (udp.payload_bytes(txpk.data), txpk.size, txpk.powe) == (phy, len(phy), eirp_dbm)
    assert (round(txpk.freq * 1e6), REGION.data_rate_of(txpk.datr).index) == (frequency_hz, rate)
    assert (txpk.tmst, txpk.imme) == (tmst_us, tmst_us is None)


@given(st.text(max_size=30))
def test_any_text_is_a_frame_or_a_gateway_error(data):
    with suppress(GatewayError):
        assert isinstance(udp.payload_bytes(data), bytes)


@given(frames, st.booleans(), st.booleans())
def test_a_frame_reads_back_from_every_base64_of_it(phy, url_safe, padded):
    data = udp.to_rxpk(Reception(1, phy, 0, 921_400_000, 2, 0.0, 0.0, 0), REGION).data
    data = data.replace("+", "-").replace("/", "_") if url_safe else data
    assert udp.payload_bytes(data if padded else data.rstrip("=")) == phy


@given(st.lists(st.sampled_from([rxpk(), rxpk(stat=-1), rxpk(datr="SF6BW125"), rxpk(data="?"), rxpk(modu="FSK")]), max_size=20))
def test_every_frame_of_a_datagram_is_taken_or_counted(frames):
    port = Port()
    port.push(*frames)
    counted = sum(port.counts.get(name, 0) for name in ("bad_crc", "bad_rxpk", "other_modulation"))
    assert len(port.uplinks.taken) + counted == len(frames)
    assert len(port.uplinks.taken) == frames.count(rxpk())
