"""A nyala meter, and another maker's, that live behind ChirpStack: the whole server over a real broker."""

import asyncio
import contextlib
import json
import time

from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf.json_format import MessageToJson

from nyala.headend.command_life import CommandState
from nyala.headend.commands import Kind
from nyala.headend.onboarding import NewMeter
from nyala.lorawan.packages.commands import PackagePort
from nyala.serving import Serving
from nyala.store import meters
from nyala.store.engine import open_engine, upgrade
from nyala.telegram import codec, messages
from nyala.telegram.kinds import Opcode, Port, Result
from nyala.telegram.messages import Answer
from nyala.telegram.values import Values
from tests import mosquitto
from tests.peers.test_mqtt import Server, until

OURS, THEIRS = 0xD0001, 0xD0002
NOW_S = int(time.time())


def topic(dev_eui):
    return f"application/a/device/{dev_eui:016x}"


def up(dev_eui, port, payload):
    """An uplink as ChirpStack publishes it."""
    info = integration.DeviceInfo(application_id="a", dev_eui=f"{dev_eui:016x}")
    event = integration.UplinkEvent(device_info=info, dr=5, f_port=port, data=payload)
    event.rx_info.add(gateway_id="0016c001f0000001", rssi=-90, snr=7.5)
    return MessageToJson(event)


def new(serial, model, dev_eui):
    return NewMeter(serial, model, dev_eui, 1, bytes(16), "", "", "Asia/Jakarta", "", 0, (1, 1), NOW_S, 900, 3_600)


def test_readings_come_in_and_a_command_goes_out_over_chirpstack(tmp_path):
    asyncio.run(_readings_and_a_command(tmp_path))


async def _readings_and_a_command(folder):
    engine = open_engine(str(folder))
    upgrade(engine)
    meters.onboard(
        engine, meters.tenant_id(engine, "t"), [new("A1", "single-phase", OURS), new("B1", "milesight-ws52x", THEIRS)]
    )
    with mosquitto.broker() as broker, contextlib.closing(Server(broker.port, "application/+/device/+/command/down")) as stack:
        serving = Serving(
            engine,
            lambda: int(time.time() * 1e6),
            host="127.0.0.1",
            port=0,
            udp_port=0,
            bridges=[f"cs=chirpstack+mqtt://127.0.0.1:{broker.port}"],
        )
        async with serving:
            centre = serving.centre
            await until(lambda: centre.bridges[0].connected, "the bridge does not connect")
            ours, theirs = (centre.registry.of_device(dev_eui) for dev_eui in (OURS, THEIRS))
            assert ours is not None
            assert theirs is not None
            port, payload = codec.encode(Values(NOW_S, {"import_wh": 1_234, "p_w": 77, "switch_state": 1}), NOW_S)
            state = centre.registry.state(ours.id)
            await until(
                lambda: stack.says(f"{topic(OURS)}/event/up", up(OURS, port, payload)) or state.registers, "no reading of ours"
            )
            assert state.registers["import_wh"] == (1_234, NOW_S)
            assert (state.via, state.live["p_w"], state.snr_db, state.gateways) == ("cs", 77, 7.5, 1)

            stack.says(f"{topic(THEIRS)}/event/up", up(THEIRS, 85, bytes.fromhex("0683e803000003740009")))
            other = centre.registry.state(theirs.id)
            await until(lambda: other.live, "no reading of the other maker's meter")
            assert (other.registers["import_wh"][0], other.live["u1_v"]) == (1_000, 2_304)

            command = centre.headend.tracker.issue(
                ours, Kind.SWITCH_OPEN, has_switch=True, by="t", reason="", now_us=serving.centre.now_us()
            )
            centre.ingest.nudge()
            where, said = await asyncio.to_thread(stack.heard.get, timeout=20)
            while json.loads(said)["fPort"] == PackagePort.CLOCK_SYNC:  # the readings are as old as this module
                where, said = await asyncio.to_thread(stack.heard.get, timeout=20)
            ordered = json.loads(said)
            assert (where, ordered["fPort"], ordered["confirmed"]) == (f"{topic(OURS)}/command/down", Port.COMMAND, True)
            info = integration.DeviceInfo(application_id="a", dev_eui=f"{OURS:016x}")
            sent = integration.TxAckEvent(device_info=info, queue_item_id=ordered["id"])
            stack.says(f"{topic(OURS)}/event/txack", MessageToJson(sent))
            await until(lambda: command.state is CommandState.SENT, "the command was not seen as sent")
            answer = messages.encode_answer(Answer(command.sequence, Opcode.SWITCH_OPEN, Result.DONE, 0))
            stack.says(f"{topic(OURS)}/event/up", up(OURS, int(Port.ANSWER), answer))
            await until(lambda: command.state is CommandState.EXECUTED, "the answer was not taken")
    engine.dispose()
