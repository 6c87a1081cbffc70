"""What `nyala --help` lists, and that it is quick."""

import subprocess
import sys

import pytest

from nyala import __version__

COMMANDS = {
    (): [
        "demo",
        "serve",
        "simulate",
        "doctor",
        "bench",
        "meter",
        "meters",
        "telegram",
        "lorawan",
        "tariff",
        "bill",
        "import",
        "export",
        "db",
        "user",
    ],
    ("meter",): ["panel", "test", "calibrate", "certificate"],
    ("telegram",): ["encode", "decode"],
    ("lorawan",): ["decode", "readmit", "capacity"],
    ("tariff",): ["check"],
    ("bill",): ["run", "show"],
    ("import",): ["meters", "tariff"],
    ("export",): ["readings", "bills"],
    ("db",): ["upgrade", "verify", "rekey"],
    ("user",): ["add"],
    ("meters",): ["replace", "activate"],
    ("config",): ["set", "show", "drift"],
}


@pytest.mark.parametrize("group", COMMANDS, ids=lambda group: " ".join(group) or "nyala")
def test_help_lists_what_is_there(nyala, group):
    said = nyala(*group, "--help")
    assert said.code == 0
    words = said.out.split()
    assert [name for name in COMMANDS[group] if name not in words] == []


LEAVES = [(*group, name) for group, names in COMMANDS.items() for name in names if (name,) not in COMMANDS]


@pytest.mark.parametrize("command", LEAVES, ids=" ".join)
def test_every_command_explains_itself(nyala, command):
    said = nyala(*command, "--help")
    assert said.code == 0
    assert f"Usage: nyala {' '.join(command)}" in said.out


def test_the_version_is_told(nyala):
    assert nyala("--version").out == f"{__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["bill", "nothing"], ["simulate"], ["simulate", "--meters", "x", "--days", "1"]]
)
def test_what_the_command_line_does_not_know_ends_with_2(nyala, arguments):
    said = nyala(*arguments)
    assert (said.code, said.out) == (2, "")


def test_help_does_not_load_what_only_commands_need():
    heavy = ["numpy", "sqlalchemy", "fastapi", "uvicorn", "alembic", "numba"]
    code = f"import sys, nyala.cli.main; print(*set({heavy}) & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == []
