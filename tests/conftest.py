"""What all tests share: Hypothesis draws the same examples in every run and keeps no database beside the tree.

Numba caches a kernel by its own file only: where a kernel has been changed since, those that call it are compiled anew.
"""

from pathlib import Path

from hypothesis import settings

settings.register_profile("nyala", deadline=None, derandomize=True, database=None)
settings.load_profile("nyala")

SOURCE = Path(__file__).parents[1] / "src" / "nyala"


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        return
    cached = [*SOURCE.rglob("*.nbi"), *SOURCE.rglob("*.nbc")]
    kernels = [path for path in SOURCE.rglob("*.py") if "kernel" in path.read_text(encoding="utf-8")]
    if cached and min(path.stat().st_mtime for path in cached) < max(path.stat().st_mtime for path in kernels):
        for path in cached:
            path.unlink()
