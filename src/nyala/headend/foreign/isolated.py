"""Codecs in a process of their own: started when one is needed, killed when it takes too long, started again when it died.

One request at a time, as a line of JSON each way: `[source, expression]` to it, `{"value": ...}` or `{"error": "..."}` back.
The process gives up what it may give up (address space, files, sub-processes) before it reads the first line.
"""

import json
import os
import resource
import selectors
import subprocess
import sys
from typing import Any, Final

from nyala.headend.foreign.sandbox import RESULT_LIMIT, TIME_LIMIT_S, ScriptError, run_here

ANSWER_S: Final = 20 * TIME_LIMIT_S
"""Until the process counts as hung: the engine's own limit ends a script long before."""
START_S: Final = 20.0
ADDRESS_SPACE: Final = 1 << 30
LINE_LIMIT: Final = 8 * RESULT_LIMIT


class IsolatedEngine:
    """Runs scripts in a child process; not for several threads at once."""

    def __init__(self) -> None:
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, source: str, expression: str) -> object:
        """As `run_here`; ScriptError also where the process died or hung."""
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps([source, expression]).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            self.close()
            raise ScriptError("the engine's process has ended") from None
        line = self._line(process, ANSWER_S)
        if not line:
            self.close()
            raise ScriptError("the engine died or hung over it")
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise ScriptError(said["error"])
        return said["value"]

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "nyala.headend.foreign.isolated"]
        process = self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - ourselves
        self.starts += 1
        if self._line(process, START_S) != b"ready\n":
            self.close()
            raise ScriptError("the engine's process does not start")
        return process

    @staticmethod
    def _line(process: subprocess.Popen[bytes], seconds: float) -> bytes:
        """A line of the process; empty where none comes in time, or it has ended."""
        assert process.stdout is not None
        found = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not found.endswith(b"\n"):
                if not selector.select(seconds) or len(found) > LINE_LIMIT:
                    return b""
                more = os.read(process.stdout.fileno(), 1 << 16)
                if not more:
                    return b""
                found += more
        return found

    def close(self) -> None:
        """Ends the process; the next script starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def serve() -> None:
    """What the child does: answers lines until its input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    out = sys.stdout.buffer
    out.write(b"ready\n")
    out.flush()
    for line in sys.stdin.buffer:
        source, expression = json.loads(line)
        try:
            value = run_here(source, expression)
            said = {"value": value if isinstance(value, str | int | float | bool | None) else repr(value)[:RESULT_LIMIT]}
            if isinstance(value, str) and len(value) > RESULT_LIMIT:
                said = {"value": None}
        except ScriptError as error:
            said = {"error": str(error)}
        out.write(json.dumps(said).encode() + b"\n")
        out.flush()


if __name__ == "__main__":
    serve()
