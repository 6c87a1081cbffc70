"""The join server: from a join request to a session and a join accept.  TS001-1.0.4 section 6.2.

DevNonce is a counter that must rise; JoinNonce is ours and rises with every accept.  A request that came twice through
two gateways was made one by deduplication before it gets here.
"""

from nyala.lorawan.crypto import AesKey, session_keys
from nyala.lorawan.frame import DlSettings, JoinAccept, JoinRequest
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.port import Reception, Refusal, Refused
from nyala.lorawan.network.sessions import Session, Sessions, Settings
from nyala.vocab.errors import FrameError, UnknownError


def join(
    phy: bytes, receptions: tuple[Reception, ...], sessions: Sessions, plan: NetworkPlan
) -> tuple[Session, bytes] | Refused:
    """The new session and the encrypted join accept; or why the request was refused."""
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
    if request.dev_nonce <= root.dev_nonce:
        detail = f"{who}: DevNonce {request.dev_nonce} after {root.dev_nonce}"
        return Refused(Refusal.DEV_NONCE_USED, detail, receptions)
    root.dev_nonce = request.dev_nonce
    root.join_nonce += 1
    nwk_s_key, app_s_key = session_keys(root.app_key, root.join_nonce, plan.net_id, request.dev_nonce)
    channels = list(range(len(plan.region.default_channels_hz) + len(plan.cf_list)))
    settings = Settings(
        data_rate=receptions[0].data_rate,
        channels=channels,
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
    accept = JoinAccept(
        join_nonce=root.join_nonce,
        net_id=plan.net_id,
        dev_addr=root.dev_addr,
        dl_settings=DlSettings(plan.rx2_data_rate, plan.rx1_dr_offset),
        rx_delay_s=plan.rx_delay_s,
        cf_list=plan.cf_list,
    )
    return session, accept.encode(root.app_key)
