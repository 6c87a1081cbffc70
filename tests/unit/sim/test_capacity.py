"""How many meters a gateway carries: the answer, its parts, and that the kernel stands for the full simulation."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.network.plan import indonesia
from nyala.sim import setup
from nyala.sim.radio import OnAir, radio_profile
from nyala.sim.radio.arrays import Frames, Sends, fates
from nyala.sim.radio.capacity import CURVE_FIRST, Point, Question, Study, capacity, measure, meets
from nyala.sim.radio.fate import Fate
from nyala.sim.radio.links import Links
from nyala.sim.radio.traffic import Fleet, Mix, make_fleet, settled_link
from nyala.sim.setup import Scenario, Stage
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store.engine import open_engine
from nyala.twin.state import Reporting
from nyala.vocab.errors import BadArgumentError, UnknownError

PLAN = indonesia()

# -- the kernel against the full simulation

METERS, REPORT_S, WARM_UP_S, SPAN_S = 120, 120, 900, 1_200
DRAWS = 60


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """120 meters that report each 2 minutes on two channels: 0.15 Erlang each, so that what is lost can be counted.

    Meters, network server, gateway and store as in `nyala simulate`, on virtual time; joins and the first quarter of an hour
    are not looked at.  No ADR, so that the mix stands still.
    """
    plan = replace(PLAN, channels_hz=(), adr=False, dev_status_uplinks=0)
    reporting = Reporting(report_s=REPORT_S, live_s=REPORT_S, offset_min_s=0)
    scenario = Scenario(meters=METERS, days=1, gateways=1, reporting=reporting)
    frames: list[OnAir] = []

    async def live(stage: Stage) -> int:
        world = stage.world
        stage.host.start()
        world.start()
        await asyncio.sleep(WARM_UP_S)
        world.watchers.append(frames.append)
        before = world.radio.counts["delivered"]
        await asyncio.sleep(SPAN_S)
        delivered = world.radio.counts["delivered"] - before
        world.stop()
        await stage.host.stop()
        return delivered

    with pytest.MonkeyPatch.context() as patch, asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        patch.setattr(setup, "network_plan", lambda _: plan)
        stage = setup.build(runner.get_loop(), scenario, open_engine(str(tmp_path_factory.mktemp("full")), durable=False))
        delivered = runner.run(live(stage))
    return stage, frames, delivered


def test_the_kernel_replays_the_full_simulation_frame_by_frame(full):
    """The frames that were on the air, given to the kernel: the same number reaches the gateway, but for those at the edges."""
    stage, frames, delivered = full
    up, down = ([f for f in frames if (f.sender >= 0) == uplink] for uplink in (True, False))
    loss_db = stage.world.radio.links.loss_db[0]
    found = fates(
        stage.world.radio.profile,
        Frames(
            np.array([f.start_us for f in up]),
            np.array([f.end_us for f in up]),
            np.array([f.frequency_hz for f in up]),
            np.array([f.sf for f in up]),
            np.array([[f.eirp_dbm - loss_db[f.sender] for f in up]]),
            np.zeros(len(up)),
        ),
        Sends(np.zeros(len(down), int), np.array([f.start_us for f in down]), np.array([f.end_us for f in down])),
    )
    assert len(up) > 1_000
    assert (found == Fate.COLLIDED).sum() > 30
    assert abs(int((found == Fate.HEARD).sum()) - delivered) <= 2


def test_traffic_that_is_drawn_delivers_as_the_full_simulation_within_three_deviations(full):
    """A meter reports at one instant of each period, so that the same neighbours meet: the deviation is that of draws of
    those instants, taken from the kernel.  Mix, airtime and downlinks are those of the full run."""
    stage, frames, delivered = full
    up = [f for f in frames if f.sender >= 0]
    count = np.bincount([f.sender for f in up], minlength=METERS)
    air_us = np.bincount([f.sender for f in up], [f.end_us - f.start_us for f in up], minlength=METERS) / count
    last = {f.sender: f for f in up}
    sf, eirp_dbm = (np.array([getattr(last[row], name) for row in range(METERS)]) for name in ("sf", "eirp_dbm"))
    per_report = np.maximum(np.round(count * REPORT_S / SPAN_S), 1).astype(int)
    fleet = Fleet(sf, per_report, air_us.astype(int), eirp_dbm - stage.world.radio.links.loss_db)
    mix = Mix(REPORT_S, answered=(len(frames) - len(up)) / len(up), channels=2, locked=True)
    drawn = [
        measure(replace(Question(PLAN), seed=seed), fleet, mix, frames_wanted=len(up)).delivery_ratio for seed in range(DRAWS)
    ]
    mean, deviation = float(np.mean(drawn)), float(np.std(drawn))
    assert 0.003 < deviation < 0.03
    assert abs(delivered / len(up) - mean) < 3 * deviation


# -- the parts


def test_a_meter_with_a_good_link_ends_fast_and_quiet_and_one_at_the_floor_slow_and_loud():
    best, worst = settled_link(PLAN, 40.0), settled_link(PLAN, -14.9)
    assert best.data_rate == 5
    assert best.tx_power > 0
    assert (worst.data_rate, worst.tx_power) == (2, 0)


def test_a_report_that_a_data_rate_does_not_carry_is_sent_in_several_frames():
    links = Links(radio_profile("oulu"), 300, 1, Random(1))
    fleet = make_fleet(PLAN, links, 50)
    slow, fast = fleet.sf == 10, fleet.sf == 7
    assert slow.any()
    assert fast.any()
    assert set(fleet.frames[slow]) == {5}
    assert set(fleet.airtime_us[slow]) == {airtime_us(13 + 10, 10)}
    assert set(fleet.frames[fast]) == {1}
    assert set(fleet.airtime_us[fast]) == {airtime_us(13 + 50, 7)}


def test_the_first_meters_of_a_fleet_are_a_smaller_fleet_of_the_same_place():
    study = Study(Question(PLAN), meters_max=200)
    assert (study.fleet.first(50).sf == study.fleet.sf[:50]).all()
    assert study.measure(50) == study.measure(50)


def curve_point(meters, delivery):
    return Point(meters, 300_000, delivery, 1 - delivery, 0, 0, 0, meters / 1e5, 0)


@pytest.mark.parametrize(
    ("deliveries", "target", "expected"),
    [
        ([0.9999, 0.999, 0.99, 0.9], 0.99, 400),
        ([0.9999, 0.999, 0.99, 0.9], 0.999, 200),
        ([0.9999, 0.999, 0.98], 0.99, 340),
        ([0.98, 0.9], 0.99, 0),
        ([0.9999, 0.9995], 0.99, 200),
    ],
)
def test_the_number_that_meets_a_target_lies_between_the_points_of_the_curve(deliveries, target, expected):
    points = [curve_point(100 * 2**i, delivery) for i, delivery in enumerate(deliveries)]
    assert meets(points, target) == pytest.approx(expected, abs=1)


# -- the answer


@pytest.fixture(scope="module")
def answer():
    return capacity(Question(PLAN, meters=300, report_s=900))


def test_the_answer_names_its_figures_and_the_curve_falls(answer):
    curve = answer["curve"]
    assert [point["meters"] for point in curve] == sorted(point["meters"] for point in curve)
    assert curve[0]["meters"] == CURVE_FIRST
    lost = [1 - point["delivery_ratio"] for point in curve]
    assert all(later > 0.9 * earlier for earlier, later in pairwise(lost))
    for point in curve:
        parts = sum(point[f"{name}_ratio"] for name in ("delivery", "collision", "demodulator", "deaf", "burst"))
        assert parts == pytest.approx(1, abs=1e-5)
        assert point["delivery_ratio"] > point["aloha_ratio"]
    assert sum(answer["sf_share"].values()) == pytest.approx(1, abs=1e-3)
    assert answer["now"]["meters"] == 300


def test_the_numbers_meet_their_targets_and_what_is_left_is_the_rest(answer):
    assert 0 < answer["capacity"]["99.9"] < answer["capacity"]["99"]
    assert answer["more"] == {name: max(number - 300, 0) for name, number in answer["capacity"].items()}
    study = Study(Question(PLAN, report_s=900), meters_max=2_000)
    for name, target in (("99", 0.01), ("99.9", 0.001)):
        assert 1 - study.measure(answer["capacity"][name]).delivery_ratio == pytest.approx(target, rel=0.2)


def test_reports_four_times_as_often_fit_about_a_quarter_of_the_meters(answer):
    seldom = capacity(Question(PLAN, report_s=3_600))["capacity"]["99"]
    assert seldom / answer["capacity"]["99"] == pytest.approx(4, rel=0.25)


@pytest.mark.parametrize(
    ("wrong", "error", "why"),
    [
        ({"meters": -1}, BadArgumentError, "meters -1: 0 to 200000"),
        ({"report_s": 9}, BadArgumentError, "seconds between reports 9: 10 to 86400"),
        ({"payload_bytes": 0}, BadArgumentError, "payload bytes 0"),
        ({"gateways": 17}, BadArgumentError, "gateways 17"),
        ({"answered": 1.1}, BadArgumentError, "answered 1.1"),
        ({"profile": "moon"}, UnknownError, "moon"),
    ],
)
def test_a_question_without_sense_is_refused(wrong, error, why):
    with pytest.raises(error, match=why):
        Question(PLAN, **wrong).checked()
