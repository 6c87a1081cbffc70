"""The modelled parts: what a write does, what a cut leaves, what wears."""

import dataclasses

import pytest

from nyala.meter.memory.device import BLANK, ERASE_STEPS, Device, Supply, SupplyLostError
from nyala.meter.memory.parts import Kind, Part, part, part_table
from nyala.vocab.errors import BadArgumentError, UnknownError


def device(name: str, seed: int = 0) -> Device:
    return Device(part(name), Supply(), seed=seed)


def tear(each: Device, address: int, data: bytes, point: int) -> None:
    each.supply.fail_after(point)
    with pytest.raises(SupplyLostError):
        each.write(address, data)
    each.supply.restore()


@pytest.mark.parametrize("row", part_table().values(), ids=part_table())
def test_every_part_has_figures_and_their_source(row: Part):
    assert row.title
    assert row.source
    assert row.size_bytes % row.sector_bytes == row.sector_bytes % row.page_bytes == 0
    assert (row.erase_us > 0) == (row.kind is Kind.FLASH)
    assert row.endurance >= 100_000
    assert row.byte_bus_ns > 0


def test_the_parts_are_those_of_the_brief_of_the_hardware():
    eeprom, flash, fram = part("eeprom"), part("flash"), part("fram")
    assert (eeprom.endurance, eeprom.page_write_us) == (10**6, 5000)
    assert (flash.sector_bytes, flash.page_bytes, flash.endurance) == (4096, 256, 10**5)
    assert fram.endurance >= 10**13
    assert eeprom.write_us(129) == 2 * 5000 + 2903
    with pytest.raises(UnknownError):
        part("core")
    with pytest.raises(BadArgumentError):
        dataclasses.replace(eeprom, page_bytes=100)


@pytest.mark.parametrize("name", part_table())
def test_a_new_part_is_blank_and_what_is_written_reads_back_over_pages(name):
    each = device(name)
    page = each.part.page_bytes
    assert each.read(0, 300) == bytes([BLANK]) * 300
    data = bytes(at & 0xFF for at in range(2 * page + 3))
    each.write(page - 1, data)
    assert each.read(page - 2, len(data) + 2) == bytes([BLANK]) + data + bytes([BLANK])
    assert each.supply.points == len(data)


def test_flash_only_clears_bits_until_its_sector_is_erased():
    flash = device("flash")
    flash.write(4096, b"\xf0\x0f")
    flash.write(4096, b"\x3c\x3c")
    assert flash.read(4096, 2) == b"\x30\x0c"
    flash.erase(4096)
    assert flash.read(4096, 2) == b"\xff\xff"
    assert flash.wear == {1: 1}


def test_an_eeprom_page_wears_with_each_cycle():
    eeprom = device("eeprom")
    eeprom.write(100, bytes(200))
    eeprom.write(0, b"a")
    assert eeprom.wear == {0: 2, 1: 1, 2: 1}


@pytest.mark.parametrize("name", ["eeprom", "fram"])
@pytest.mark.parametrize("point", [0, 1, 5, 7])
def test_a_torn_write_is_a_prefix_an_undefined_byte_and_the_old(name, point):
    each = device(name, seed=3)
    each.write(0, b"oldoldol")
    tear(each, 0, b"NEWNEWNE", point)
    reads = {each.read(0, 8) for _ in range(60)}
    assert {read[:point] for read in reads} == {b"NEWNEWNE"[:point]}
    assert {read[point + 1 :] for read in reads} == {b"oldoldol"[point + 1 :]}
    assert {b"oldoldol"[point], b"NEWNEWNE"[point]} < {read[point] for read in reads}
    each.write(0, b"NEWNEWNE")
    assert {each.read(0, 8) for _ in range(20)} == {b"NEWNEWNE"}


def test_a_torn_flash_byte_is_uncertain_only_in_the_bits_that_were_being_cleared():
    flash = device("flash", seed=3)
    tear(flash, 0, b"\x0f", 0)
    reads = {flash.read(0, 1)[0] for _ in range(200)}
    assert {0xFF, 0x0F} < reads
    assert all(read & 0x0F == 0x0F for read in reads)
    flash.write(0, b"\x3f")
    assert {flash.read(0, 1)[0] & 0xC0 for _ in range(50)} == {0}
    assert len({flash.read(0, 1)[0] for _ in range(50)}) > 1
    flash.write(0, b"\x0f")
    assert {flash.read(0, 1) for _ in range(50)} == {b"\x0f"}


@pytest.mark.parametrize("point", range(ERASE_STEPS))
def test_a_torn_erase_leaves_what_only_a_new_erase_settles(point):
    flash = device("flash", seed=9)
    flash.write(0, bytes(4096))
    flash.write(4096, b"next")
    flash.supply.fail_after(point)
    with pytest.raises(SupplyLostError):
        flash.erase(0)
    flash.supply.restore()
    assert flash.read(0, 4096) != flash.read(0, 4096)
    assert flash.read(4096, 4) == b"next"
    flash.erase(0)
    assert flash.read(0, 4096) == bytes([BLANK]) * 4096
    assert flash.wear == {0: 2}


def test_without_supply_nothing_goes():
    eeprom = device("eeprom")
    eeprom.supply.fail_after(0)
    for use in (lambda: eeprom.write(0, b"a"), lambda: eeprom.write(0, b"a"), lambda: eeprom.read(0, 1)):
        with pytest.raises(SupplyLostError):
            use()


def test_the_same_seed_gives_the_same_undefined_bytes():
    reads = []
    for seed in (1, 1, 2):
        each = device("eeprom", seed)
        tear(each, 0, b"abc", 1)
        reads.append([each.read(0, 3) for _ in range(20)])
    assert reads[0] == reads[1] != reads[2]


def test_a_use_beyond_the_part_is_a_bug():
    eeprom = device("eeprom")
    with pytest.raises(AssertionError):
        eeprom.read(65536, 1)
    with pytest.raises(AssertionError):
        eeprom.erase(0)
    with pytest.raises(AssertionError):
        device("flash").erase(100)
