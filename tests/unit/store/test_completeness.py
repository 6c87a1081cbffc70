"""Completeness by site, feeder, group, gateway and meter over a small town, on both databases."""

import pytest

from nyala.headend.completeness import By
from nyala.headend.lifecycle import Life, LifeRow
from nyala.headend.ports import Changes
from nyala.headend.registry import MeterState
from nyala.lorawan.network.sessions import SessionRow
from nyala.store import completeness, groups_of_meters, meters
from nyala.store.groups_of_meters import Group
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quality import Quality
from nyala.vocab.time import DAY_S, US_PER_S
from tests.unit.store.filled import DAY, GATEWAY, SETTINGS, START_S, load_day, new_meter, write

NOW_US = (START_S + 3 * DAY_S) * US_PER_S
HEARD_US = NOW_US - 60 * US_PER_S


def session(number, gateway):
    return SessionRow(0xD0000 + number, number, bytes(16), bytes(16), 1, 1, True, dict(SETTINGS), ((gateway, 5.0), (1, 0.0)))


@pytest.fixture
def town(engine):
    """1 and 2 in Kota (the second is silent and lacks 6 of 96), 3 in Monas (8 estimated), 4 removed at noon, 5 in stock."""
    new = [
        new_meter(n, site=site, feeder="F7" if n < 3 else "")
        for n, site in enumerate(["Kota", "Kota", "Monas", "Monas", "Monas"], 1)
    ]
    meters.onboard(engine, meters.tenant_id(engine, "t"), new)
    meters.onboard(engine, meters.tenant_id(engine, "other"), [new_meter(6, site="Kota")])
    noon_s = START_S + DAY_S // 2
    days = [load_day([5] * count, meter_id=n) for n, count in ((1, 96), (2, 90), (3, 96), (4, 48), (6, 1))]
    guessed = load_day([5] * 8, meter_id=3, day=DAY + 1, quality=Quality.LINEAR)
    write(
        engine,
        Changes(
            sessions=[session(1, GATEWAY), session(2, GATEWAY + 1)],
            states=[
                MeterState(n, last_heard_us=us) for n, us in ((1, HEARD_US), (2, NOW_US - DAY_S * US_PER_S), (3, HEARD_US))
            ],
            load_days=[*days, guessed],
            lives=[LifeRow(4, Life.REMOVED, NOW_US, noon_s), LifeRow(5, Life.IN_STOCK, NOW_US)],
        ),
    )
    groups_of_meters.add_group(engine, Group(0, 1, "some", fixed=True), [1, 3], by="ani", now_us=NOW_US)
    groups_of_meters.add_group(engine, Group(0, 1, "kota", fixed=False, site="Kota"), [], by="ani", now_us=NOW_US)
    groups_of_meters.add_group(engine, Group(0, 2, "theirs", fixed=False), [], by="ani", now_us=NOW_US)
    return engine


def shown(engine, by, *, tenant=1, days=1, **said):
    with engine.connect() as connection:
        found = completeness.table(connection, tenant, by, DAY, DAY + days, NOW_US, **said)
    return {
        line.name: (line.meters, line.silent, [(d.expected, d.received, d.estimated) for d in line.days])
        for line in found.lines
    }


def test_by_site_the_worst_first(town):
    found = shown(town, By.SITE)
    assert found == {"Kota": (2, 1, [(192, 186, 0)]), "Monas": (2, 0, [(144, 144, 0)])}
    assert list(found) == ["Kota", "Monas"]


def test_a_second_day_shows_what_was_estimated_and_what_nobody_sent(town):
    assert shown(town, By.SITE, days=2)["Monas"][2][1] == (96, 0, 8)
    assert shown(town, By.SITE, days=2)["Kota"][2][1] == (192, 0, 0)


def test_by_feeder_group_gateway_and_meter(town):
    assert shown(town, By.FEEDER) == {"F7": (2, 1, [(192, 186, 0)]), "": (2, 0, [(144, 144, 0)])}
    assert shown(town, By.GROUP) == {"kota": (2, 1, [(192, 186, 0)]), "some": (2, 0, [(192, 192, 0)])}
    gateways = shown(town, By.GATEWAY)
    assert gateways[f"{GATEWAY + 1:016x}"] == (1, 1, [(96, 90, 0)])
    assert gateways[""] == (2, 0, [(144, 144, 0)])
    assert shown(town, By.METER)["N00004"] == (1, 0, [(48, 48, 0)])


def test_one_line_opens_into_others(town):
    assert set(shown(town, By.METER, within=(By.SITE, "Kota"))) == {"N00001", "N00002"}
    assert set(shown(town, By.METER, within=(By.GATEWAY, f"{GATEWAY:016x}"))) == {"N00001"}
    assert set(shown(town, By.SITE, within=(By.GROUP, "1"))) == {"Kota", "Monas"}
    assert shown(town, By.METER, within=(By.SITE, "Nowhere")) == {}


def test_tenants_are_walls(town):
    assert shown(town, By.SITE, tenant=2) == {"Kota": (1, 0, [(96, 1, 0)])}
    assert set(shown(town, By.GROUP, tenant=2)) == {"theirs"}
    assert shown(town, By.METER, tenant=2, within=(By.GROUP, "2")) == {}


def test_a_table_has_its_limit_and_says_how_much_there_is(town):
    with town.connect() as connection:
        found = completeness.table(connection, 1, By.METER, DAY, DAY + 1, NOW_US, limit=1)
        assert ([each.name for each in found.lines], found.total) == (["N00002"], 4)
        with pytest.raises(BadArgumentError):
            completeness.table(connection, 1, By.METER, DAY, DAY, NOW_US)
