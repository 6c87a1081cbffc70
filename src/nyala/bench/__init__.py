"""Benchmarks: a figure and its ratio to a stated baseline, measured alternately in one run.  Machines are noisy; ratios hold.

Each is a function without arguments that answers {"bench", "figures", "baseline", "conditions"} within 60 s.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from nyala.bench import capacity, commands, downlink, fleet, ingest, lorawan, metrology, telegram

BENCHES: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "capacity": capacity.run,
    "commands": commands.run,
    "downlink": downlink.run,
    "fleet": fleet.run,
    "lorawan": lorawan.run,
    "ingest": ingest.run,
    "metrology": metrology.run,
    "telegram": telegram.run,
}
