"""A PostgreSQL server of the tests' own: Debian's binaries, a temporary cluster, a free port.  CI must have it."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
_ON_PATH = Path(shutil.which("initdb") or "/none").parent
BINARIES = _INSTALLED[-1] if _INSTALLED else _ON_PATH
AVAILABLE = (BINARIES / "initdb").is_file()


def wanted() -> bool:
    """Whether the tests that need it run: always in CI, elsewhere where it is installed."""
    return AVAILABLE or bool(os.environ.get("CI"))


def _as_postgres(*command: str) -> None:
    """Runs a command; as another user where we are root, whom PostgreSQL refuses."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, capture_output=True, cwd="/")


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database on a running server, whose files are gone afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = Path(tempfile.mkdtemp(prefix="nyala-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(data, "postgres")
    _as_postgres(str(BINARIES / "initdb"), "-D", str(data), "-U", "nyala", "-A", "trust", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} -c fsync=off"
    control = str(BINARIES / "pg_ctl")
    _as_postgres(control, "-D", str(data), "-w", "-l", str(data / "log"), "-o", options, "start")
    try:
        yield f"postgresql://nyala@127.0.0.1:{port}/postgres"
    finally:
        _as_postgres(control, "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(data)
