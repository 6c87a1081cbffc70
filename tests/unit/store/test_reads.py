"""Read plans, written and read back, and what their runs have brought."""

import pytest

from nyala.headend.ports import Changes, RegisterRow
from nyala.store import groups_of_meters, reads
from nyala.store.groups_of_meters import Group
from nyala.vocab.errors import UnknownError
from nyala.vocab.quantities import quantity
from tests.unit.store.filled import NOW_US, everything, onboard, read_plan, write

RUN_S = NOW_US // 1_000_000
P_W = quantity("p_w").code


def test_plans_read_back_as_they_were_until_they_end(engine):
    onboard(engine)
    write(engine, everything(), Changes(read_plans=[read_plan(2, name="a", key=None), read_plan(3, key=None, ended_us=NOW_US)]))
    with engine.connect() as connection:
        assert reads.running(connection) == [read_plan(), read_plan(2, name="a", key=None)]
        assert [plan.id for plan in reads.plans_of(connection, 1)] == [2, 1]
        assert reads.plans_of(connection, 2) == []
        assert reads.by_key(connection, "1:reads") == read_plan()
        assert reads.by_key(connection, "none") is None
        assert reads.by_id(connection, 1, 3).ended_us == NOW_US
        assert reads.next_id(connection) == 4
        with pytest.raises(UnknownError):
            reads.by_id(connection, 2, 1)


def test_pages_of_what_a_run_brought_meet_and_keep_the_first_value_of_the_run(engine):
    onboard(engine, 3)
    groups_of_meters.add_group(engine, Group(0, 1, "all", fixed=False), [], by="ani", now_us=NOW_US)
    said = [(1, RUN_S - 3_600, 5), (1, RUN_S + 1, 6), (1, RUN_S + 900, 7), (3, RUN_S + 2, 8)]
    plan = read_plan(meter_id=None, group_id=1)
    write(engine, Changes(read_plans=[plan], registers=[RegisterRow(meter, P_W, at_s, value) for meter, at_s, value in said]))
    with engine.connect() as connection:
        assert reads.members(connection, plan) == [1, 2, 3]
        page, after = reads.brought(connection, plan, after="", limit=2)
        assert after is not None
        rest, end = reads.brought(connection, plan, after=after, limit=2)
    assert [meter for meter, _, _ in page + rest] == [1, 2, 3]
    assert [values.get("p_w") for _, _, values in page + rest] == [(6, RUN_S + 1), None, (8, RUN_S + 2)]
    assert end is None
