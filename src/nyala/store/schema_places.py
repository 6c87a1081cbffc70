"""The table of places: where the sites of meters are; conventions of `schema`."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table

from nyala.store.schema import metadata

site_place = Table(
    "site_place",
    metadata,
    Column("tenant_id", ForeignKey("tenant.id"), primary_key=True),
    Column("site", String(120), primary_key=True),
    Column("lat_udeg", Integer, nullable=False),  # WGS 84, millionths of a degree: a tenth of a metre
    Column("lon_udeg", Integer, nullable=False),
)
