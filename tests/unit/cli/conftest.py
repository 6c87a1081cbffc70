"""The command line in this process: arguments in, exit code and both outputs out."""

import json
import re
import sys
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from nyala.cli.main import main
from tests.unit.api.estate import build, copied

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        assert self.code in {0, 1}, self.err
        return json.loads(self.out)

    @property
    def refusal(self) -> str:
        """The one line of a command that was refused."""
        assert (self.code, self.out) == (2, ""), (self.code, self.out, self.err)
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("nyala: ")
        return self.err.removeprefix("nyala: ").rstrip("\n")


@pytest.fixture
def nyala(capsys, monkeypatch):
    """Runs `nyala ...`."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setattr(sys, "argv", ["nyala", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), _COLOURS.sub("", said.out), said.err)

    yield run
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The folder of a built estate."""
    folder = tmp_path_factory.mktemp("estate")
    build(folder)
    return folder


@pytest.fixture
def db(template, tmp_path):
    """A store with meters, readings and bills."""
    return str(copied(template, tmp_path / "store"))


@pytest.fixture
def empty_db(tmp_path):
    """Where a store may be made."""
    return str(tmp_path / "empty")
