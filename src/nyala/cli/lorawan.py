"""`nyala lorawan decode`: what a frame says, and with its keys what it carries."""

from typing import Annotated, Any

import typer

from nyala.cli.options import print_json
from nyala.lorawan import mac_commands as mac
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.frame import DataFrame, FType, JoinAccept, JoinRequest, frame_type, mic_holds, open_payload
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.identifiers import eui_text, parse_key

app = typer.Typer(help="LoRaWAN frames.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """LoRaWAN frames."""


@app.command()
def decode(
    frame: Annotated[str, typer.Argument(help="PHYPayload, hex.")],
    nwk_s_key: Annotated[str, typer.Option(help="NwkSKey, hex: checks the MIC.")] = "",
    app_s_key: Annotated[str, typer.Option(help="AppSKey, hex: opens the payload.")] = "",
    app_key: Annotated[str, typer.Option(help="AppKey, hex: opens a join accept, checks a join request.")] = "",
    f_cnt: Annotated[int, typer.Option(help="All 32 bits of the counter; default: as received.")] = -1,
) -> None:
    """A frame as JSON."""
    try:
        phy = bytes.fromhex(frame)
    except ValueError:
        raise BadArgumentError(f"frame is not hexadecimal: {frame!r}") from None
    f_type = frame_type(phy)
    root = AesKey(parse_key(app_key, "AppKey")) if app_key else None
    said: dict[str, Any] = {"type": f_type.name}
    if f_type is FType.JOIN_REQUEST:
        request = JoinRequest.decode(phy)
        said |= {"join_eui": eui_text(request.join_eui), "dev_eui": eui_text(request.dev_eui), "dev_nonce": request.dev_nonce}
        if root is not None:
            said["mic_holds"] = request.mic_holds(root)
    elif f_type is FType.JOIN_ACCEPT:
        said |= _accept(phy, root)
    else:
        said |= _data(phy, nwk_s_key, app_s_key, f_cnt)
    print_json(said)


def _accept(phy: bytes, root: AesKey | None) -> dict[str, Any]:
    if root is None:
        return {"encrypted": phy[1:].hex()}
    accept = JoinAccept.decode(phy, root)
    return {
        "join_nonce": accept.join_nonce,
        "net_id": accept.net_id,
        "dev_addr": f"{accept.dev_addr:08x}",
        "rx2_data_rate": accept.dl_settings.rx2_data_rate,
        "rx1_dr_offset": accept.dl_settings.rx1_dr_offset,
        "rx_delay_s": accept.rx_delay_s,
        "cf_list_hz": list(accept.cf_list),
    }


def _data(phy: bytes, nwk_s_key: str, app_s_key: str, f_cnt: int) -> dict[str, Any]:
    frame = DataFrame.decode(phy)
    counter = frame.f_cnt if f_cnt < 0 else f_cnt
    table = mac.UPLINK if frame.f_type.uplink else mac.DOWNLINK
    said: dict[str, Any] = {
        "dev_addr": f"{frame.dev_addr:08x}",
        "f_cnt": frame.f_cnt,
        "adr": frame.adr,
        "adr_ack_req": frame.adr_ack_req,
        "ack": frame.ack,
        "f_port": frame.f_port,
        "f_opts": [str(command) for command in mac.decode(frame.f_opts, table)],
        "payload": frame.payload.hex(),
        "mic": frame.mic.hex(),
    }
    if nwk_s_key:
        network = AesKey(parse_key(nwk_s_key, "NwkSKey"))
        said["mic_holds"] = mic_holds(phy, frame, counter, network)
        if app_s_key:
            session = AesKey(parse_key(app_s_key, "AppSKey"))
            said["clear"] = open_payload(frame, counter, network, session).hex()
    return said
