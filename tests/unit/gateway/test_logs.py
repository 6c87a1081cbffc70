"""What a centre refuses is told in one line, and a flood is cut off."""

import pytest
from structlog.testing import capture_logs

from nyala import logs
from nyala.app import Centre
from nyala.gateway import semtech_udp as udp
from nyala.headend.service import RefusedTelegram
from nyala.lorawan.network.port import Refusal, Refused
from nyala.store.engine import open_engine, upgrade
from nyala.store.ingest import InlineWriter


@pytest.fixture
def centre(tmp_path):
    engine = open_engine(str(tmp_path))
    upgrade(engine)
    yield Centre(engine, InlineWriter(engine), lambda: 0)
    engine.dispose()


def test_each_refusal_is_one_line_that_says_what_and_where(centre):
    with capture_logs() as lines:
        logs.watch(centre)
        centre.udp.datagram_received(b"\x02\x00\x00", ("192.0.2.7", 1700))
        centre.udp.datagram_received(udp.encode_push_data(1, 7, [udp.RxPk(0, 921.4, "SF99BW125", "AA==")]), ("192.0.2.7", 1700))
        for listener in centre.ingest.refused:
            listener(Refused(Refusal.BAD_MIC, "no key of DevAddr 00000001 signed FCnt 4", ()))
        for telegram in centre.headend.refused:
            telegram(RefusedTelegram("SM-1", 99, b"\x01", "no telegram has port 99"))
    assert [line["event"] for line in lines] == ["gateway message refused"] * 2 + ["uplink refused", "telegram refused"]
    assert "192.0.2.7" in lines[0]["detail"]
    assert "SF99BW125" in lines[1]["detail"]
    assert lines[2]["reason"] == "bad_mic"
    assert (lines[3]["meter"], lines[3]["payload"]) == ("SM-1", "01")


def test_a_flood_fills_counters_and_not_the_log(centre):
    with capture_logs() as lines:
        logs.watch(centre)
        for _ in range(10 * logs.LINES_PER_MINUTE):
            centre.udp.datagram_received(b"", ("192.0.2.7", 1700))
    assert len(lines) == logs.LINES_PER_MINUTE
    assert centre.udp.counts["bad_datagram"] == 10 * logs.LINES_PER_MINUTE


def test_an_ordinary_repeat_is_not_told(centre):
    with capture_logs() as lines:
        logs.watch(centre)
        for listener in centre.ingest.refused:
            listener(Refused(Refusal.REPEATED, "again", ()))
    assert lines == []
