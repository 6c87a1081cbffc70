"""The array kernel: frame by frame what the world of events decides, and the limits that have a closed form."""

import math
from collections import defaultdict, deque
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.region import region
from nyala.sim.radio import RadioWorld, radio_profile
from nyala.sim.radio.arrays import Frames, Sends, fates, overlaps
from nyala.sim.radio.fate import Fate
from nyala.sim.radio.traffic import Fleet, Mix, draw_traffic

REGION = region("AS923-2")
NONE = np.zeros(0, np.int64)
SILENT = Sends(NONE, NONE, NONE)


@pytest.mark.parametrize("name", ["oulu", "hata", "ns3", "lorasim"])
@pytest.mark.parametrize("seed", [1])
def test_the_kernel_decides_every_frame_of_a_crowded_trace_as_the_world_does(name, seed):
    """2,000 frames of 60 meters in 100 s on 4 channels, 3 gateways of which one sends a lot, bursts where the place has any."""
    profile, random = radio_profile(name), Random(seed)
    world = RadioWorld(60, 3, random, profile=profile)
    plan = sorted(
        (random.randrange(100_000_000), random.randrange(60) if random.random() < 0.97 else ~random.randrange(3))
        for _ in range(2_000)
    )
    sent = []
    for start_us, sender in plan:
        rate = REGION.data_rate(random.randint(0, 5))
        times = (start_us, start_us + airtime_us(24, rate.sf, crc=sender >= 0))
        sent.append(world.begin(sender, b"", 921_400_000 + 200_000 * random.randrange(4), rate, 16.0, times))
    world._by_frequency = defaultdict(
        deque, {hz: deque(f for f in sent if f.frequency_hz == hz) for hz in {f.frequency_hz for f in sent}}
    )
    uplinks, downlinks = (
        [f for f in sent if f.sender >= 0],
        sorted((f for f in sent if f.sender < 0), key=lambda f: (~f.sender, f.start_us)),
    )
    world._gateway_sends = defaultdict(
        deque, {g: deque((f.start_us, f.end_us) for f in downlinks if ~f.sender == g) for g in range(3)}
    )
    early = [f.start_us + profile.early_symbols * ((1 << f.sf) * 8) for f in uplinks]
    frames = Frames(
        start_us=np.array([f.start_us for f in uplinks]),
        end_us=np.array([f.end_us for f in uplinks]),
        channel=np.array([f.frequency_hz for f in uplinks]),
        sf=np.array([f.sf for f in uplinks]),
        rssi_dbm=np.array([[16.0 - world.links.loss_db[g, f.sender] for f in uplinks] for g in range(3)]),
        burst_mw=np.array(
            [world.interference.power_mw(f.frequency_hz, at, f.end_us) for f, at in zip(uplinks, early, strict=True)]
        ),
    )
    sends = Sends(
        np.array([~f.sender for f in downlinks]),
        np.array([f.start_us for f in downlinks]),
        np.array([f.end_us for f in downlinks]),
    )
    found = fates(profile, frames, sends)
    for gateway in range(3):
        decided = []
        for frame in uplinks:
            before = world.counts.copy()
            world.at_gateway(frame, gateway)
            decided.append(Fate[next(iter(world.counts - before)).upper()])
        assert [Fate(int(each)) for each in found[gateway]] == decided
    assert {Fate.HEARD, Fate.COLLIDED, Fate.DEAF} <= {Fate(int(each)) for each in found.ravel()}


spans = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda s: (s[0], s[0] + s[1])), max_size=12)


@given(spans, spans)
def test_overlaps_are_counted_as_one_by_one(asked, there):
    there = sorted(there)
    (from_us, to_us), (start_us, end_us) = (np.array(each, np.int64).reshape(-1, 2).T for each in (asked, there))
    expected = [sum(start < to and begin < end for start, end in there) for begin, to in asked]
    assert list(overlaps(from_us, to_us, start_us, end_us)) == expected


def one_spreading_factor(count, sf=7):
    air_us = airtime_us(24, sf)
    return Fleet(np.full(count, sf), np.ones(count, int), np.full(count, air_us), np.full((1, count), -100.0)), air_us


@pytest.mark.parametrize("load", [0.02, 0.1, 0.3])
def test_without_capture_one_spreading_factor_is_pure_aloha(load):
    """Abramson 1970: exp(-2 G).  2,000 meters, 100,000 frames; the bound is 5 deviations of that many (correlated) frames."""
    profile = replace(radio_profile("oulu"), capture="aloha", early_symbols=0, demodulators=10_000)
    fleet, air_us = one_spreading_factor(2_000)
    mix = Mix(report_s=2_000 * air_us / 1e6 / load, answered=0.0, channels=1)
    frames, sends = draw_traffic(profile, fleet, mix, 50, seed=1)
    heard = (fates(profile, frames, sends) == Fate.HEARD).mean()
    expected = math.exp(-2 * load)
    assert heard == pytest.approx(expected, abs=5 * 2 * math.sqrt(expected * (1 - expected) / 100_000))


@pytest.mark.parametrize(("channels", "load"), [(8, 0.1), (4, 0.2)])
def test_channels_share_the_load(channels, load):
    profile = replace(radio_profile("oulu"), capture="aloha", early_symbols=0, demodulators=10_000)
    fleet, air_us = one_spreading_factor(2_000)
    mix = Mix(report_s=2_000 * air_us / 1e6 / load / channels, answered=0.0, channels=channels)
    frames, sends = draw_traffic(profile, fleet, mix, 50, seed=2)
    expected = math.exp(-2 * load)
    assert (fates(profile, frames, sends) == Fate.HEARD).mean() == pytest.approx(expected, abs=0.016)


def test_the_demodulator_limit_is_the_loss_formula_of_erlang():
    """Frames on channels of their own collide with nothing: Erlang's B for 8 servers at 4 Erlang is 3.04 %."""
    profile, count = replace(radio_profile("oulu"), early_symbols=0), 200_000
    random = np.random.default_rng(1)
    start_us = np.sort(random.integers(0, count * 25_000, count))
    frames = Frames(
        start_us, start_us + 100_000, np.arange(count), np.full(count, 7), np.full((1, count), -100.0), np.zeros(count)
    )
    load, servers = 4.0, profile.demodulators
    terms = [load**n / math.factorial(n) for n in range(servers + 1)]
    blocked = (fates(profile, frames, SILENT) == Fate.NO_PATH).mean()
    assert blocked == pytest.approx(terms[-1] / sum(terms), rel=0.08)


def test_a_gateway_that_sends_loses_the_share_of_frames_that_overlap_its_sends():
    """A send of length s and a frame of length f meet in a share (s + f) / gap of the time."""
    profile = replace(radio_profile("oulu"), early_symbols=0)
    count, gap_us, send_us, frame_us = 50_000, 1_000_000, 200_000, 50_000
    start_us = np.sort(np.random.default_rng(3).integers(0, count * gap_us, count))
    frames = Frames(
        start_us, start_us + frame_us, np.arange(count), np.full(count, 7), np.full((1, count), -100.0), np.zeros(count)
    )
    sends_us = np.arange(count) * gap_us
    found = fates(profile, frames, Sends(np.zeros(count, int), sends_us, sends_us + send_us))
    assert (found == Fate.DEAF).mean() == pytest.approx(0.25, abs=0.01)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_the_same_seed_draws_the_same_traffic_in_order(seed, periods):
    fleet, _ = one_spreading_factor(50)
    mix, profile = Mix(60.0, 0.1, 8), radio_profile("hata")
    (one, sends), (two, _) = (draw_traffic(profile, fleet, mix, periods, seed) for _ in range(2))
    assert (one.start_us == two.start_us).all()
    assert (one.channel == two.channel).all()
    assert (np.diff(one.start_us) >= 0).all()
    assert len(one.start_us) == 50 * periods
    assert (np.diff(sends.start_us) >= 0).all()
    assert (sends.end_us > sends.start_us).all()
