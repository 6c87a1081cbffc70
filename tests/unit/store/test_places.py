"""Where sites are, and the sites of an incident; tenants are walls."""

import pytest

from nyala.headend.storms_shapes import Entry, Incident, Scope, Taken
from nyala.store import incidents, meters, places
from nyala.store.engine import writing
from nyala.vocab.centre_alarms import POWER_FAILED
from nyala.vocab.errors import UnknownError
from nyala.vocab.places import Place
from tests.unit.store.filled import NOW_US, START_S, new_meter

MONAS, KOTA = Place(-6_175_392, 106_827_153), Place(-6_137_645, 106_814_214)


@pytest.fixture
def town(engine):
    """Three meters at two sites, one of them placed; a neighbour at a site of the same name."""
    new = [
        new_meter(1, site="Monas", feeder="F7", place=MONAS),
        new_meter(2, site="Monas", feeder="F7", place=MONAS),
        new_meter(3, site="Kota", feeder="F7"),
    ]
    meters.onboard(engine, meters.tenant_id(engine, "t"), new)
    meters.onboard(engine, meters.tenant_id(engine, "other"), [new_meter(4, site="Monas", place=KOTA)])
    return engine


def lines(found):
    return [(line.site, line.place, line.meters, line.meters_on) for line in found]


def test_a_meter_is_onboarded_with_its_feeder_and_the_place_of_its_site(town):
    with town.connect() as connection:
        assert [record.feeder for record in meters.load_records(connection)] == ["F7", "F7", "F7", ""]
        assert lines(places.sites_of(connection, 1)) == [("Kota", None, 1, 1), ("Monas", MONAS, 2, 2)]
        assert lines(places.sites_of(connection, 2)) == [("Monas", KOTA, 1, 1)]


def test_a_site_moves_where_it_is_said_to_be(town):
    for place in (MONAS, KOTA):
        with writing(town) as connection:
            places.put_known(connection, 1, "Kota", place)
    with town.connect() as connection:
        assert [line.place for line in places.sites_of(connection, 1)] == [KOTA, MONAS]
        assert [line.place for line in places.sites_of(connection, 2)] == [KOTA]


def test_a_site_of_nobody_or_a_neighbour_has_no_place(town):
    for tenant, site in ((1, "Nowhere"), (2, "Kota")):
        with writing(town) as connection, pytest.raises(UnknownError, match=site):
            places.put_known(connection, tenant, site, MONAS)


def test_an_incident_is_where_its_meters_are(town):
    incident = Incident(1, 1, POWER_FAILED, Scope.FEEDER, "F7", START_S, START_S, NOW_US, NOW_US, 3, 2)
    entries = [
        Entry(number, POWER_FAILED, START_S, NOW_US, None, cleared, 1)
        for number, cleared in ((1, None), (2, START_S + 9), (3, None))
    ]
    with writing(town) as connection:
        incidents.write(connection, Taken(entries=entries, incidents=[incident]))
    with town.connect() as connection:
        assert incidents.incident_by_id(connection, 1, 1).scope is Scope.FEEDER
        assert lines(places.sites_of_incident(connection, incident)) == [("Kota", None, 1, 1), ("Monas", MONAS, 2, 1)]
