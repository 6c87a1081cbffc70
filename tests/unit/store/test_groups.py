"""Multicast groups and campaigns: every field comes back, counters are kept, keys lie wrapped and follow the wrapping key."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from nyala.headend.campaign_life import CampaignState
from nyala.headend.ports import Changes
from nyala.store import groups, schema
from nyala.store.rekey import rekey
from tests.unit.store.filled import campaign, everything, group, onboard, write


def plain(said):
    """A group with keys that can be compared."""
    return replace(said, nwk_s_key=said.nwk_s_key.value, app_s_key=said.app_s_key.value)


@pytest.fixture
def connection(engine):
    onboard(engine)
    with engine.connect() as opened:
        yield opened


def test_a_group_and_a_campaign_come_back_as_they_were_written(connection, engine):
    write(engine, everything())
    assert list(map(plain, groups.load_groups(connection))) == [plain(group())]
    assert groups.running_campaigns(connection) == groups.newest_campaigns(connection) == [campaign()]
    assert groups.next_campaign_id(connection) == 2


def test_the_newest_state_of_both_is_kept(connection, engine):
    ended = group(ended=True, f_cnt=2**32 - 1)
    over = campaign(state=CampaignState.OVER, report={"devices": {"whole": 2}})
    write(engine, everything(), Changes(groups=[ended, group(0x01FF0001)], campaigns=[over, campaign(2)]))
    assert list(map(plain, groups.load_groups(connection))) == [plain(ended), plain(group(0x01FF0001))]
    assert groups.running_campaigns(connection) == [campaign(2)]
    assert groups.newest_campaigns(connection) == [campaign(2), over]
    assert groups.newest_campaigns(connection, 1) == [campaign(2)]


def test_keys_of_groups_are_wrapped_and_wrapped_anew(connection, engine):
    write(engine, everything())
    columns = schema.multicast_group.c
    keys = [group().nwk_s_key.value, group().app_s_key.value, campaign().plan.mc_key]

    def stored():
        said = connection.execute(select(columns.nwk_s_key, columns.app_s_key)).one()
        return [*said, connection.scalar(select(schema.campaign.c.mc_key))]

    before = stored()
    assert not any(key in blob for key in keys for blob in before)
    connection.rollback()
    rekey(engine)
    assert all(old != new for old, new in zip(before, stored(), strict=True))
    assert list(map(plain, groups.load_groups(connection))) == [plain(group())]
    assert groups.running_campaigns(connection) == [campaign()]
