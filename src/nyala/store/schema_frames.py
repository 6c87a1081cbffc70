"""The table of the windows of frames; conventions of `schema`."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table

from nyala.store.schema import metadata

frame_window = Table(
    "frame_window",
    metadata,
    Column("meter_id", ForeignKey("meter.id"), primary_key=True, autoincrement=False),
    Column("kept", LargeBinary, nullable=False),  # as `telegram.kept` writes it
)
