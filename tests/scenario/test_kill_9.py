"""Law 2 with a real process: what the server acknowledged to a gateway is in the store after SIGKILL."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from random import Random

import pytest
from sqlalchemy import select as sql_select

from nyala.gateway import semtech_udp as udp
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Reception
from nyala.store import schema
from nyala.store.engine import open_engine

GATEWAY = 0x0016C001F0000009
START_TIMEOUT_S = 60
FRAMES_MAX = 5_000


def start_server(store):
    code = "from nyala.cli.main import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "serve",
        "--db",
        str(store),
        "--port",
        "0",
        "--udp-host",
        "127.0.0.1",
        "--udp-port",
        "0",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "gateways at udp" in line, line
    host, port = line.rsplit(" ", 1)[1].strip().split(":")
    return process, (host, int(port))


def datagram(random, token):
    phy = bytes([0x40]) + random.randbytes(30)
    reception = Reception(GATEWAY, phy, 0, 921_400_000, 2, -90.0, 5.0, token)
    return phy, udp.encode_push_data(token, GATEWAY, [udp.to_rxpk(reception, indonesia().region)])


def send_until_killed(process, address, random, kill_after):
    """Sends frames, kills the server after so many acknowledgements, and collects what it acknowledged."""
    acknowledged: list[bytes] = []
    sent: dict[int, bytes] = {}
    token = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway:
        gateway.connect(address)
        deadline = time.monotonic() + START_TIMEOUT_S
        alive = True
        while time.monotonic() < deadline and token < FRAMES_MAX:
            if alive and token - len(acknowledged) < 200:
                token += 1
                sent[token], message = datagram(random, token)
                gateway.send(message)
            ready, _, _ = select.select([gateway], [], [], 0.0 if alive else 0.2)
            if ready:
                try:
                    answer = udp.decode_from_server(gateway.recv(2048))
                except ConnectionRefusedError:
                    break
                acknowledged.append(sent[answer.token])
            elif not alive:
                break
            if alive and len(acknowledged) >= kill_after:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                alive = False
    return acknowledged


@pytest.mark.parametrize("kill_after", [1, 400])
def test_every_acknowledged_frame_survives_kill_9(tmp_path, kill_after):
    random = Random(kill_after)
    process, address = start_server(tmp_path)
    try:
        acknowledged = send_until_killed(process, address, random, kill_after)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert len(acknowledged) >= kill_after
    engine = open_engine(str(tmp_path))
    with engine.connect() as connection:
        kept = set(connection.scalars(sql_select(schema.uplink_journal.c.payload)))
    engine.dispose()
    assert set(acknowledged) <= kept


def test_a_killed_server_starts_again_on_its_store(tmp_path):
    process, address = start_server(tmp_path)
    send_until_killed(process, address, Random(5), 50)
    process.stderr.close()
    again, _ = start_server(tmp_path)
    again.send_signal(signal.SIGTERM)
    assert again.wait(START_TIMEOUT_S) == 0
    again.stderr.close()
