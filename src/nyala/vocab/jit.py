"""Kernels: functions of arrays and numbers that Numba compiles on their first call and caches beside their source.

Reproducible: no fast-math unless a kernel asks for it by name, no threads, division by zero as NumPy has it.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compiles a function in no-Python mode; it lets other threads run meanwhile."""
    compiled: Any = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return cast(Function, compiled)


def reassociating_kernel(function: Function) -> Function:
    """A kernel whose sums may be taken in another order (SIMD): for figures with a stated tolerance, never for registers."""
    compiled: Any = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})(function)
    return cast(Function, compiled)
