"""Commands and their histories."""

from typing import Final, Literal

from pydantic import BaseModel, Field

from nyala.headend.commands import CommandRow, CommandStep
from nyala.telegram.messages import READ_MAX
from nyala.vocab.time import US_PER_S

REASON_MAX: Final = 200


class StepOut(BaseModel):
    """A step in the life of a command."""

    at_s: int
    state: str
    text: str


class CommandOut(BaseModel):
    """A command and its history."""

    id: int
    meter_id: int
    kind: str
    state: str
    created_s: int
    created_by: str
    reason: str
    expires_s: int
    quantities: list[str]
    steps: list[StepOut]

    @classmethod
    def of(cls, command: CommandRow, steps: list[CommandStep]) -> "CommandOut":
        """A command with its steps."""
        return cls(
            id=command.id,
            meter_id=command.meter_id,
            kind=command.kind.value,
            state=command.state.value,
            created_s=command.created_us // US_PER_S,
            created_by=command.created_by,
            reason=command.reason,
            expires_s=command.expires_us // US_PER_S,
            quantities=list(command.quantities),
            steps=[StepOut(at_s=s.at_us // US_PER_S, state=s.state.value, text=s.text) for s in steps],
        )


class CommandsOut(BaseModel):
    """Commands of a meter, newest first."""

    items: list[CommandOut]


class NewCommand(BaseModel):
    """An order."""

    kind: Literal["switch_open", "switch_close", "read", "demand_reset"]
    reason: str = Field(default="", max_length=REASON_MAX)
    quantities: list[str] = Field(default=[], max_length=READ_MAX, description="of a read; none: the live values")
