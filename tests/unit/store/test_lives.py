"""Lives, exchanges, groups and campaigns, written and read back."""

import pytest

from nyala.headend.bulk import Member
from nyala.headend.bulk_life import BulkState, MemberState
from nyala.headend.lifecycle import Life, LifeRow
from nyala.headend.ports import Changes
from nyala.store import bulk, groups_of_meters, lifecycle, meters
from nyala.store.groups_of_meters import Group, Template
from nyala.vocab.errors import BadArgumentError, ConflictError, UnknownError
from tests.unit.store.filled import NOW_US, START_S, bulk_order, everything, exchange, new_meter, onboard, write


def test_a_unit_of_work_reads_back_as_it_was(engine):
    onboard(engine)
    unit = everything()
    write(engine, unit)
    with engine.connect() as connection:
        assert lifecycle.load_lives(connection) == unit.lives
        assert lifecycle.steps_of(connection, 1) == unit.life_steps
        [line] = lifecycle.exchanges_of(connection, 2)
        assert (line.old_meter_id, line.at_s, line.final) == (1, exchange().at_s, {"import_wh": 7})
        [order] = bulk.running(connection)
        assert order.members == {member.meter_id: member for _, member in unit.bulk_members}
        order.members = {}
        assert order == bulk_order()
        keyed = bulk.by_key(connection, "1:bulk")
        assert keyed is not None
        assert keyed.tally == {MemberState.ORDERED: 1, MemberState.FAILED: 1}
        assert lifecycle.uncounted(connection) == {1: START_S + 900}
        assert meters.meter_of_tenant(connection, 1, 2).installed_s == START_S


def test_a_campaign_is_followed_while_a_command_of_it_is_under_way(engine):
    onboard(engine)
    ended = bulk_order(state=BulkState.CANCELLED)
    write(engine, Changes(bulk_orders=[ended], bulk_members=[(1, Member(1, MemberState.ORDERED, 7))]))
    with engine.connect() as connection:
        assert [order.id for order in bulk.running(connection)] == [1]
    write(engine, Changes(bulk_members=[(1, Member(1, MemberState.VERIFIED, 7))]))
    with engine.connect() as connection:
        assert bulk.running(connection) == []
        assert bulk.next_id(connection) == 2


def test_pages_of_campaigns_and_of_their_meters_meet(engine):
    onboard(engine, 3)
    orders = [bulk_order(number, key=f"1:{number}") for number in (1, 2, 3)]
    members = [(1, Member(number)) for number in (1, 2, 3)]
    write(engine, Changes(bulk_orders=orders, bulk_members=members))
    with engine.connect() as connection:
        first, after = bulk.newest(connection, 1, after=None, limit=2)
        rest, end = bulk.newest(connection, 1, after=after, limit=2)
        assert ([order.id for order in first + rest], end) == ([3, 2, 1], None)
        page, more = bulk.members_of(connection, 1, None, after="", limit=2)
        assert more is not None
        tail, last = bulk.members_of(connection, 1, MemberState.WAITING, after=more, limit=2)
        assert ([serial for serial, _ in page + tail], last) == (["N00001", "N00002", "N00003"], None)
        with pytest.raises(UnknownError):
            bulk.by_id(connection, 2, 1)


def test_only_meters_on_a_wall_are_members_and_a_filter_follows_them(engine):
    tenant = meters.tenant_id(engine, "t")
    said = [new_meter(1, site="A"), new_meter(2, site="B"), new_meter(3, site="A", life=Life.IN_STOCK)]
    meters.onboard(engine, tenant, said)
    fixed = groups_of_meters.add_group(engine, Group(0, tenant, "f", fixed=True), [3, 2, 1], by="a", now_us=NOW_US)
    at_a = groups_of_meters.add_group(engine, Group(0, tenant, "A", fixed=False, site="A"), [], by="a", now_us=NOW_US)
    with engine.connect() as connection:
        assert groups_of_meters.members_of(connection, fixed) == [1, 2]
        assert groups_of_meters.members_of(connection, at_a) == [1]
    write(engine, Changes(lives=[LifeRow(1, Life.REMOVED, NOW_US, START_S), LifeRow(3, Life.ACTIVE, NOW_US)]))
    with engine.connect() as connection:
        assert groups_of_meters.members_of(connection, fixed) == [2, 3]
        assert groups_of_meters.members_of(connection, at_a) == [3]


def test_a_name_is_given_once_and_a_fixed_group_lists_its_meters(engine):
    onboard(engine)
    template = Template("x", 15, 60, "", "Asia/Jakarta")
    groups_of_meters.add_template(engine, 1, template)
    with pytest.raises(ConflictError, match="template 'x' is there already"):
        groups_of_meters.add_template(engine, 1, template)
    with pytest.raises(BadArgumentError, match="listed, or a filter"):
        groups_of_meters.add_group(engine, Group(0, 1, "f", fixed=True), [], by="a", now_us=NOW_US)
    with engine.connect() as connection:
        assert groups_of_meters.template_named(connection, 1, "x") == template
        with pytest.raises(UnknownError):
            groups_of_meters.template_named(connection, 2, "x")
