"""Orders of configuration, written and read back, with what became of each meter."""

import pytest

from nyala.headend.bulk_life import BulkState, MemberState
from nyala.headend.config_orders import ConfigMember
from nyala.headend.ports import Changes
from nyala.store import config_orders
from nyala.vocab.errors import UnknownError
from tests.unit.store.filled import config_order, everything, onboard, write

KEPT = {1: ConfigMember(1, MemberState.ORDERED, {"billing": 7}), 2: ConfigMember(2, MemberState.FAILED, {}, "no; ünïcode")}


def test_orders_with_meters_on_the_way_read_back_as_they_were(engine):
    onboard(engine, 3)
    ended = [config_order(2, state=BulkState.DONE), config_order(3, state=BulkState.CANCELLED)]
    members = [(2, ConfigMember(1, MemberState.VERIFIED)), (3, ConfigMember(3, MemberState.ORDERED, {"zone": 1}))]
    write(engine, everything(), Changes(config_orders=ended, config_members=members))
    with engine.connect() as connection:
        first, cancelled = config_orders.running(connection)
        assert (first, cancelled.id) == (config_order(members=KEPT), 3)
        assert config_orders.next_id(connection) == 4


def test_orders_are_found_with_their_counts_and_never_by_a_neighbour(engine):
    onboard(engine)
    write(engine, everything())
    with engine.connect() as connection:
        found = config_orders.by_id(connection, 1, 1)
        assert found == config_order()
        assert dict(found.tally) == {MemberState.ORDERED: 1, MemberState.FAILED: 1}
        assert config_orders.by_key(connection, "1:config-1") == found
        assert config_orders.by_key(connection, "none") is None
        with pytest.raises(UnknownError):
            config_orders.by_id(connection, 2, 1)


def test_the_list_leaves_out_orders_of_one_meter_and_its_pages_meet(engine):
    onboard(engine)
    orders = [config_order(number) for number in range(1, 5)]
    for order in orders[:3]:
        order.tally[MemberState.WAITING] = 2
    orders[3].tally[MemberState.WAITING] = 1
    write(engine, Changes(config_orders=orders))
    with engine.connect() as connection:
        page, after = config_orders.newest(connection, 1, after=None, limit=2)
        rest, end = config_orders.newest(connection, 1, after=after, limit=2)
        assert ([order.id for order in page + rest], end) == ([3, 2, 1], None)
        assert config_orders.newest(connection, 2, after=None, limit=2) == ([], None)


def test_the_meters_of_an_order_come_by_serial_number_and_by_state(engine):
    onboard(engine)
    write(engine, everything())
    with engine.connect() as connection:
        page, after = config_orders.members_of(connection, 1, None, after="", limit=1)
        rest, end = config_orders.members_of(connection, 1, None, after=after or "", limit=1)
        assert ([serial for serial, _ in page + rest], end) == (["N00001", "N00002"], None)
        assert [member for _, member in page + rest] == list(KEPT.values())
        failed, _ = config_orders.members_of(connection, 1, MemberState.FAILED, after="", limit=9)
        assert failed == [("N00002", KEPT[2])]


def test_the_history_of_a_meter_is_its_orders_the_newest_first(engine):
    onboard(engine)
    more = Changes(config_orders=[config_order(2)], config_members=[(2, ConfigMember(1, MemberState.VERIFIED, {"zone": 2}))])
    write(engine, everything(), more)
    with engine.connect() as connection:
        told = config_orders.of_meter(connection, 1)
        assert [(order.id, member.versions) for order, member in told] == [(2, {"zone": 2}), (1, {"billing": 7})]
        assert config_orders.of_meter(connection, 3) == []
