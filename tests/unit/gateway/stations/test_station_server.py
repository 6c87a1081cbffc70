"""The server of stations: connections, sessions, what is refused, and what becomes of orders."""

import asyncio
from typing import Any

import pytest

from nyala.gateway import cups, known, station, station_server
from nyala.gateway.station_access import StationAccess, StationRow, token_hash
from nyala.gateway.station_frames import CONTEXT
from nyala.lorawan.network.port import TxResult
from tests.unit.gateway.datagrams import NOW_US, transmission
from tests.unit.gateway.stations.messages import EUI, UPDF, UPDF_PHY, VERSION, XTIME, Connection, Net, run, text

PATH = f"/router/{EUI:016x}"
LOCKED = StationAccess({EUI: StationRow(token_hash("secret"), "KR920"), 2: StationRow(token_hash("other"))}, "AS923-1")


# -- discovery


@pytest.mark.parametrize("router", ['"b827:ebff:fe01:203"', '"B8-27-EB-FF-FE-01-02-03"', str(EUI)])
def test_a_station_is_told_where_to_connect_in_the_form_in_which_it_writes_itself(router):
    async def test(net):
        connection = await Connection(net.server, "/router-info").accepted()
        connection.says(f'{{"router":{router}}}')
        info = station.decode_router_info(await connection.hears())
        assert info == station.RouterInfo("b827:ebff:fe01:203", "muxs-::0", f"wss://lns.example:8887{PATH}")
        assert (await connection.hears())["type"] == "websocket.close"

    run(test)


@pytest.mark.parametrize(("token", "uri"), [("secret", True), ("other", False), ("", False)])
def test_a_discovery_with_another_token_is_answered_with_an_error(token, uri):
    async def test(net):
        connection = await Connection(net.server, "/router-info", token=token).accepted()
        connection.says(f'{{"router":{EUI}}}')
        info = station.decode_router_info(await connection.hears())
        assert (bool(info.uri), bool(info.error)) == (uri, not uri)

    run(test, LOCKED)


@pytest.mark.parametrize("said", ["", "{}", '{"router":"x"}', b"\0"])
def test_a_discovery_that_is_not_understood_ends_the_connection(said):
    async def test(net):
        connection = await Connection(net.server, "/router-info").accepted()
        connection.says(said)
        assert await connection.hears() == {"type": "websocket.close", "code": 1008}

    assert run(test).server.counts == {"bad_station_message": 1}


@pytest.mark.parametrize("path", ["/router-info", PATH])
def test_a_connection_that_says_nothing_is_ended(path, monkeypatch):
    monkeypatch.setattr(station_server, "HELLO_S", 0)

    async def test(net):
        connection = await Connection(net.server, path).accepted()
        assert await connection.hears() == {"type": "websocket.close", "code": 1008}

    assert run(test).server.counts == {"station_silent": 1}


# -- who may connect


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [(PATH, "", 401), (PATH, "other", 401), ("/router/2", "other", 404), ("/router/x", "secret", 404), ("/", "secret", 404)],
)
def test_a_session_needs_the_token_of_the_station_in_its_path(path, token, status):
    async def test(net):
        connection = Connection(net.server, path, token=token)
        assert (await connection.out.get())["status"] == status
        await connection.task

    net = run(test, LOCKED)
    assert (net.server.counts, dict(net.server.gateways)) == ({"station_refused": 1}, {})


def test_with_its_token_a_station_gets_its_own_configuration():
    async def test(net):
        connection = await Connection(net.server, PATH, token="secret").accepted()
        connection.says(text(VERSION))
        config = station.decode_from_server(await connection.hears())
        assert isinstance(config, station.RouterConfig)
        assert config.region == "KR920"

    run(test, LOCKED)


def test_a_station_beyond_the_number_of_gateways_is_turned_away(monkeypatch):
    monkeypatch.setattr(known, "GATEWAYS_MAX", 0)

    async def test(net):
        assert (await Connection(net.server, PATH).out.get())["status"] == 503

    run(test)


# -- a session


def test_a_station_is_online_once_it_has_its_configuration_until_it_leaves():
    async def test(net):
        connection = await Connection(net.server, PATH).accepted()
        gateway = net.server.gateways[EUI]
        assert not gateway.online(NOW_US)
        connection.says(text(VERSION))
        await connection.hears()
        assert gateway.online(NOW_US)
        assert (gateway.link, gateway.software) == (known.Link.STATION, "linux 2.0.6(linux/std)")
        await connection.leaves()
        assert not gateway.online(NOW_US)

    run(test)


def test_a_frame_goes_to_the_network_and_counts():
    async def test(net):
        connection = await net.station()
        net.now_us += 17
        connection.says(text(UPDF))
        await connection.leaves()

    net = run(test)
    [reception] = net.uplinks.taken
    assert (reception.gateway, reception.phy, reception.received_us) == (EUI, UPDF_PHY, NOW_US + 17)
    assert net.server.gateways[EUI].frames == 1


def test_a_frame_that_the_network_cannot_take_is_counted():
    async def test(net):
        net.uplinks.full = True
        connection = await net.station()
        connection.says(text(UPDF))
        await connection.leaves()

    assert run(test).server.counts == {"overloaded": 1}


def test_messages_that_are_not_understood_are_counted_and_the_session_goes_on():
    told = []

    async def test(net):
        net.server.refused.append(lambda reason, detail: told.append((reason, detail)))
        connection = await net.station()
        for said in ("{", text(UPDF, DR=9), text(UPDF, MIC=None), text(VERSION, protocol=1), b"\0\1", '{"msgtype":"alarm"}'):
            connection.says(said)
        connection.says('{"msgtype":"of its own"}')
        connection.says(text(UPDF))
        await connection.leaves()

    net = run(test)
    assert net.server.counts == {"bad_station_message": 4, "station_binary": 1, "station_alarm": 1, "station_unknown": 1}
    assert (len(net.uplinks.taken), net.server.gateways[EUI].not_taken) == (1, 4)
    assert all(reason == "bad_station_message" and f"gateway {EUI:016x}" in detail for reason, detail in told)


def test_a_station_that_asks_gets_gps_time():
    async def test(net):
        connection = await net.station()
        connection.says('{"msgtype":"timesync","txtime":1234567}')
        answer = station.decode_from_server(await connection.hears())
        gps_us = NOW_US - 315_964_800_000_000 + 18_000_000
        assert answer == station.TimeSync(txtime_us=1234567, gps_us=gps_us, mux_time_s=NOW_US / 1_000_000)

    run(test)


def test_a_new_session_of_a_station_ends_the_one_before_and_gets_its_orders():
    async def test(net):
        old = await net.station()
        new = await net.station()
        assert await old.hears() == {"type": "websocket.close", "code": 4000}
        await old.leaves()
        assert net.server.transmit(transmission(EUI))
        assert isinstance(station.decode_from_server(await new.hears()), station.Downlink)
        assert net.server.gateways[EUI].online(net.now_us)

    assert run(test).server.counts["station_replaced"] == 1


# -- orders


def test_an_order_is_sent_and_ends_with_the_word_of_the_station():
    async def test(net):
        connection = await net.station()
        order = transmission(EUI, tmst_us=1, delay_us=1_000_000, context=CONTEXT.pack(XTIME, 3))
        assert net.server.transmit(order)
        said = station.decode_from_server(await connection.hears())
        assert isinstance(said, station.Downlink)
        assert (said.xtime, said.rctx, said.device_class) == (XTIME, 3, 0)
        connection.says(f'{{"msgtype":"dntxed","diid":{said.diid}}}')
        connection.says(f'{{"msgtype":"dntxed","diid":{said.diid}}}')
        await connection.leaves()
        assert net.results == [(order, TxResult.OK)]

    assert run(test).server.counts == {"tx_ok": 1, "tx_ack_unknown": 1}


def test_an_order_without_a_word_ends_by_the_clock_counted_from_when_it_should_be_on_the_air():
    async def test(net):
        await net.station()
        order = transmission(EUI, start_us=NOW_US + 1_000_000)
        net.server.transmit(order)
        until_us = NOW_US + 1_000_000 + station_server.TX_ANSWER_US
        net.server.outbox.expire(until_us - 1)
        assert net.results == []
        net.server.outbox.expire(until_us)
        assert net.results == [(order, TxResult.NO_ANSWER)]

    run(test)


def test_without_a_session_or_before_its_configuration_there_is_no_path():
    async def test(net):
        assert not net.server.transmit(transmission(EUI))
        connection = await Connection(net.server, PATH).accepted()
        assert not net.server.transmit(transmission(EUI))
        await connection.leaves()

    assert [result for _, result in run(test).results] == [TxResult.NO_PATH] * 2


def test_a_window_that_a_station_does_not_have_is_no_path():
    async def test(net):
        await net.station()
        assert not net.server.transmit(transmission(EUI, tmst_us=1, delay_us=1_500_000, context=CONTEXT.pack(1, 1)))

    net = run(test)
    assert [result for _, result in net.results] == [TxResult.NO_PATH]
    assert net.server.counts["station_order"] == 1


def test_a_station_that_does_not_read_holds_a_bounded_number_of_orders():
    async def test(net):
        await net.station()
        taken = [net.server.transmit(transmission(EUI)) for _ in range(station_server.OUT_MAX + 3)]
        assert taken == [True] * station_server.OUT_MAX + [False] * 3

    assert [result for _, result in run(test).results] == [TxResult.NO_PATH] * 3


# -- CUPS


def http(net, path, *, token="", method="POST", body=b'{"router":"b827:ebff:fe01:203"}'):
    return Connection(net.server, path, token=token, kind="http", method=method, body=body)


@pytest.mark.parametrize(
    ("said", "status", "answer"),
    [
        ({"path": "/update-info", "token": "secret"}, 200, cups.NO_CHANGE),
        ({"path": "/update-info", "token": "other"}, 401, b""),
        ({"path": "/update-info", "token": "secret", "body": b"{}"}, 400, b""),
        ({"path": "/update-info", "token": "secret", "body": b" " * 20_000}, 400, b""),
        ({"path": "/update-info", "token": "secret", "method": "GET"}, 404, b""),
        ({"path": "/", "token": "secret"}, 404, b""),
    ],
)
def test_cups_answers_that_nothing_changes_to_stations_that_may_connect(said, status, answer):
    async def test(net):
        connection = http(net, **said)
        start, body = await connection.out.get(), await connection.out.get()
        assert (start["status"], body["body"]) == (status, answer)

    run(test, LOCKED)


def test_a_body_that_comes_in_pieces_is_read_whole_and_not_beyond_its_limit():
    async def test(net):
        connection = http(net, "/update-info", token="secret", body=b"")
        connection.into.get_nowait()
        for piece in (b'{"rou', b'ter":"b827:ebff:fe01:203"', b"}"):
            connection.into.put_nowait({"type": "http.request", "body": piece, "more_body": piece != b"}"})
        assert (await connection.out.get())["status"] == 200
        endless = http(net, "/update-info", token="secret", body=b"")
        endless.into.get_nowait()
        for _ in range(3):
            endless.into.put_nowait({"type": "http.request", "body": b" " * 9_000, "more_body": True})
        assert (await endless.out.get())["status"] == 400

    run(test, LOCKED)


def test_a_station_whose_writer_fails_leaves_nothing_behind():
    async def test(net: Net):
        async def fails(message):
            if message["type"] == "websocket.send":
                raise OSError("gone")

        into: asyncio.Queue[Any] = asyncio.Queue()
        for said in ({"type": "websocket.connect"}, {"type": "websocket.receive", "text": text(VERSION)}):
            into.put_nowait(said)
        scope = {"type": "websocket", "path": PATH, "headers": [], "scheme": "ws", "server": ("h", 1)}
        task = asyncio.get_running_loop().create_task(net.server(scope, into.get, fails))
        into.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await task
        assert not net.server.gateways[EUI].online(net.now_us)
        assert not net.server.transmit(transmission(EUI))

    run(test)
