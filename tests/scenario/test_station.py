"""A Basics Station over TLS against the whole server: discovery, configuration, and a device that joins and is spoken to."""

import asyncio
import ipaddress
import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from nyala import serving as served_by
from nyala.gateway import station
from nyala.gateway.known import Link
from nyala.gateway.station_access import StationAccess, StationRow, token_hash
from nyala.gateway.station_frames import CONTEXT, to_heard
from nyala.gateway.station_identity import id6_text
from nyala.headend.onboarding import NewMeter
from nyala.lorawan.crypto import AesKey, session_keys
from nyala.lorawan.frame import DataFrame, FType, JoinAccept, JoinRequest, open_payload, seal
from nyala.lorawan.network.port import Downlink, Reception, TxResult
from nyala.serving import Serving, StationPort
from nyala.store import meters
from nyala.store.engine import open_engine, upgrade
from nyala.vocab.errors import FileError

EUI = 0xB827EBFFFE010203
TOKEN = "a long random token"
DEV_EUI, JOIN_EUI, APP_KEY = 0x91A2B3C4D5E6F708, 0x70B3D57ED0000001, bytes(range(16))
XTIME = 62_487_445_098_202_099
WAIT_S = 20


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate of 127.0.0.1 and its key, as files."""
    folder, key, now = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lns")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))
    return str(folder / "cert.pem"), str(folder / "key.pem")


class Station:
    """A station with one device in range, which sends and hears through it."""

    def __init__(self, link: ClientConnection) -> None:
        self.link, self.xtime, self.f_cnt = link, XTIME, 0
        self.address, self.keys = 0, (AesKey(bytes(16)), AesKey(bytes(16)))

    async def hears(self) -> Any:
        """The next message of the server."""
        return station.decode_from_server(await asyncio.wait_for(self.link.recv(), WAIT_S))

    async def forwards(self, phy: bytes) -> None:
        """A frame of the device was received."""
        self.xtime += 10_000_000
        context = CONTEXT.pack(self.xtime, 3)
        heard = to_heard(Reception(EUI, phy, 0, 921_800_000, 2, -70.0, 8.0, 0, context=context))
        await self.link.send(station.encode(heard), text=True)

    async def sent(self, order: station.Downlink) -> None:
        """What was ordered went on the air."""
        await self.link.send(f'{{"msgtype":"dntxed","diid":{order.diid},"DevEui":"{order.dev_eui}"}}')

    async def join(self) -> station.Downlink:
        """The device joins; answers the order that carried its accept."""
        await self.forwards(JoinRequest(JOIN_EUI, DEV_EUI, 1).signed(AesKey(APP_KEY)))
        order: station.Downlink = await self.hears()
        accept = JoinAccept.decode(bytes.fromhex(order.pdu), AesKey(APP_KEY))
        network, application = session_keys(AesKey(APP_KEY), accept.join_nonce, accept.net_id, 1)
        self.address, self.keys = accept.dev_addr, (AesKey(network), AesKey(application))
        await self.sent(order)
        return order

    async def up(self, *, confirmed: bool) -> None:
        """The device sends a data frame."""
        kind = FType.CONFIRMED_UP if confirmed else FType.UNCONFIRMED_UP
        await self.forwards(seal(DataFrame(kind, self.address, self.f_cnt, f_port=99, payload=b"x"), *self.keys))
        self.f_cnt += 1

    def reads(self, order: station.Downlink) -> tuple[DataFrame, bytes]:
        """A downlink as the device reads it."""
        frame = DataFrame.decode(bytes.fromhex(order.pdu))
        return frame, open_payload(frame, frame.f_cnt, *self.keys)


async def served(tmp_path: Any, certificate: tuple[str, str], test: Any) -> None:
    """Runs a test against a server with one meter and one station that may connect."""
    engine = open_engine(str(tmp_path))
    upgrade(engine)
    access = StationAccess({EUI: StationRow(token_hash(TOKEN))})
    port = StationPort("127.0.0.1", 0, *certificate, access)
    serving = Serving(engine, lambda: time.time_ns() // 1_000, host="127.0.0.1", port=0, udp_port=0, stations=port)
    async with serving:
        now_s = int(time.time())
        serving.centre.onboard(
            meters.tenant_id(engine, "test"),
            [NewMeter("M-1", "single-phase", DEV_EUI, JOIN_EUI, APP_KEY, "", "", "UTC", "", 0, (1, 1), now_s, 900, 3600)],
        )
        trust = ssl.create_default_context(cafile=certificate[0])
        await test(serving, trust)
    engine.dispose()


def connection(uri: str, trust: ssl.SSLContext, token: str = TOKEN) -> connect:
    return connect(uri, ssl=trust, additional_headers={"Authorization": f"Bearer {token}"}, open_timeout=WAIT_S)


def test_a_device_joins_through_a_station_and_gets_class_a_and_class_c_downlinks(tmp_path, certificate):
    async def test(serving: Serving, trust: ssl.SSLContext) -> None:
        centre = serving.centre
        async with connection(f"{serving.station_url}/router-info", trust) as link:
            await link.send(f'{{"router":"{id6_text(EUI)}"}}')
            info = station.decode_router_info(await asyncio.wait_for(link.recv(), WAIT_S))
        assert info.uri == f"{serving.station_url}/router/{EUI:016x}"
        async with connection(info.uri, trust) as link:
            fake = Station(link)
            await link.send(station.encode(station.Version(station="2.0.6", model="fake", protocol=2)), text=True)
            assert isinstance(await fake.hears(), station.RouterConfig)
            accepting = await fake.join()
            assert (accepting.device_class, accepting.rx_delay_s, accepting.rx1_hz) == (0, 5, 921_800_000)
            assert (accepting.xtime, accepting.rctx) == (fake.xtime, 3)
            await fake.up(confirmed=True)
            answer = await fake.hears()
            assert (answer.device_class, answer.rx_delay_s, answer.xtime) == (0, 1, fake.xtime)
            frame, _ = fake.reads(answer)
            assert (frame.dev_addr, frame.ack) == (fake.address, True)
            await fake.sent(answer)
            centre.network.enqueue(Downlink(DEV_EUI, 20, b"at once"), centre.now_us())
            centre.ingest.nudge()
            while True:
                order = await fake.hears()
                await fake.sent(order)
                frame, payload = fake.reads(order)
                if frame.f_port == 20:
                    break
            assert (order.device_class, order.xtime, order.rx2_hz, payload) == (2, None, 921_400_000, b"at once")
            await centre.ingest.stored()
            gateway = centre.gateways[EUI]
            assert (gateway.link, gateway.frames, gateway.online(centre.now_us())) == (Link.STATION, 2, True)
            await link.send('{"msgtype":"timesync","txtime":1}')
            assert isinstance(await fake.hears(), station.TimeSync)  # and so the last word was heard
            assert gateway.tx[TxResult.OK] >= 3
            assert gateway.tx_errors == 0

    asyncio.run(served(tmp_path, certificate, test))


def test_a_station_with_another_token_or_path_is_turned_away_before_the_socket_opens(tmp_path, certificate):
    async def test(serving: Serving, trust: ssl.SSLContext) -> None:
        for path, token, status in (
            (f"/router/{EUI:016x}", "x", 401),
            (f"/router/{EUI + 1:016x}", TOKEN, 401),
            ("/", TOKEN, 404),
        ):
            with pytest.raises(InvalidStatus) as refused:
                async with connection(f"{serving.station_url}{path}", trust, token):
                    pass
            assert refused.value.response.status_code == status
        assert serving.centre.gateways == {}

    asyncio.run(served(tmp_path, certificate, test))


def test_a_station_that_falls_silent_is_asked_and_then_let_go(tmp_path, certificate, monkeypatch):
    monkeypatch.setattr(served_by, "STATION_PING_S", 0.2)

    async def test(serving: Serving, trust: ssl.SSLContext) -> None:
        assert serving.station_url is not None
        host, port = serving.station_url.removeprefix("wss://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=trust)
        head = f"GET /router/{EUI:016x} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n"
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        writer.write(f"{head}{upgrade}AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        hello = b'{"msgtype":"version","protocol":2}'
        writer.write(bytes([0x81, 0x80 | len(hello), 0, 0, 0, 0]) + hello)
        answer = await asyncio.wait_for(reader.read(), WAIT_S)  # to the end of the connection: no ping is answered
        writer.close()
        assert b"router_config" in answer
        sessions = set(serving._webs[1].server_state.tasks)
        if sessions:
            await asyncio.wait(sessions, timeout=WAIT_S)
        assert not serving.centre.gateways[EUI].online(serving.centre.now_us())

    asyncio.run(served(tmp_path, certificate, test))


def test_cups_over_https_answers_that_nothing_changes(tmp_path, certificate):
    async def test(serving: Serving, trust: ssl.SSLContext) -> None:
        assert serving.station_url is not None
        host, port = serving.station_url.removeprefix("wss://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=trust)
        body = f'{{"router":"{id6_text(EUI)}"}}'
        head = f"POST /update-info HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n{body}".encode())
        answer = await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.partition(b"\r\n\r\n")[2] == bytes(14)

    asyncio.run(served(tmp_path, certificate, test))


def test_a_certificate_that_does_not_go_with_its_key_is_said_before_anything_starts(tmp_path, certificate):
    (tmp_path / "other.pem").write_text("no key")
    with pytest.raises(FileError, match=r"cert\.pem: no certificate and key"):
        StationPort("127.0.0.1", 0, certificate[0], str(tmp_path / "other.pem")).check()
