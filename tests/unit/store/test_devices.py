"""The LoRaWAN side of a meter as a page reads it, and re-admission where no centre runs."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from nyala.headend.ports import Changes
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.network import nonces
from nyala.lorawan.network.sessions import Readmission, Root
from nyala.store import devices, meters
from nyala.vocab.errors import ConflictError, UnknownError
from tests.unit.store.filled import GATEWAY, NOW_US, new_meter, onboard, session, write

KEY = AesKey((1).to_bytes(16, "big"))


def lost(engine, *, refused_nonce=3):
    """Two meters; the first joined with nonce 90, and asks with a lower one since."""
    onboard(engine)
    root = Root(0xD0001, 1, KEY, 1, dev_nonce=90, join_nonce=4, joined_us=NOW_US)
    nonces.refuse(root, refused_nonce, NOW_US + 5)
    write(engine, Changes(roots=[root], sessions=[session()]))


def read(engine, what, *arguments, **said):
    with engine.connect() as connection:
        return what(connection, *arguments, **said)


def test_a_device_is_read_with_its_session_and_without_its_keys(engine):
    lost(engine)
    device = read(engine, devices.device_of, 1)
    assert (device.dev_eui, device.dev_addr, device.version, device.class_c) == (0xD0001, 1, "1.0.4", True)
    assert (device.joined_us, device.dev_nonce) == (NOW_US, 90)
    assert (device.refused_us, device.refused_nonce) == (NOW_US + 5, 3)
    assert (device.f_cnt_up, device.f_cnt_down) == (2**32, 2**31)
    assert device.heard_by == ((GATEWAY, 7.5), (GATEWAY + 1, -3.25))
    assert repr(KEY.value) not in repr(device)


def test_a_device_that_has_not_joined_has_no_session(engine):
    onboard(engine)
    device = read(engine, devices.device_of, 2)
    assert (device.settings, device.joined_us, device.heard_by, device.readmissions) == (None, None, (), ())
    with pytest.raises(UnknownError, match="unknown device of meter: 9"):
        read(engine, devices.device_of, 9)


def test_the_root_comes_back_as_it_was_written(engine):
    onboard(engine)
    root = Root(0xD0001, 1, KEY, 1, True, 65_535, 2**24 - 1, "1.0.4", NOW_US, NOW_US + 1, 0, bytes(range(8)))
    write(engine, Changes(roots=[root]))
    found = read(engine, meters.load_roots)[0]
    assert found.app_key.value == KEY.value
    assert replace(found, app_key=KEY) == root


def test_version_and_class_are_those_of_the_onboarding(engine):
    new = [new_meter(1, lorawan_version="1.0.3", class_c=False), new_meter(2)]
    meters.onboard(engine, meters.tenant_id(engine, "t"), new)
    assert [(root.version, root.class_c) for root in read(engine, meters.load_roots)] == [("1.0.3", False), ("1.0.4", True)]


def test_who_needs_re_admission_is_counted_and_listed(engine):
    lost(engine)
    neighbour = meters.tenant_id(engine, "neighbour")
    assert (read(engine, devices.lost_count, 1), read(engine, devices.lost_count, neighbour)) == (1, 0)
    page = read(engine, meters.list_meters, 1, lost=True)
    assert ([line.serial for line in page.items], page.total) == (["N00001"], 1)
    assert [line.refused_us for line in read(engine, meters.list_meters, 1).items] == [NOW_US + 5, None]
    assert read(engine, meters.list_meters, 1, lost=True, search="N00002").total == 0
    with engine.connect() as connection:
        assert meters.load_sessions(connection).lost == 1


def test_re_admission_is_one_unit_with_the_record_of_who_and_what(engine):
    lost(engine)
    devices.readmit(engine, "N00001", "cli:ani", NOW_US + 9)
    device = read(engine, devices.device_of, 1)
    assert (device.dev_nonce, device.refused_us, device.refused_nonce) == (-1, None, None)
    assert device.readmissions == (Readmission(NOW_US + 9, "cli:ani", 90, 3),)
    assert read(engine, meters.load_roots)[0].join_nonce == 4
    assert read(engine, devices.lost_count, 1) == 0


def test_every_re_admission_is_kept_the_newest_first(engine):
    lost(engine)
    for number in (1, 2):
        devices.readmit(engine, "N00001", "ani", NOW_US + 10 * number)
        root = read(engine, meters.load_roots)[0]
        nonces.use(root, 40 + number, NOW_US + 10 * number + 1)
        nonces.refuse(root, number, NOW_US + 10 * number + 2)
        write(engine, Changes(roots=[root]))
    found = read(engine, devices.device_of, 1).readmissions
    assert [(each.at_us, each.dev_nonce) for each in found] == [(NOW_US + 20, 41), (NOW_US + 10, 90)]


def test_a_record_of_a_re_admission_is_written_once_however_often_its_root_is(engine):
    lost(engine)
    root = read(engine, meters.load_roots)[0]
    nonces.readmit(root, "ani", NOW_US + 9, "key-1")
    write(engine, Changes(roots=[root]), Changes(roots=[root]))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM lorawan_readmission")) == 1
        assert devices.readmission_by_key(connection, 0xD0001, "key-1") == root.readmission
        assert devices.readmission_by_key(connection, 0xD0002, "key-1") is None


def test_who_is_not_there_or_does_not_need_it_is_refused(engine):
    lost(engine)
    with pytest.raises(UnknownError, match="unknown meter: N00009"):
        devices.readmit(engine, "N00009", "ani", NOW_US)
    with pytest.raises(ConflictError, match="needs no re-admission"):
        devices.readmit(engine, "N00002", "ani", NOW_US)
