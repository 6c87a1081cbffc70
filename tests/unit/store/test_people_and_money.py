"""Users and their logins, tariffs, bills: what is kept, and whose it is."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from nyala.billing.run import Account, NewBill
from nyala.headend.ports import Changes
from nyala.store import bills, meters, schema, tariffs, users
from nyala.store.bills import TenantBills
from nyala.vocab.errors import ConflictError, UnknownError
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel
from tests.unit.store.filled import DAY, START_S, load_day, new_meter, onboard, write

NOW_S = 1_000_000
MONTH = "2025-11"


@pytest.fixture
def tenant(engine):
    onboard(engine, 4)
    return meters.tenant_id(engine, "t")


@pytest.fixture
def neighbour(engine, tenant):
    found = meters.tenant_id(engine, "neighbour")
    meters.onboard(engine, found, [new_meter(9)])
    return found


# -- users


def add_user(engine, tenant, name="ani", role="viewer"):
    users.add(engine, tenant, name, "hash of it", role, "id", NOW_S)
    with engine.connect() as connection:
        return users.by_name(connection, name)[0]


def of_login(engine, token, now_s=NOW_S):
    with engine.connect() as connection:
        return users.of_login(connection, token, now_s)


def test_a_user_is_found_by_name_with_the_hash(engine, tenant):
    user = add_user(engine, tenant)
    assert user == users.User(1, tenant, "t", "ani", "viewer", "id")
    with engine.connect() as connection:
        assert users.by_name(connection, "ani") == (user, "hash of it")
        assert users.count(connection) == 1
        with pytest.raises(UnknownError, match="unknown user: budi"):
            users.by_name(connection, "budi")


def test_a_name_is_given_once_over_all_tenants(engine, tenant, neighbour):
    add_user(engine, tenant)
    with pytest.raises(ConflictError, match="user 'ani' is there already"):
        add_user(engine, neighbour)


def test_a_login_lasts_until_its_end(engine, tenant):
    user = add_user(engine, tenant)
    users.log_in(engine, user.id, "token", NOW_S, NOW_S + 60)
    assert of_login(engine, "token", NOW_S + 59) == user
    assert of_login(engine, "token", NOW_S + 60) is None
    assert of_login(engine, "another") is None


def test_logging_out_ends_one_login(engine, tenant):
    user = add_user(engine, tenant)
    for token in ("a", "b"):
        users.log_in(engine, user.id, token, NOW_S, NOW_S + 60)
    users.log_out(engine, "a")
    users.log_out(engine, "never there")
    assert (of_login(engine, "a"), of_login(engine, "b")) == (None, user)


def test_logins_that_have_ended_are_dropped(engine, tenant):
    user = add_user(engine, tenant)
    for number in range(5):
        users.log_in(engine, user.id, f"token{number}", NOW_S + 100 * number, NOW_S + 100 * number + 60)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.login)) == 1


# -- tariffs


def newest(engine, tenant, code="pln-b3"):
    with engine.connect() as connection:
        return tariffs.newest_of(connection, tenant, code)


def test_a_later_text_does_not_replace_an_earlier_one(engine, tenant):
    first = tariffs.add(engine, tenant, "pln-b3", "first", NOW_S)
    second = tariffs.add(engine, tenant, "pln-b3", "second", NOW_S + 9)
    assert newest(engine, tenant) == second
    with engine.connect() as connection:
        assert [tariffs.by_id(connection, each.id).text for each in (first, second)] == ["first", "second"]


def test_the_same_text_again_is_the_same_tariff(engine, tenant):
    first = tariffs.add(engine, tenant, "pln-b3", "text", NOW_S)
    assert tariffs.add(engine, tenant, "pln-b3", "text", NOW_S + 9) == first


def test_two_texts_of_one_second_stand_after_each_other(engine, tenant):
    for text in ("first", "second", "first"):
        tariffs.add(engine, tenant, "pln-b3", text, NOW_S)
    assert (newest(engine, tenant).text, newest(engine, tenant).loaded_s) == ("first", NOW_S + 2)


def test_a_tariff_of_a_neighbour_or_of_nobody_is_unknown(engine, tenant, neighbour):
    tariffs.add(engine, tenant, "pln-b3", "text", NOW_S)
    for who, code, named in ((neighbour, "pln-b3", "pln-b3"), (tenant, "pln-x", "pln-x"), (tenant, "", r"\(none given\)")):
        with pytest.raises(UnknownError, match=f"unknown tariff: {named}"):
            newest(engine, who, code)
    with engine.connect() as connection, pytest.raises(UnknownError, match="unknown tariff: 99"):
        tariffs.by_id(connection, 99)


# -- bills


@pytest.fixture
def tariff_id(engine, tenant):
    return tariffs.add(engine, tenant, "pln-b3", "text", NOW_S).id


def new_bill(tariff_id, meter_id=1, total="76927.39", month=MONTH):
    return NewBill(meter_id, month, tariff_id, total, "IDR", 10_000, 500, {"total": total})


def listed(engine, tenant, **said):
    with engine.connect() as connection:
        return bills.list_bills(connection, tenant, MONTH, **said)


def test_a_bill_comes_back_as_it_was_stored(engine, tenant, tariff_id):
    assert bills.add(engine, tenant, [new_bill(tariff_id)], NOW_S) == 1
    with engine.connect() as connection:
        row = bills.by_id(connection, tenant, 1)
        assert bills.of_meter(connection, 1, MONTH) == row
    assert row == bills.BillRow(1, tenant, 1, MONTH, 1, tariff_id, NOW_S, "76927.39", "IDR", 10_000, 500, {"total": "76927.39"})


def test_the_same_bill_again_is_not_stored_and_another_is_a_next_version(engine, tenant, tariff_id):
    first = new_bill(tariff_id)
    assert [bills.add(engine, tenant, [made], NOW_S) for made in (first, first, new_bill(tariff_id, total="1"), first)] == [
        1,
        0,
        1,
        1,
    ]
    with engine.connect() as connection:
        found = [bills.of_meter(connection, 1, MONTH, version).total for version in (1, 2, 3, None)]
        assert found == ["76927.39", "1", "76927.39", "76927.39"]
        with pytest.raises(UnknownError, match="of meter 1 for 2025-11"):
            bills.of_meter(connection, 1, MONTH, 4)


def test_the_list_shows_the_newest_version_of_each_bill_by_pages(engine, tenant, tariff_id):
    bills.add(engine, tenant, [new_bill(tariff_id, number) for number in (1, 2, 3, 4)], NOW_S)
    bills.add(engine, tenant, [new_bill(tariff_id, 2, "5")], NOW_S)
    bills.add(engine, tenant, [new_bill(tariff_id, 1, "9", "2025-10")], NOW_S)
    first, following, total = listed(engine, tenant, limit=3)
    assert following is not None
    second, end, _ = listed(engine, tenant, limit=3, after=following)
    assert ([(b.meter_id, b.version, b.total) for b in first + second], total, end) == (
        [(1, 1, "76927.39"), (3, 1, "76927.39"), (4, 1, "76927.39"), (2, 2, "5")],
        4,
        None,
    )
    assert (first[0].serial, first[0].tariff, first[0].ct_ratio) == ("N00001", "pln-b3", (1, 1))
    with engine.connect() as connection:
        assert bills.months(connection, tenant) == [MONTH, "2025-10"]


def test_bills_of_a_neighbour_are_unknown(engine, tenant, neighbour, tariff_id):
    bills.add(engine, tenant, [new_bill(tariff_id)], NOW_S)
    assert listed(engine, neighbour) == ([], None, 0)
    with engine.connect() as connection:
        assert bills.months(connection, neighbour) == []
        with pytest.raises(UnknownError, match="unknown bill: 1"):
            bills.by_id(connection, neighbour, 1)


def test_a_batch_with_a_bill_that_cannot_be_stored_leaves_nothing(engine, tenant, tariff_id):
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        bills.add(engine, tenant, [new_bill(tariff_id), new_bill(tariff_id, meter_id=99)], NOW_S)
    assert listed(engine, tenant)[2] == 0


def test_a_bill_run_sees_its_tenant_and_the_import_only(engine, tenant, neighbour, tariff_id):
    days = [load_day([1]), load_day([2], day=DAY + 1), load_day([9], channel=Channel.EXPORT), load_day([3], day=DAY + 2)]
    write(engine, Changes(load_days=days))
    store = TenantBills(engine, tenant, NOW_S)
    assert [account.meter_id for account in store.accounts()] == [1, 2, 3, 4]
    assert store.accounts()[0] == Account(1, "N00001", "", "Asia/Jakarta", 1_300, (1, 1), START_S)
    assert [account.serial for account in TenantBills(engine, neighbour, NOW_S).accounts()] == ["N00009"]
    assert store.tariff("pln-b3") == (tariff_id, "text")
    assert store.tariff_text(tariff_id) == "text"
    assert [int(day.values[0]) for day in store.load_days(1, DAY, DAY + 2)] == [1, 2]


def test_a_bill_is_opened_down_to_the_versions_it_was_made_of(engine, tenant):
    old = load_day([1], quality=Quality.LINEAR)
    write(engine, Changes(load_days=[old]), Changes(load_days=[load_day([5], version=2)], superseded=[old]))
    store = TenantBills(engine, tenant, NOW_S)
    found = store.versions([(old.key, 2), (old.key, 1)])
    assert [(day.version, int(day.values[0])) for day in found] == [(2, 5), (1, 1)]


def test_adding_through_a_run_is_adding(engine, tenant, tariff_id):
    store = TenantBills(engine, tenant, NOW_S)
    made = [new_bill(tariff_id), replace(new_bill(tariff_id), meter_id=2)]
    assert [store.add(made), store.add(made)] == [2, 0]
