"""A Mosquitto broker of the tests' own: Debian's binary, a temporary folder, a free port.  CI must have it."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BINARY = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
AVAILABLE = Path(_BINARY).is_file()
STARTS_S = 20.0


def wanted() -> bool:
    """Whether the tests that need it run: always in CI, elsewhere where it is installed."""
    return AVAILABLE or bool(os.environ.get("CI"))


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """A broker that can be killed and started again on the same port, with what it had persisted."""

    def __init__(self, folder: Path, port: int, *, password: str = "") -> None:
        self.port, self._folder = port, folder
        lines = [f"listener {port} 127.0.0.1", "persistence true", f"persistence_location {folder}/", "log_dest none"]
        lines += ["autosave_interval 1", "autosave_on_changes true"]
        if password:
            (folder / "passwords").write_text("nyala:" + password + "\n")
            (folder / "passwords").chmod(0o600)
            subprocess.run(["mosquitto_passwd", "-U", str(folder / "passwords")], check=True, capture_output=True)
            lines += ["allow_anonymous false", f"password_file {folder}/passwords"]
        else:
            lines.append("allow_anonymous true")
        if os.geteuid() == 0:
            lines.append("user root")
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it accepts connections."""
        self._process = subprocess.Popen([_BINARY, "-c", str(self._folder / "mosquitto.conf")])
        until = time.monotonic() + STARTS_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self._process.poll() is None, "mosquitto does not start"
                assert time.monotonic() < until, "mosquitto does not listen"
            else:
                return

    def stop(self) -> None:
        """Ends it, as a service would be."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STARTS_S)
            self._process = None


@contextmanager
def broker(*, password: str = "") -> Iterator[Mosquitto]:
    """A running broker, whose files are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="nyala-mosquitto-"))
    mosquitto = Mosquitto(folder, free_port(), password=password)
    mosquitto.start()
    try:
        yield mosquitto
    finally:
        mosquitto.stop()
        shutil.rmtree(folder)
