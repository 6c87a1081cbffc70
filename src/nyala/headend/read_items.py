"""What a read asks of a meter: the live values, or any quantities of the catalogue, as many as one telegram names."""

from collections.abc import Sequence
from typing import Final

from nyala.telegram.messages import READ_MAX
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import catalogue

READ_LIVE: Final = ("p_w", "u1_v", "i1_a", "q_var", "f_hz", "switch_state", "import_wh", "export_wh")
"""What "read now" asks of a single-phase meter, and of others besides their phases."""
READ_PHASES: Final = ("u1_v", "u2_v", "u3_v", "i1_a", "i2_a", "i3_a", "p_w", "q_var")
"""What "read now" asks of a three-phase meter."""


def asked(quantities: Sequence[str], phases: int) -> tuple[str, ...]:
    """The quantities of one read; BadArgumentError for one that is not in the catalogue, named twice, or one too many."""
    if not quantities:
        return READ_PHASES if phases > 1 else READ_LIVE
    unknown = [name for name in quantities if name not in catalogue()]
    if unknown:
        raise BadArgumentError(f"no quantity of the catalogue: {', '.join(unknown)}")
    if len(quantities) > READ_MAX or len(set(quantities)) < len(quantities):
        raise BadArgumentError(f"a read names 1 to {READ_MAX} quantities, each once, not {len(quantities)}")
    return tuple(quantities)
