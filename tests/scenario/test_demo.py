"""The demo as a newcomer runs it, small: it makes its history, lives, stops, and goes on from what it left."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from nyala.store.engine import open_engine
from nyala.store.verify import verify

TIMEOUT_S = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def nyala(*arguments, **options):
    command = [sys.executable, "-c", "from nyala.cli.main import main; main()", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)


def demo(store, *arguments):
    options = ("--meters", "12", "--history-days", "2", "--db", str(store), "--port", free_port())
    return nyala("demo", *options, *arguments)


def finished(process):
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, out + err
    return err


def until_live(process):
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "Ctrl-C stops" in line:
            return lines
    raise AssertionError("".join(lines))


def assert_store_is_right(store):
    engine = open_engine(str(store))
    found = verify(engine)
    engine.dispose()
    assert found.wrong == []
    assert found.proven > 0


def test_once_answers_health_login_and_fleet(tmp_path):
    said = finished(demo(tmp_path / "d", "--once"))
    for expected in ("nyala is live: http://localhost:", "health ok", "logged in as admin", "12 of 12 meters heard"):
        assert expected in said
    assert_store_is_right(tmp_path / "d")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_it_goes_on_from_what_it_left(tmp_path, end):
    process = demo(tmp_path / "d")
    until_live(process)
    os.kill(process.pid, end)
    process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == (0 if end == signal.SIGINT else -signal.SIGKILL)
    said = finished(demo(tmp_path / "d", "--once"))
    assert ("did not end cleanly" in said) is (end == signal.SIGKILL)
    assert "history:" not in said
    assert_store_is_right(tmp_path / "d")


def test_an_interrupted_history_leaves_nothing_half(tmp_path):
    process = nyala("demo", "--meters", "100", "--history-days", "35", "--db", str(tmp_path / "d"), "--port", free_port())
    for line in process.stderr:
        if "%" in line:
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130
    assert not (tmp_path / "d").exists()
    assert "12 of 12 meters heard" in finished(demo(tmp_path / "d", "--once"))


def test_a_busy_port_is_one_clear_line(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        process = nyala("demo", "--db", str(tmp_path / "d"), "--port", str(holder.getsockname()[1]))
        _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 2
    assert len(err.splitlines()) == 1
    assert "port" in err
    assert not (tmp_path / "d").exists()
