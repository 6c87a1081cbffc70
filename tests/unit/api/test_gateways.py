"""The list of gateways: what the store knows, joined with what was heard since the start."""

import pytest

from nyala.api import describe_gateways
from nyala.api.describe_gateways import line_out
from nyala.gateway.known import Gateways, Link, Position, Status
from nyala.lorawan.network.port import TxResult
from nyala.store.gateways import GatewayLine

NOW_US = 1_760_000_000_000_000


def heard(eui=7, link=Link.SEMTECH_UDP):
    gateways = Gateways()
    gateway = gateways.seen(eui, link, NOW_US)
    assert gateway is not None
    return gateways, gateway


def test_a_gateway_of_the_store_that_said_nothing_since_the_start_is_unheard(estate):
    page = estate.get("gateways")
    assert page["total"] == len(page["items"]) == 1
    [line] = page["items"]
    assert (line["state"], line["link"], line["status"], line["sent"]) == ("unheard", None, None, 0)
    assert line["frames"] > 0


def test_a_gateway_that_was_only_heard_is_in_the_list_with_all_that_it_said():
    gateways, gateway = heard()
    gateway.online_us, gateway.address, gateway.software = NOW_US, "192.0.2.7:1", "linux 2.0.6"
    gateway.status = Status(NOW_US, 5, 4, 3, 99.5, 2, 1, 41.5)
    gateway.position = Position(-6.2, 106.8, 9.0)
    gateway.tx.update({TxResult.OK: 9, TxResult.TOO_LATE: 2, TxResult.NO_ANSWER: 1})
    [line] = describe_gateways.page_out({}, gateways, "", 10, NOW_US).items
    assert line.model_dump() == {
        "eui": "0000000000000007",
        "last_seen_s": NOW_US // 1_000_000,
        "frames": 0,
        "state": "online",
        "link": "semtech-udp",
        "address": "192.0.2.7:1",
        "software": "linux 2.0.6",
        "not_taken": 0,
        "sent": 9,
        "not_sent": {"NO_ANSWER": 1, "TOO_LATE": 2},
        "warnings": 0,
        "status": {
            "at_s": NOW_US // 1_000_000,
            "rx": 5,
            "rx_ok": 4,
            "rx_forwarded": 3,
            "acknowledged_percent": 99.5,
            "downlinks": 2,
            "transmitted": 1,
            "temperature_c": 41.5,
        },
        "position": {"latitude_deg": -6.2, "longitude_deg": 106.8, "altitude_m": 9.0},
    }


@pytest.mark.parametrize("link", list(Link))
def test_a_gateway_without_a_way_back_is_offline(link):
    _, gateway = heard(link=link)
    assert line_out("07", None, gateway, NOW_US).state == "offline"


def test_the_later_of_both_instants_is_when_it_was_last_seen():
    _, gateway = heard()
    stored = GatewayLine("07", NOW_US + 5_000_000, 3)
    line = line_out("07", stored, gateway, NOW_US)
    assert (line.last_seen_s, line.frames) == (NOW_US // 1_000_000 + 5, 3)


def test_pages_follow_each_other_by_eui_without_a_gap():
    gateways = Gateways()
    for eui in (9, 1, 5, 3, 7):
        gateways.seen(eui, Link.STATION, NOW_US)
    stored = {"0000000000000003": GatewayLine("0000000000000003", 1, 1), "0000000000000004": GatewayLine("x", 1, 1)}
    found, after = [], ""
    while True:
        page = describe_gateways.page_out(stored, gateways, after, 2, NOW_US)
        found += [int(line.eui, 16) for line in page.items]
        assert page.total == 6
        if page.next is None:
            break
        after = page.next
    assert found == [1, 3, 4, 5, 7, 9]
