"""The DevNonces of a device: which join requests are new, which are copies, which come from a device that lost its memory.

1.0.4 (TS001-1.0.4 section 6.2.3): the nonce is a counter that rises.  1.0.3 (section 6.2.4): it is random, and a server
remembers some of the used ones; here the last `REMEMBERED` of them, two bytes each.

A request with a right MIC and a nonce that is not new is one of three: a copy that a slow gateway brings late, a replay,
or a meter that lost its memory and counts from the beginning again.  Soon after the last join it is taken for a copy.
Later it is noted in the root (`refused_us`, `refused_nonce`): the meter needs re-admission.  A replay looks the same to the
byte, so the note ends with the next uplink of the session that is there: a meter that can talk has lost nothing.
`docs/adr/0015-readmission.md` says what re-admission gives away.
"""

from enum import StrEnum
from struct import Struct
from typing import Final

from nyala.lorawan.network.sessions import Readmission, Root
from nyala.vocab.errors import ConflictError
from nyala.vocab.time import US_PER_S

REMEMBERED: Final = 2_048
"""Random nonces that are remembered of one device, 4 KiB: a join a day for five years."""
LATE_US: Final = 600 * US_PER_S
"""So long after a join an old nonce is a copy that was on its way, and no sign of a lost memory."""
_NONCE: Final = Struct("<H")


class Verdict(StrEnum):
    """What a join request with a right MIC is."""

    NEW = "new"
    AGAIN = "again"
    """The request that made the last session, once more."""
    LATE = "late"
    """An old one that was on its way."""
    USED = "used"
    """A replay, or a lost memory."""


def judge(root: Root, dev_nonce: int, now_us: int) -> Verdict:
    """What a request with this nonce is; changes nothing."""
    used = dev_nonce in _remembered(root) if root.random_nonces else dev_nonce <= root.dev_nonce
    if not used:
        return Verdict.NEW
    if root.joined_us is None or now_us - root.joined_us > LATE_US:
        return Verdict.USED
    return Verdict.AGAIN if dev_nonce == root.dev_nonce else Verdict.LATE


def use(root: Root, dev_nonce: int, now_us: int) -> None:
    """Notes a nonce as the last one used, and gives the JoinNonce that goes with it."""
    root.dev_nonce = dev_nonce
    root.join_nonce += 1
    root.joined_us = now_us
    root.refused_us = root.refused_nonce = None
    if root.random_nonces:
        root.used_nonces = (root.used_nonces + _NONCE.pack(dev_nonce))[-REMEMBERED * _NONCE.size :]


def refuse(root: Root, dev_nonce: int, now_us: int) -> None:
    """Notes a request that only re-admission would let in; since when stays."""
    root.refused_nonce = dev_nonce
    if root.refused_us is None:
        root.refused_us = now_us


def readmit(root: Root, by: str, now_us: int, key: str | None = None) -> Readmission:
    """Forgets the nonces that were used so far; JoinNonce rises on, so no session key comes twice.

    `by` whom and under which order `key` are for the record.  ConflictError where the device does not need it.
    """
    if root.refused_us is None:
        raise ConflictError(f"device {root.dev_eui:016x} needs no re-admission")
    root.readmission = Readmission(now_us, by, root.dev_nonce, root.refused_nonce, key)
    root.dev_nonce, root.used_nonces = -1, b""
    root.refused_us = root.refused_nonce = None
    return root.readmission


def _remembered(root: Root) -> set[int]:
    return {nonce for (nonce,) in _NONCE.iter_unpack(root.used_nonces)}
