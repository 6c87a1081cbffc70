"""DevNonces: what is new, what is a copy, what is a lost memory; and that no pair of nonces makes two sessions."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.network import nonces
from nyala.lorawan.network.nonces import LATE_US, REMEMBERED, Verdict
from nyala.lorawan.network.sessions import Root
from nyala.vocab.errors import ConflictError

NOW_US = 1_760_000_000_000_000
LATER_US = NOW_US + LATE_US + 1


def root(version="1.0.4", *used):
    made = Root(1, 2, AesKey(bytes(16)), 3, version=version)
    for nonce in used:
        nonces.use(made, nonce, NOW_US)
    return made


def test_the_first_nonce_of_a_device_is_new_whatever_it_is():
    for version in ("1.0.3", "1.0.4"):
        assert {nonces.judge(root(version), nonce, NOW_US) for nonce in (0, 1, 65_535)} == {Verdict.NEW}


RULES = [
    ("1.0.4", 8, NOW_US, Verdict.NEW),
    ("1.0.4", 7, NOW_US + LATE_US, Verdict.AGAIN),
    ("1.0.4", 6, NOW_US + LATE_US, Verdict.LATE),
    ("1.0.4", 7, LATER_US, Verdict.USED),
    ("1.0.4", 0, LATER_US, Verdict.USED),
    ("1.0.3", 8, NOW_US, Verdict.NEW),
    ("1.0.3", 0, LATER_US, Verdict.NEW),
    ("1.0.3", 7, NOW_US + LATE_US, Verdict.AGAIN),
    ("1.0.3", 5, NOW_US + LATE_US, Verdict.LATE),
    ("1.0.3", 5, LATER_US, Verdict.USED),
]


@pytest.mark.parametrize(("version", "nonce", "now_us", "verdict"), RULES)
def test_after_5_and_7_a_nonce_is_what_the_version_says(version, nonce, now_us, verdict):
    assert nonces.judge(root(version, 5, 7), nonce, now_us) is verdict


def test_a_join_of_an_older_nyala_has_no_instant_and_its_nonces_are_used():
    device = root("1.0.4", 7)
    device.joined_us = None
    assert nonces.judge(device, 7, NOW_US) is Verdict.USED


def test_of_random_nonces_the_last_ones_are_remembered_and_no_more():
    device = root("1.0.3", *range(REMEMBERED + 1))
    assert len(device.used_nonces) == 2 * REMEMBERED
    assert nonces.judge(device, 0, LATER_US) is Verdict.NEW
    assert nonces.judge(device, 1, LATER_US) is Verdict.USED


def test_a_refusal_is_dated_by_its_first_and_named_by_its_last():
    device = root("1.0.4", 90)
    nonces.refuse(device, 0, LATER_US)
    nonces.refuse(device, 3, LATER_US + 5)
    assert (device.refused_us, device.refused_nonce) == (LATER_US, 3)


def test_re_admission_forgets_the_nonces_keeps_the_join_nonce_and_says_who_and_what_was():
    device = root("1.0.4", 80, 90)
    nonces.refuse(device, 3, LATER_US)
    done = nonces.readmit(device, "ani", LATER_US + 9, "key-1")
    assert (done.at_us, done.by, done.dev_nonce, done.refused_nonce, done.key) == (LATER_US + 9, "ani", 90, 3, "key-1")
    assert (device.dev_nonce, device.join_nonce, device.refused_us, device.refused_nonce) == (-1, 2, None, None)
    assert nonces.judge(device, 4, LATER_US + 10) is Verdict.NEW


def test_a_join_ends_the_need_of_re_admission():
    device = root("1.0.4", 90)
    nonces.refuse(device, 3, LATER_US)
    nonces.use(device, 91, LATER_US)
    assert (device.refused_us, device.refused_nonce) == (None, None)


def test_a_device_that_does_not_need_it_is_not_re_admitted():
    device = root("1.0.4", 90)
    with pytest.raises(ConflictError, match="device 0000000000000001 needs no re-admission"):
        nonces.readmit(device, "ani", NOW_US)
    assert device.dev_nonce == 90


# -- against a model that remembers everything

steps = st.lists(st.tuples(st.integers(0, 12) | st.just("readmit"), st.sampled_from([1, LATE_US + 1])), max_size=40)


def joins(version: str, story: list[tuple[int | str, int]]) -> Iterator[tuple[int, int, int]]:
    """(re-admission, DevNonce, JoinNonce) of every join that a story leads to."""
    device, era, now_us = root(version), 0, NOW_US
    for what, after_us in story:
        now_us += after_us
        if isinstance(what, str):
            if device.refused_us is not None:
                nonces.readmit(device, "ani", now_us)
                era += 1
            continue
        verdict = nonces.judge(device, what, now_us)
        if verdict is Verdict.NEW:
            nonces.use(device, what, now_us)
            yield era, what, device.join_nonce
        elif verdict is Verdict.USED:
            nonces.refuse(device, what, now_us)


@given(st.sampled_from(["1.0.3", "1.0.4"]), steps)
def test_between_two_re_admissions_no_nonce_makes_two_sessions_and_join_nonces_always_rise(version, story):
    made = list(joins(version, story))
    assert len({(era, nonce) for era, nonce, _ in made}) == len(made)
    assert [given for *_, given in made] == list(range(1, len(made) + 1))
    if version == "1.0.4":
        assert all(a[0] < b[0] or a[1] < b[1] for a, b in pairwise(made))
