"""The glass: every row of its table, and characters as segments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.display.segments import CODE_DIGITS, DIGITS, FONT, MASKS, all_segments, annunciators, read, spell
from nyala.vocab.alarms import alarm_table
from nyala.vocab.errors import BadArgumentError

VALUES = st.lists(st.tuples(st.sampled_from([each for each in FONT if each != " "]), st.booleans()), max_size=DIGITS)


def test_the_font_has_a_pattern_of_its_own_for_every_character():
    assert len(set(MASKS.values())) == len(MASKS)


@pytest.mark.parametrize(
    ("character", "pattern"),
    [("0", 0x3F), ("1", 0x06), ("2", 0x5B), ("4", 0x66), ("7", 0x07), ("8", 0x7F), ("E", 0x79), ("-", 0x40)],
)
def test_masks_are_those_that_every_data_sheet_prints(character, pattern):
    # The usual seven-segment code, bit 0 = a: for instance table 1 of any common-cathode driver's data sheet.
    assert MASKS[character] == pattern


@given(VALUES)
def test_what_is_spelled_reads_back(cells):
    text = "".join(character + "." * point for character, point in cells)
    masks = spell(text, DIGITS)
    assert len(masks) == DIGITS
    assert read(masks) == text


def test_text_is_right_aligned_and_a_point_takes_no_digit():
    assert spell("1.8.0", CODE_DIGITS) == (0, 0, 0, 0, 0x86, 0xFF, 0x3F)


@pytest.mark.parametrize("text", ["123456789", "x", "1..2", ".1", "KWh"])
def test_what_the_glass_cannot_show_is_refused(text):
    with pytest.raises(BadArgumentError):
        spell(text, DIGITS)


def test_the_glass_has_eight_segments_a_digit_and_the_annunciators_of_the_table():
    assert len(all_segments()) == 8 * (DIGITS + CODE_DIGITS) + len(annunciators())


@pytest.mark.parametrize("row", annunciators().values(), ids=lambda row: row.name)
def test_every_annunciator_has_a_mark_and_a_meaning(row):
    assert row.mark
    assert row.meaning
    assert [each.name for each in annunciators().values() if each.mark == row.mark] == [row.name]


@pytest.mark.parametrize("row", alarm_table(), ids=lambda row: row.name)
def test_every_alarm_lights_the_sign_that_the_alarm_table_names(row):
    groups = {each.group for each in annunciators().values() if row.alarm in each.alarms}
    assert groups == ({"alarm"} if row.sign == "none" else {"alarm", row.sign})
