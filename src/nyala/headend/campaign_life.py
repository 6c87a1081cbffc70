"""Campaigns of blocks as they are stored: what was ordered, and the states from the order to the end.  Values only."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from nyala.lorawan.packages.campaign import Plan
from nyala.telegram.blocks import VERSION_BITS, BlockKind


class CampaignState(StrEnum):
    """Where a campaign stands."""

    AWAITING = "awaiting_approval"
    RUNNING = "running"
    CANCELLING = "cancelling"
    """Meters that were told to start an image are told not to."""
    OVER = "over"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class CampaignEvent(StrEnum):
    """What may happen to a campaign."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    END = "end"


_S, _E = CampaignState, CampaignEvent
TRANSITIONS: Final[dict[tuple[CampaignState, CampaignEvent], CampaignState]] = {
    (_S.AWAITING, _E.APPROVE): _S.RUNNING,
    (_S.AWAITING, _E.REJECT): _S.REJECTED,
    (_S.AWAITING, _E.CANCEL): _S.CANCELLED,
    (_S.RUNNING, _E.CANCEL): _S.CANCELLING,
    (_S.RUNNING, _E.END): _S.OVER,
    (_S.CANCELLING, _E.END): _S.CANCELLED,
}
OPEN: Final = (_S.AWAITING, _S.RUNNING, _S.CANCELLING)


@dataclass(frozen=True, slots=True)
class Order:
    """What a person said of a campaign.  `activate_us`: from when an image is to run; 0: as soon as the meters have it."""

    tenant_id: int = 0
    name: str = ""
    reason: str = ""
    activate_us: int = 0
    needs_approval: bool = False
    key: str | None = None


@dataclass(slots=True)
class CampaignRow:
    """A campaign as it is stored.  `dev_euis`: for whom; `report`: how it stood at its last change of phase."""

    id: int
    plan: Plan
    dev_euis: tuple[int, ...]
    created_us: int
    created_by: str
    updated_us: int
    state: CampaignState = CampaignState.RUNNING
    report: dict[str, Any] = field(default_factory=dict)
    order: Order = Order()
    approved_by: str = ""

    @property
    def kind(self) -> BlockKind:
        """What its block is for."""
        return BlockKind(self.plan.descriptor >> VERSION_BITS)

    @property
    def version(self) -> int:
        """The version of its block."""
        return self.plan.descriptor & (1 << VERSION_BITS) - 1
