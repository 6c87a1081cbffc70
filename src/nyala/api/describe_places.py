"""What responses say of completeness and of places.  No I/O."""

from nyala.api.shapes.completeness import CompletenessLineOut, CompletenessTableOut, SiteOut
from nyala.headend.completeness import By, Table
from nyala.store.places import SiteLine
from nyala.vocab.time import day_text


def table_out(by: By, table: Table) -> CompletenessTableOut:
    """A table by columns."""
    lines = [
        CompletenessLineOut(
            key=line.key,
            name=line.name,
            meters=line.meters,
            silent=line.silent,
            expected=[day.expected for day in line.days],
            received=[day.received for day in line.days],
            estimated=[day.estimated for day in line.days],
            missing=line.missing,
        )
        for line in table.lines
    ]
    days = [day_text(table.first_day + n) for n in range(table.days)]
    return CompletenessTableOut(by=by.value, days=days, lines=lines, total=table.total)


def site_out(line: SiteLine) -> SiteOut:
    """A site."""
    lat, lon = (None, None) if line.place is None else (line.place.lat, line.place.lon)
    return SiteOut(site=line.site, lat=lat, lon=lon, meters=line.meters, meters_on=line.meters_on)
