"""Frame counters and addresses: a reset told from a rollover, thousands of sessions on a few addresses; histories."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.frame import DataFrame, FType, mic_holds, seal
from nyala.lorawan.network import history, uplink
from nyala.lorawan.network.history import MISSED_MAX, UPLINKS
from nyala.lorawan.network.port import Reception, Refusal, Refused, Uplink
from nyala.lorawan.network.sessions import Root, SessionRow, Sessions
from nyala.lorawan.network.uplink import FADE_DB, RESET_AFTER, WAYS_MAX, Identified, identify, way_back
from tests.unit.lorawan.harness import DEV_ADDR, Air

SETTINGS = {"data_rate": 5}


def spoken(air: Air, following: int) -> Air:
    """A device that has said so many uplinks."""
    air.join()
    air.send()
    air.activation.f_cnt_up = air.session.f_cnt_up = following
    air.send(b"before")
    return air


def sealed(air: Air, f_cnt: int) -> bytes:
    frame = DataFrame(FType.UNCONFIRMED_UP, DEV_ADDR, f_cnt, f_port=10, payload=b"new %d" % f_cnt)
    return seal(frame, air.activation.nwk_s_key, air.activation.app_s_key)


def says(air: Air, *f_cnts: int) -> list[str]:
    before = len(air.refusals)
    for f_cnt in f_cnts:
        air.inject(sealed(air, f_cnt))
        air.run(5)
    return air.refusals[before:]


@pytest.mark.parametrize("following", [200, 0xFFF0, 0x10010, 0x2FFFF])
@pytest.mark.parametrize("first", [0, 1])
def test_a_device_that_counts_from_the_beginning_again_is_shown_and_not_taken(following, first):
    air = spoken(Air(), following)
    row = SessionRow.of(air.session)
    assert says(air, first, first + 1, first + 5) == ["counter_reset"] * 3
    assert "must join" in air.heard(Refused)[-1].detail
    assert air.server.refusals[Refusal.COUNTER_RESET] == 3
    assert SessionRow.of(air.session) == row
    assert air.payloads[-1] == b"before"


def test_a_reset_whose_first_uplinks_were_lost_is_known_by_the_second_one_that_is_heard():
    air = spoken(Air(), 500)
    assert says(air, 7, 9, 10) == ["replayed", "counter_reset", "counter_reset"]


def test_a_rollover_is_taken_and_is_no_reset():
    air = spoken(Air(), 0xFFFE)
    assert says(air, 0xFFFF, 0x10000, 0x10001, 0x10002) == []
    assert [up.f_cnt for up in air.heard(Uplink)][-4:] == [0xFFFF, 0x10000, 0x10001, 0x10002]
    assert says(air, 0x0002, 0xFFFF) == ["replayed", "replayed"]


def test_single_old_frames_are_replays():
    air = spoken(Air(), 500)
    assert says(air, 400, 300, 450, 200) == ["replayed"] * 4
    near = spoken(Air(), RESET_AFTER - 1)
    assert says(near, 0, 1) == ["replayed", "replayed"]


def test_a_device_that_joins_after_a_reset_is_heard_again():
    air = spoken(Air(), 500)
    assert says(air, 0) == ["counter_reset"]
    air.device.start_join(air.now_us)
    air.run(30)
    air.send(b"again")
    assert air.payloads[-1] == b"again"


def fleet(count: int, addresses: int, counters: Random | None) -> tuple[Sessions, list[SessionRow]]:
    random, sessions, rows = Random(7), Sessions(), []
    for number in range(count):
        keys = random.randbytes(16), random.randbytes(16)
        f_cnt = counters.randrange(60_000) if counters else 1_000
        ways = ((number % 20, 3.0),)
        row = SessionRow(number, 0xFE000000 + number % addresses, *keys, f_cnt, 0, True, SETTINGS, ways)
        sessions.add_root(Root(number, 0, AesKey(bytes(16)), row.dev_addr))
        sessions.restore(row)
        rows.append(row)
    return sessions, rows


@pytest.mark.parametrize(("addresses", "counters", "mean"), [(10_000, None, 1), (128, Random(3), 1.2), (128, None, 9)])
def test_ten_thousand_sessions_on_one_prefix_cost_few_mics_each(monkeypatch, addresses, counters, mean):
    # a NetID of type 7 has 7 bits of address: 78 sessions on each, 39 tries one after the other; the last fleet counts alike
    sessions, rows = fleet(10_000, addresses, counters)
    tries = 0

    def counted(phy: bytes, frame: DataFrame, f_cnt: int, key: AesKey) -> bool:
        nonlocal tries
        tries += 1
        return mic_holds(phy, frame, f_cnt, key)

    monkeypatch.setattr(uplink, "mic_holds", counted)
    asked = rows[::25]
    for row in asked:
        frame = DataFrame(FType.UNCONFIRMED_UP, row.dev_addr, row.f_cnt_up + 2, f_port=1, payload=b"x")
        phy = seal(frame, AesKey(row.nwk_s_key), AesKey(row.app_s_key))
        found = identify(phy, (Reception(row.dev_eui % 20, phy, 0, 921_400_000, 5, -90.0, 3.0, 0),), sessions)
        assert isinstance(found, Identified)
        assert found.session.dev_eui == row.dev_eui
    assert tries <= mean * len(asked)


def test_a_session_whose_key_signs_is_found_however_unlikely_it_was():
    sessions, rows = fleet(300, 1, Random(5))
    for row in rows[::37]:
        f_cnt = row.f_cnt_up + 5_000
        phy = seal(
            DataFrame(FType.UNCONFIRMED_UP, row.dev_addr, f_cnt, f_port=1, payload=b"x"),
            AesKey(row.nwk_s_key),
            AesKey(row.app_s_key),
        )
        found = identify(phy, (Reception(99, phy, 0, 921_400_000, 5, -90.0, 3.0, 0),), sessions)
        assert isinstance(found, Identified)
        assert (found.session.dev_eui, found.f_cnt) == (row.dev_eui, f_cnt)


# -- the ways back


def heard(*ways: tuple[int, float]) -> tuple[Reception, ...]:
    return tuple(Reception(gateway, b"", 0, 921_400_000, 5, -90.0, snr_db, 0) for gateway, snr_db in ways)


def test_gateways_that_missed_an_uplink_fade_and_are_forgotten():
    ways = way_back((), heard((1, 8.0), (2, 2.0), (2, -3.0)))
    assert ways == ((1, 8.0), (2, 2.0))
    ways = way_back(ways, heard((2, 3.0)))
    assert ways == ((2, 3.0), (1, 8.0 - FADE_DB))
    for _ in range(4):
        ways = way_back(ways, heard((2, 3.0)))
    assert ways == ((2, 3.0),)


def test_only_so_many_ways_are_kept():
    ways = way_back((), heard(*[(n, 5.0 - n) for n in range(20)]))
    assert ways == tuple((n, 5.0 - n) for n in range(WAYS_MAX))


# -- history

uplinks = st.lists(st.tuples(st.integers(-120, 127), st.integers(0, 400)), max_size=50)


@given(uplinks)
def test_a_history_says_what_was_remembered(said):
    kept = b""
    for quarters, missed in said:
        kept = history.remember(kept, quarters / 4, missed)
    last = said[-UPLINKS:]
    found = history.read(kept)
    assert found.snr_db == tuple(quarters / 4 for quarters, _ in last)
    assert found.missed == sum(min(missed, MISSED_MAX) for _, missed in last[1:])
    assert len(kept) == 2 * len(last)


def test_the_loss_is_known_once_the_history_is_full():
    kept = b""
    for n in range(UPLINKS):
        assert history.read(kept).loss is None
        kept = history.remember(kept, 100.0 if n % 2 else -100.0, 1 if n % 4 == 1 else 0)
    assert history.read(kept).loss == 5 / 25
    assert set(history.read(kept).snr_db) == {-32.0, 31.75}
