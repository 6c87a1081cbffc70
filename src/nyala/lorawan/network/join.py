"""The join server: from a join request to a session and a join accept.  TS001-1.0.4 section 6.2.

Which requests are new is for `nonces`; JoinNonce is ours, rises with every accept, and is stored before the accept leaves
(law 5).  Copies within a window of deduplication are one request before they get here; a later copy, through a slow
gateway, gets the same accept once more, made anew from what is stored, and no session.
"""

from dataclasses import dataclass

from nyala.lorawan.crypto import AesKey, session_keys
from nyala.lorawan.frame import DlSettings, JoinAccept, JoinRequest
from nyala.lorawan.network import nonces
from nyala.lorawan.network.nonces import Verdict
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.port import Reception, Refusal, Refused
from nyala.lorawan.network.sessions import Root, Session, Sessions, Settings
from nyala.vocab.errors import FrameError, UnknownError
from nyala.vocab.time import US_PER_S


@dataclass(frozen=True, slots=True)
class Accepted:
    """A join request that is answered.  `again`: with the accept that its first copy got; nothing new began."""

    session: Session
    accept: bytes
    again: bool = False


def join(phy: bytes, receptions: tuple[Reception, ...], sessions: Sessions, plan: NetworkPlan) -> Accepted | Refused:
    """The session and the encrypted join accept; or why the request was refused."""
    try:
        request = JoinRequest.decode(phy)
        root = sessions.root(request.dev_eui)
    except FrameError as error:
        return Refused(Refusal.NOT_A_FRAME, str(error), receptions)
    except UnknownError as error:
        return Refused(Refusal.UNKNOWN_DEVICE, str(error), receptions)
    who = f"device {request.dev_eui:016x}"
    if request.join_eui != root.join_eui:
        return Refused(Refusal.UNKNOWN_DEVICE, f"{who}: JoinEUI {request.join_eui:016x} is not its own", receptions)
    if not request.mic_holds(root.app_key):
        return Refused(Refusal.BAD_MIC, f"{who}: join request with a bad MIC", receptions)
    now_us = min(reception.received_us for reception in receptions)
    verdict = nonces.judge(root, request.dev_nonce, now_us)
    if verdict is Verdict.NEW:
        session = _begin(root, request.dev_nonce, now_us, receptions[0].data_rate, sessions, plan)
        return Accepted(session, _accept(root, plan))
    if verdict is Verdict.AGAIN and (made := _awaited(root, now_us, sessions, plan)) is not None:
        return Accepted(made, _accept(root, plan), again=True)
    detail = f"{who}: DevNonce {request.dev_nonce} after {root.dev_nonce}"
    if verdict is not Verdict.USED:
        return Refused(Refusal.REPEATED, detail, receptions)
    nonces.refuse(root, request.dev_nonce, now_us)
    sessions.changed_root(root)
    return Refused(Refusal.DEV_NONCE_USED, f"{detail}: it may need re-admission", receptions)


def _awaited(root: Root, now_us: int, sessions: Sessions, plan: NetworkPlan) -> Session | None:
    """The session of the last join while its accept may still be under way; None once the windows are over or it has spoken."""
    session = sessions.of_device(root.dev_eui)
    assert root.joined_us is not None
    over_us = root.joined_us + (plan.region.join_accept_delay1_s + 1) * US_PER_S
    return None if session is None or session.heard or now_us >= over_us else session


def _begin(root: Root, dev_nonce: int, now_us: int, data_rate: int, sessions: Sessions, plan: NetworkPlan) -> Session:
    """The new session of a device; an older one ends."""
    nonces.use(root, dev_nonce, now_us)
    nwk_s_key, app_s_key = session_keys(root.app_key, root.join_nonce, plan.net_id, dev_nonce)
    settings = Settings(
        data_rate=data_rate,
        channels=tuple(range(len(plan.region.default_channels_hz) + len(plan.cf_list))),
        rx2_data_rate=plan.rx2_data_rate,
        rx1_dr_offset=plan.rx1_dr_offset,
        rx_delay_s=plan.rx_delay_s,
        uplink_dwell=plan.region.tx_param_setup,
    )
    session = Session(
        dev_eui=root.dev_eui,
        dev_addr=root.dev_addr,
        nwk_s_key=AesKey(nwk_s_key),
        app_s_key=AesKey(app_s_key),
        settings=settings,
        class_c=root.class_c,
    )
    sessions.start(session)
    return session


def _accept(root: Root, plan: NetworkPlan) -> bytes:
    """The encrypted join accept of the last join."""
    accept = JoinAccept(
        join_nonce=root.join_nonce,
        net_id=plan.net_id,
        dev_addr=root.dev_addr,
        dl_settings=DlSettings(plan.rx2_data_rate, plan.rx1_dr_offset),
        rx_delay_s=plan.rx_delay_s,
        cf_list=plan.cf_list,
    )
    return accept.encode(root.app_key)
