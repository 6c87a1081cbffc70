"""From a group of copies to an uplink of a device: find the session, check the counter, open the payload.

The steps are those of TS001-1.0.4 4.3.1.5 and 4.4 and bear their names.  A step takes values and returns values.
"""

from dataclasses import dataclass
from typing import Final

from nyala.lorawan.frame import DataFrame, full_counter, mic_holds, open_payload
from nyala.lorawan.network.port import Reception, Refusal, Refused
from nyala.lorawan.network.sessions import Session, Sessions
from nyala.vocab.errors import FrameError

COUNTER_LIMIT: Final = 1 << 32


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
    for session in candidates:
        ahead = full_counter(frame.f_cnt, session.f_cnt_up)
        if ahead < COUNTER_LIMIT and mic_holds(phy, frame, ahead, session.nwk_s_key):
            return Identified(session, frame, ahead, repeated=False)
        behind = ahead - 0x10000
        if behind >= 0 and mic_holds(phy, frame, behind, session.nwk_s_key):
            if behind == session.f_cnt_up - 1:
                return Identified(session, frame, behind, repeated=True)
            detail = f"device {session.dev_eui:016x}: FCnt {behind} after {session.f_cnt_up - 1}"
            return Refused(Refusal.REPLAYED, detail, receptions)
    return Refused(Refusal.BAD_MIC, f"no key of DevAddr {frame.dev_addr:08x} signed FCnt {frame.f_cnt}", receptions)


def payload_of(found: Identified) -> bytes:
    """The clear payload of an identified uplink."""
    session = found.session
    return open_payload(found.frame, found.f_cnt, session.nwk_s_key, session.app_s_key)
