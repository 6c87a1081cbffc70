"""Campaigns of blocks - firmware and tables for many meters - as they are ordered and shown."""

from typing import Final

from pydantic import Base64Bytes, BaseModel, Field, model_validator

from nyala.api.shapes.configuration import SettingIn
from nyala.headend.campaign_life import TRANSITIONS, CampaignRow
from nyala.lorawan.packages.blocks import BLOCK_MAX
from nyala.vocab.time import US_PER_S

METERS_MAX: Final = 10_000
"""Meters of one campaign."""


class BlockMetersIn(BaseModel):
    """For whom: a group, or listed meters."""

    group: int | None = None
    meters: list[int] = Field(default=[], max_length=METERS_MAX)
    reason: str = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _one(self) -> "BlockMetersIn":
        if (self.group is None) != bool(self.meters):
            raise ValueError("say a group or meters")
        return self


class FirmwareIn(BlockMetersIn):
    """An image for many meters.  `activate_s`: from when it is to run; none: as soon as the meters have it."""

    image: Base64Bytes = Field(max_length=BLOCK_MAX * 2, description="a signed image, as `nyala firmware sign` makes it")
    activate_s: int | None = Field(default=None, ge=0)


class TableIn(BlockMetersIn):
    """A setting for many meters: a tariff calendar with the instant from which it holds."""

    setting: SettingIn


class BlockCampaignOut(BaseModel):
    """A campaign.  `counts`: meters by where they stand; `fragments` of `fragments_total` were said; `start_s`: from when an
    image is to run, as it was told to the meters; 0: not yet.  `moves`: what may be said to it now.
    """

    id: int
    kind: str
    version: int
    name: str
    reason: str
    state: str
    phase: str
    bytes: int
    meters: int
    counts: dict[str, int]
    fragments: int
    fragments_total: int
    orders: int
    activate_s: int
    start_s: int
    created_s: int
    created_by: str
    approved_by: str
    updated_s: int
    moves: list[str]

    @classmethod
    def of(cls, row: CampaignRow) -> "BlockCampaignOut":
        """A campaign with its report."""
        report = row.report
        return cls(
            id=row.id,
            kind=row.kind.name.lower(),
            version=row.version,
            name=row.order.name,
            reason=row.order.reason,
            state=row.state.value,
            phase=report.get("phase", ""),
            bytes=len(row.plan.block),
            meters=len(row.dev_euis),
            counts=report.get("devices", {}),
            fragments=report.get("fragments", 0),
            fragments_total=report.get("total", 0),
            orders=report.get("orders", 0),
            activate_s=row.order.activate_us // US_PER_S,
            start_s=report.get("start_us", 0) // US_PER_S,
            created_s=row.created_us // US_PER_S,
            created_by=row.created_by,
            approved_by=row.approved_by,
            updated_s=row.updated_us // US_PER_S,
            moves=[event.value for state, event in TRANSITIONS if state is row.state and event.value != "end"],
        )


class BlockCampaignsOut(BaseModel):
    """A page of campaigns, newest first."""

    items: list[BlockCampaignOut]
    next: int | None


class BlockMeterOut(BaseModel):
    """What became of one meter.  `missing`: fragments that it lacks, as it last said; `firmware`: what it last said it runs."""

    meter_id: int
    serial: str
    state: str
    missing: int | None
    why: str
    firmware: int | None


class BlockMetersOut(BaseModel):
    """A page of meters of a campaign, by DevEUI."""

    items: list[BlockMeterOut]
    next: int | None
