"""`nyala lorawan`: what a frame says (`decode`), meters per gateway (`capacity`), data rate algorithms side by side (`adr`),
and whether the arrays behind these agree with the whole stack (`agree`).
"""

from typing import Annotated, Any

import typer

from nyala.cli.options import AsJson, print_json
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


@app.command()
def capacity(
    *,
    meters: Annotated[int, typer.Option(help="Meters that are there already.")] = 0,
    report_minutes: Annotated[float, typer.Option(help="Minutes between two reports of a meter.")] = 60,
    payload: Annotated[
        int, typer.Option(help="Bytes of a report; what a data rate does not carry goes in several frames.")
    ] = 11,
    gateways: Annotated[int, typer.Option(help="Gateways.")] = 1,
    profile: Annotated[str, typer.Option(help="Radio profile: oulu, hata, ns3 or lorasim.")] = "oulu",
    answered: Annotated[float, typer.Option(help="Part of the uplinks that a gateway answers.")] = 0.02,
    seed: Annotated[int, typer.Option(help="The same seed gives the same answer.")] = 1,
    as_json: AsJson = False,
) -> None:
    """How many meters these gateways carry, and how many more: delivery of single frames, nothing repeated."""
    from nyala.lorawan.network.plan import indonesia  # noqa: PLC0415
    from nyala.sim.radio.capacity import Question  # noqa: PLC0415
    from nyala.sim.radio.capacity import capacity as ask  # noqa: PLC0415

    question = Question(indonesia(), meters, round(report_minutes * 60), payload, gateways, profile, answered, seed)
    found = ask(question)
    if as_json:
        print_json(found)
    else:
        _print_capacity(found)


_COLUMNS = {
    "meters": "{:>8d}",
    "delivery_ratio": "{:>9.3%}",
    "collision_ratio": "{:>9.3%}",
    "demodulator_ratio": "{:>9.3%}",
    "deaf_ratio": "{:>9.3%}",
    "burst_ratio": "{:>9.3%}",
    "load": "{:>9.4f}",
    "gateway_duty": "{:>9.3%}",
    "aloha_ratio": "{:>9.3%}",
}


def _print_capacity(found: dict[str, Any]) -> None:
    typer.echo(
        f"{found['gateways']} gateway(s), {found['channels']} channels, radio profile {found['profile']}: "
        f"{found['payload_bytes']} bytes each {found['report_s']} s, "
        f"{found['airtime_ms_per_report']:.1f} ms on the air (duty of a meter {found['device_duty']:.4%})"
    )
    typer.echo("  ".join(f"{sf} {share:.0%}" for sf, share in found["sf_share"].items() if share))
    typer.echo("  meters delivered collided   no path gw sends     burst      load   gw duty     ALOHA")
    for point in [*([found["now"]] if found["now"] else []), *found["curve"]]:
        typer.echo("".join(form.format(point[name]) + " " for name, form in _COLUMNS.items()).rstrip())
    for target, number in found["capacity"].items():
        typer.echo(f"{target} % of the frames: {number} meters, {found['more'][target]} more than now")


@app.command()
def adr(
    fades: Annotated[str, typer.Option(help="How much links swing: still, town or rough.")] = "town",
    meters: Annotated[int, typer.Option(help="Meters that are simulated.")] = 200,
    gateways: Annotated[int, typer.Option(help="Gateways.")] = 2,
    rounds: Annotated[int, typer.Option(help="Uplinks of each meter.")] = 400,
    profile: Annotated[str, typer.Option(help="Radio profile: oulu, hata, ns3 or lorasim.")] = "oulu",
    seed: Annotated[int, typer.Option(help="The same seed gives the same answer.")] = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """The algorithms of adaptive data rate side by side in one radio world: delivery and time on the air."""
    from nyala.lorawan.network.plan import indonesia  # noqa: PLC0415
    from nyala.sim.adr import World, compare  # noqa: PLC0415

    found = compare(World(indonesia(), fades, meters, gateways, rounds, profile=profile, seed=seed))
    if as_json:
        print_json(found)
        return
    names = list(found["algorithms"])
    typer.echo(" " * 26 + "".join(f"{name:>12}" for name in names))
    for figure in found["algorithms"][names[0]]:
        typer.echo(f"{figure:<26}" + "".join(f"{found['algorithms'][name][figure]:>12}" for name in names))


@app.command()
def agree(
    meters: Annotated[int, typer.Option(help="Meters.")] = 1_000,
    hours: Annotated[int, typer.Option(help="Hours after two in which the fleet comes up.")] = 4,
    gateways: Annotated[int, typer.Option(help="Gateways.")] = 1,
    profile: Annotated[str, typer.Option(help="Radio profile: oulu, hata, ns3 or lorasim.")] = "oulu",
    seed: Annotated[int, typer.Option(help="The same seed gives the same answer.")] = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """Whether the arrays of `capacity` decide what the whole stack lives through: every frame of the same hours."""
    from nyala.sim.agreement import agree as ask  # noqa: PLC0415
    from nyala.sim.setup import Scenario  # noqa: PLC0415

    found = ask(Scenario(meters, 1, gateways=gateways, commands=0, profile=profile, seed=seed), hours)
    if as_json:
        print_json(found)
        return
    typer.echo(f"{found['uplinks']} uplinks and {found['downlinks']} downlinks of {meters} meters, {gateways} gateway(s)")
    for name, count in found["whole_stack"].items():
        typer.echo(f"{name:<10}{count:>10}{found['arrays'][name]:>10}")
    typer.echo(f"{found['differ']} differ; delivered {found['delivery_ratio']:.3%}, drawn {found['delivery_ratio_drawn']:.3%}")
