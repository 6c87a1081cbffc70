"""Style as a test: sizes, names, and what the core must not do.  A rule that is not here is not a rule."""

import ast
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "nyala"
MODULES = sorted(SOURCE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MODULE_LINES, TEST_LINES, FUNCTION_LINES = 400, 450, 60
BAD_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
CORE = ("vocab", "meter", "telegram", "lorawan", "twin", "mdm", "billing", "lab")
"""Rooms without clock, socket, random source, environment or files of their own."""
FORBIDDEN_IN_CORE = {"asyncio", "socket", "threading", "os", "secrets", "subprocess", "time", "sqlalchemy", "fastapi"}
CLOCK_SHELLS = {"cli", "sim/demo.py", "sim/virtual_time.py", "sim/simulation.py", "bench"}
"""The only places that may look at a clock."""
LEFT_OUT = [".".join(word) for word in (("pytest", "skip"), ("mark", "skip"), ("mark", "xfail"), ("time", "sleep"))]
LEFT_OUT.append("Magic" + "Mock")
LEFT_OPEN = ["TO" + "DO", "FIX" + "ME", "X" * 3, "NotImplemented" + "Error"]
"""Words that no test, and no module, may have; composed, so that they stand nowhere."""
CLOCKS = {("time", "time"), ("time", "monotonic"), ("time", "perf_counter"), ("datetime", "now"), ("datetime", "utcnow")}


def name(path):
    return str(path.relative_to(SOURCE))


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def modules_of(*rooms):
    return [path for path in MODULES if name(path).split("/")[0] in rooms]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_short_and_says_what_it_is(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES
    assert path.stem not in BAD_NAMES
    assert ast.get_docstring(tree(path)), "a module opens with what it is"


@pytest.mark.parametrize("path", [path for path in MODULES if "migrations" not in name(path)], ids=name)
def test_a_function_is_short(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_module_is_short_and_nothing_is_skipped(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= TEST_LINES
    if path != Path(__file__):
        assert not [word for word in LEFT_OUT if word in text]


def imports(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", modules_of(*CORE), ids=name)
def test_the_core_has_no_clock_socket_or_store(path):
    assert not set(imports(path)) & FORBIDDEN_IN_CORE


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_shells_look_at_a_clock(path):
    if any(name(path).startswith(shell) for shell in CLOCK_SHELLS):
        return
    calls = {
        (node.func.value.id, node.func.attr)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    }
    assert not calls & CLOCKS


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_random_numbers_come_from_a_seed(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            assert node.func.value.id != "random" or "random" not in set(imports(path)) - {"Random"} or node.func.attr in DRAWS
        if isinstance(node, ast.Import):
            assert "random" not in [alias.name for alias in node.names], "import Random and seed it"


DRAWS = {"random", "randint", "randrange", "choice", "uniform", "gauss", "expovariate", "randbytes", "sample"}
"""Methods of a seeded `Random` that is called `random`."""


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_nothing_is_printed_or_left_open(path):
    text = path.read_text(encoding="utf-8")
    assert not [word for word in LEFT_OPEN if word in text]
    for node in ast.walk(tree(path)):
        assert not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print")
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), "a bare except"


def tracked_files():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / file for file in listed.split("\0") if file and (ROOT / file).is_file()]


def test_no_registry_host_and_no_path_of_a_machine_is_committed():
    hosts = ["py" + "pi.org", "pythonhosted" + ".org", "npmjs" + ".org", "deb.debian" + ".org"]
    paths = ["/" + "work/", "/" + "root/", "/" + "farm/"]
    found = []
    for file in tracked_files():
        if file.suffix in {".png", ".npz", ".ico", ".woff2"}:
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        found += [f"{file.relative_to(ROOT)}: {word}" for word in hosts + paths if word in text]
    assert found == []


def test_no_big_file_is_committed():
    big = [f"{file.relative_to(ROOT)}" for file in tracked_files() if file.stat().st_size > 600_000]
    assert big == []
