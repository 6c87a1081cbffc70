"""Runs mutants: each in a process of its own, forked before the module is imported, with the focused tests of its module.

    python -m tests.mutation.run [MODULE ...] [--limit N] [--seed N]

A mutant is killed where a test fails, the import fails, or the time is over; the others survive and are printed.  Where a
module has more than `--limit` mutants, so many are drawn by the seed.
"""

import argparse
import ast
import importlib
import importlib.abc
import importlib.util
import os
import signal
import sys
import tomllib
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Final

import pytest
from hypothesis import settings

from tests.mutation.mutants import Mutant, mutants

TARGETS: Final = Path(__file__).with_name("targets.toml")
LIMIT: Final = 60
EXAMPLES: Final = 20
"""Of a property, for each mutant: a fifth of the usual."""
TIMEOUT_S: Final = 120
SHARED: Final = ("numpy", "numba", "msgspec", "hypothesis.strategies", "hypothesis.stateful", "cryptography", "nyala.vocab.jit")
"""Imported once, before the forks: what takes long and knows none of the modules."""
_IGNORED: Final = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""Hypothesis is imported before pytest starts."""
QUIET: Final = (
    "-q",
    "-x",
    "-n",
    "0",
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
    "--hypothesis-profile=mutation",
    *_IGNORED,
)


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed tree where the module is imported."""

    def __init__(self, module: str, tree: ast.Module, origin: str) -> None:
        self._module, self._tree, self._origin = module, tree, origin

    def find_spec(self, name: str, _path: object, _target: object = None) -> ModuleSpec | None:
        if name != self._module:
            return None
        return importlib.util.spec_from_file_location(name, self._origin, loader=self)

    def create_module(self, _spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, self._origin, "exec"), module.__dict__)


def survives(module: str, tree: ast.Module, origin: str, tests: Sequence[str]) -> bool:
    """Whether the tests of a module pass with this tree."""
    child = os.fork()
    if child == 0:
        signal.alarm(TIMEOUT_S)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        try:
            sys.meta_path.insert(0, _Changed(module, tree, origin))
            code = int(pytest.main([*QUIET, *tests]))
        except BaseException:  # noqa: BLE001 - whatever it raised, it was seen
            code = 1
        os._exit(code)
    _, status = os.waitpid(child, 0)
    return status == 0


def say(line: str) -> None:
    """Prints a line at once: a run is long."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def drawn(found: list[Mutant], limit: int, seed: int) -> list[Mutant]:
    """At most `limit` of the mutants."""
    chosen = found if len(found) <= limit else Random(seed).sample(found, limit)
    return sorted(chosen, key=lambda mutant: mutant.line)


def score(module: str, tests: Sequence[str], limit: int, seed: int) -> bool:
    """Runs a module's mutants and prints its survivors; False where its tests fail without any change."""
    spec = importlib.util.find_spec(module)
    assert module not in sys.modules, f"{module} is imported already: its mutants would not be seen"
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    if not survives(module, tree, spec.origin, tests):
        say(f"{module}: its tests fail without a mutant")
        return False
    found = mutants(tree)
    run = drawn(found, limit, seed)
    left = 0
    for mutant in run:
        if survives(module, mutant.applied(tree), spec.origin, tests):
            left += 1
            say(f"  {module}:{mutant.line}: {mutant.what}")
    share = 1 - left / len(run) if run else 1.0
    say(f"{module}: {len(run) - left} of {len(run)} killed ({share:.0%}), {len(found)} mutants")
    return True


def main() -> int:
    """The command."""
    targets: dict[str, list[str]] = tomllib.loads(TARGETS.read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description="Mutation tests of small modules.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(targets)}")
    parser.add_argument("--limit", type=int, default=LIMIT, help="mutants of one module, at most")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    settings.register_profile("mutation", deadline=None, derandomize=True, database=None, max_examples=EXAMPLES)
    for name in SHARED:
        importlib.import_module(name)
    done = [score(module, targets[module], asked.limit, asked.seed) for module in asked.modules or targets]
    return 0 if all(done) else 1


if __name__ == "__main__":
    raise SystemExit(main())
