"""Markdown of the generated pages: tables, and state diagrams from transition tables."""

from collections.abc import Iterable, Mapping
from enum import Enum


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    names = list(head)
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def diagram(transitions: Mapping[tuple[Enum, Enum], Enum], first: Enum, finals: Iterable[Enum]) -> str:
    """A Mermaid state diagram of a transition table."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first.name.lower()}"]
    lines += [
        f"    {state.name.lower()} --> {target.name.lower()}: {event.value}" for (state, event), target in transitions.items()
    ]
    lines += [f"    {final.name.lower()} --> [*]" for final in sorted(finals, key=lambda each: each.name)]
    return "\n".join([*lines, "```"]) + "\n"
