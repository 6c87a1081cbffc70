"""From a group of copies to an uplink of a device: find the session, check the counter, open the payload.

The steps are those of TS001-1.0.4 4.3.1.5 and 4.4 and bear their names.  A step takes values and returns values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nyala.lorawan.frame import DataFrame, full_counter, mic_holds, open_payload
from nyala.lorawan.network.port import Reception, Refusal, Refused
from nyala.lorawan.network.sessions import HeardBy, Session, Sessions
from nyala.vocab.errors import FrameError

COUNTER_LIMIT: Final = 1 << 32
RESET_FIRST: Final = 1
"""First uplinks of a device have counter 0 or 1 (reference lorawan.md 3)."""
RESET_AFTER: Final = 16
"""A first counter so far behind is no late copy: the device counts from the beginning again."""
WAYS_MAX: Final = 8
FADE_DB: Final = 6.0
"""What a gateway that did not hear an uplink is taken to be worse by."""
WAY_FLOOR_DB: Final = -20.0


@dataclass(frozen=True, slots=True)
class Identified:
    """A data uplink whose sender and counter are proven by its MIC."""

    session: Session
    frame: DataFrame
    f_cnt: int
    repeated: bool
    """The last frame again: the device did not hear our acknowledgement, or repeats by NbTrans."""


def identify(phy: bytes, receptions: tuple[Reception, ...], sessions: Sessions) -> Identified | Refused:
    """The session that signed a data frame, and the full counter it signed with; or why there is none."""
    try:
        frame = DataFrame.decode(phy)
    except FrameError as error:
        return Refused(Refusal.NOT_A_FRAME, str(error), receptions)
    if not frame.f_type.uplink:
        return Refused(Refusal.WRONG_TYPE, f"{frame.f_type.name} received as an uplink", receptions)
    candidates = sessions.of_address(frame.dev_addr)
    if not candidates:
        return Refused(Refusal.UNKNOWN_DEVICE, f"no session of DevAddr {frame.dev_addr:08x}", receptions)
    if len(candidates) > 1:
        candidates = _likely(candidates, frame, receptions)
    for session in candidates:
        ahead = full_counter(frame.f_cnt, session.f_cnt_up)
        if ahead < COUNTER_LIMIT and mic_holds(phy, frame, ahead, session.nwk_s_key):
            session.reset_f_cnt = -1
            return Identified(session, frame, ahead, repeated=False)
    for session in candidates:
        behind = full_counter(frame.f_cnt, session.f_cnt_up) - 0x10000
        for f_cnt in dict.fromkeys((behind, frame.f_cnt)):
            if 0 <= f_cnt < session.f_cnt_up and mic_holds(phy, frame, f_cnt, session.nwk_s_key):
                if f_cnt == session.f_cnt_up - 1:
                    return Identified(session, frame, f_cnt, repeated=True)
                return _behind(session, f_cnt, receptions)
    return Refused(Refusal.BAD_MIC, f"no key of DevAddr {frame.dev_addr:08x} signed FCnt {frame.f_cnt}", receptions)


def _likely(candidates: Sequence[Session], frame: DataFrame, receptions: Sequence[Reception]) -> list[Session]:
    """Sessions of one address, the likeliest first: heard by one of these gateways before, then by its counter.

    A MIC costs ten times a comparison, so that thousands of sessions on a few addresses cost little more than one each.
    """
    gateways = {reception.gateway for reception in receptions}

    def unlikely(session: Session) -> tuple[bool, int]:
        strange = bool(session.heard_by) and not any(gateway in gateways for gateway, _ in session.heard_by)
        return strange, (frame.f_cnt - session.f_cnt_up + 1) & 0xFFFF

    return sorted(candidates, key=unlikely)


def _behind(session: Session, f_cnt: int, receptions: tuple[Reception, ...]) -> Refused:
    """A counter that was used before, with a right MIC: a replay, or a device that counts from the beginning again.

    A reset shows by a first counter far behind, or by a second one that follows on the first; a rollover never gets here,
    because the MIC holds for the higher counter.
    """
    before, session.reset_f_cnt = session.reset_f_cnt, f_cnt
    goes_on = before >= 0 and 0 < f_cnt - before <= RESET_AFTER
    who = f"device {session.dev_eui:016x}: FCnt {f_cnt} after {session.f_cnt_up - 1}"
    if session.f_cnt_up - f_cnt > RESET_AFTER and (f_cnt <= RESET_FIRST or goes_on):
        return Refused(Refusal.COUNTER_RESET, f"{who}: it counts from the beginning again and must join", receptions)
    return Refused(Refusal.REPLAYED, who, receptions)


def payload_of(found: Identified) -> bytes:
    """The clear payload of an identified uplink."""
    session = found.session
    return open_payload(found.frame, found.f_cnt, session.nwk_s_key, session.app_s_key)


def way_back(before: HeardBy, receptions: Sequence[Reception]) -> HeardBy:
    """The gateways that reach a device, by its last uplinks: those that missed one fade."""
    ways: dict[int, float] = {}
    for reception in receptions:  # best first
        ways.setdefault(reception.gateway, reception.snr_db)
    for gateway, snr_db in before:
        if snr_db - FADE_DB > WAY_FLOOR_DB:
            ways.setdefault(gateway, snr_db - FADE_DB)
    if len(ways) == 1:
        return tuple(ways.items())
    return tuple(sorted(ways.items(), key=lambda way: (-way[1], way[0]))[:WAYS_MAX])
