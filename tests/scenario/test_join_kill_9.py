"""Law 5 with a real process: a JoinNonce that left is in the store after SIGKILL, and no session key comes twice."""

import subprocess
import sys
from itertools import pairwise
from random import Random
from typing import NamedTuple

import pytest

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.frame import JoinRequest
from nyala.lorawan.network.join import Accepted, join
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Reception
from nyala.store import meters
from nyala.store.engine import open_engine, upgrade
from tests.unit.store.filled import new_meter

DEVICES = 3
LIVES = 4
JOINING = """
import sys
from nyala.headend.ports import Changes
from nyala.store import meters
from nyala.store.engine import open_engine
from nyala.store.ingest import InlineWriter
from tests.scenario.test_join_kill_9 import begin

engine = open_engine(sys.argv[1])
with engine.connect() as connection:
    sessions = meters.load_sessions(connection)
writer = InlineWriter(engine)
for _ in range(100_000):
    for number in range(1, 4):
        accepted = begin(sessions, number)
        roots, rows, counted = sessions.take_changes()
        writer.execute(writer.prepare(Changes(roots=roots, sessions=rows, counted=counted)))
        root = sessions.root(0xD0000 + number)
        print(number, root.dev_nonce, root.join_nonce, accepted.session.nwk_s_key.value.hex(), flush=True)
"""
"""Joins for ever; a line is what leaves: an accept, after its commit."""


def begin(sessions, number):
    """The next join of a device."""
    root = sessions.root(0xD0000 + number)
    phy = JoinRequest(root.join_eui, root.dev_eui, root.dev_nonce + 1).signed(AesKey(number.to_bytes(16, "big")))
    at_us = (root.joined_us or 1_760_000_000_000_000) + 60_000_000
    accepted = join(phy, (Reception(1, phy, at_us, 921_400_000, 2, -90.0, 5.0, 0),), sessions, indonesia())
    assert isinstance(accepted, Accepted)
    return accepted


@pytest.fixture
def store(tmp_path):
    """A store with three devices."""
    engine = open_engine(str(tmp_path))
    upgrade(engine)
    meters.onboard(engine, meters.tenant_id(engine, "t"), [new_meter(number) for number in range(1, DEVICES + 1)])
    engine.dispose()
    return tmp_path


class Left(NamedTuple):
    """One accept that left: which device, its nonces, its key."""

    number: int
    dev_nonce: int
    join_nonce: int
    key: str

    @classmethod
    def of(cls, line):
        number, dev_nonce, join_nonce, key = line.split()
        return cls(int(number), int(dev_nonce), int(join_nonce), key)


def live(store, lines):
    """What left of a process that is killed after so many lines; the last one may be torn."""
    process = subprocess.Popen([sys.executable, "-c", JOINING, str(store)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    said += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    return [Left.of(line) for line in said if line.endswith("\n")]


def test_no_nonce_that_left_is_forgotten_by_kill_9_and_sessions_survive(store):
    random = Random(1)
    everything: list[Left] = []
    for _ in range(LIVES):
        left = live(store, random.randrange(5, 60))
        everything += left
        engine = open_engine(str(store))
        with engine.connect() as connection:
            sessions = meters.load_sessions(connection)
        engine.dispose()
        for last in {each.number: each for each in left}.values():
            root, session = sessions.root(0xD0000 + last.number), sessions.of_device(0xD0000 + last.number)
            assert session is not None
            assert root.join_nonce in (last.join_nonce, last.join_nonce + 1)  # the next was stored, and had not left
            if root.join_nonce == last.join_nonce:
                assert (root.dev_nonce, session.nwk_s_key.value.hex()) == (last.dev_nonce, last.key)
    for number in range(1, DEVICES + 1):
        given = [each.join_nonce for each in everything if each.number == number]
        assert all(a < b for a, b in pairwise(given))
    assert len({each.key for each in everything}) == len(everything)
