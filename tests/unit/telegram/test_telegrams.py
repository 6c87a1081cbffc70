"""All kinds of telegrams through the one way in: the tables, properties in pairs, bytes by hand, refusals."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram import messages
from nyala.telegram.codec import decode, encode
from nyala.telegram.config import ConfigPart, ConfigReport, Reported, pack_report
from nyala.telegram.interval_block import IntervalBlock, first_of
from nyala.telegram.intervals import ChannelBlock, Intervals
from nyala.telegram.kinds import PERIODS_S, UPLINK_PORTS, EventCode, Opcode, Port, Result
from nyala.telegram.messages import Answer, Command, Event, Hello
from nyala.telegram.values import Values
from nyala.vocab.errors import BadArgumentError, NyalaError, TelegramError
from nyala.vocab.quantities import Channel, catalogue
from tests.unit.telegram.strategies import telegrams

NOW_S = 1_760_000_000


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


# Each kind by bytes written by hand from the tables at the top of the modules.
BY_HAND = [
    (Port.HELLO, "14 01 0102 68e77780", Hello(model=1, firmware=0x0102, period_s=1800, clock_s=0x68E77780)),
    (Port.EVENT, "ff 02 68e77780 0000002a", Event(255, EventCode.SWITCH_OPENED, 0x68E77780, 42)),
    (Port.COMMAND, "0102 01", Command(0x0102, Opcode.SWITCH_OPEN)),
    (Port.COMMAND, "0102 02", Command(0x0102, Opcode.SWITCH_CLOSE)),
    (Port.COMMAND, "0102 03 00 56", Command(0x0102, Opcode.READ, quantities=("import_wh", "switch_state"))),
    (Port.COMMAND, "0102 04 0123456 3 005f", Command(0x0102, Opcode.BACKFILL, first=0x0123456, period_s=900, count=96)),
    # blocks of 6 intervals, a code of 3: the first one, the third and the last
    (
        Port.COMMAND,
        "0102 09 0123456 3 3 8000005",
        Command(0x0102, Opcode.BACKFILL_MAP, first=0x0123456, period_s=900, each=6, blocks=0x8000005),
    ),
    (Port.COMMAND, "0102 05 0101", Command(0x0102, Opcode.QUERY, asked=0x0101)),
    (Port.COMMAND, "0102 06", Command(0x0102, Opcode.DEMAND_RESET)),
    (
        Port.COMMAND,
        "0102 07 1 024 0003 deadbeef",
        Command(0x0102, Opcode.CONFIG_COMMIT, setting=1, length=0x24, version=3, check=0xDEADBEEF),
    ),
    (Port.COMMAND, "0102 08", Command(0x0102, Opcode.CONFIG_ASK)),
    (Port.CONFIG, "1 007 0003 0a0b", ConfigPart(1, 3, 7, b"\x0a\x0b")),
    (Port.CONFIG_REPORT, "01 0003 beef 06 0000 0000", ConfigReport((Reported(1, 3, 0xBEEF), Reported(6, 0, 0)))),
    (Port.ANSWER, "0102 07 08 00070015", Answer(0x0102, Opcode.CONFIG_COMMIT, Result.INCOMPLETE, 7 << 16 | 21)),
    (Port.ANSWER, "0102 06 05 00000003", Answer(0x0102, Opcode.DEMAND_RESET, Result.LOCKED_OUT, 3)),
    (Port.ANSWER, "0102 01 00 00000001", Answer(0x0102, Opcode.SWITCH_OPEN, Result.DONE, 1)),
    (Port.ANSWER, "0102 63 02 00000000", Answer(0x0102, 99, Result.UNKNOWN_OPCODE)),
    # minutes: 1_760_000_040 s = 29,333,334 min, mod 16,384 = 5,974; import_wh 300 = 3 nibbles; p_w -1 = 1 nibble
    (Port.VALUES, "1756 00 2 12c 4e 0 f", Values(1_760_000_040, {"import_wh": 300, "p_w": -1})),
    # seconds: mod 16,384 = 14,337, behind 01
    (Port.VALUES, "7801 56 0 1", Values(1_760_000_001, {"switch_state": 1})),
    # POSIX seconds: 2 bits of form, 32 bits, then 8 + 4 + 4 bits and six bits of padding
    (Port.VALUES, "9a360d70 5580 40", Values(1_760_000_000 - 10**6 + 1, {"switch_state": 1})),
    # 1_760_000_400 / 900 = 1,955,556 = 0x1dd6e4: index 6e4, 2 intervals, period code 3; IMPORT, anchor, width code 2 = 3 bits
    (
        Port.INTERVALS,
        "6e4 1 6 12 8000 a00",
        Intervals(1_955_556, 900, {Channel.IMPORT: ChannelBlock((5, 0), 0x8000)}),
    ),
    # epoch 1, raw, code 2 = 4 intervals; number 7; 3 bytes; channels 01, width 2, values 3 0 1 2
    (Port.FRAME, "42 07 18 01 0b18", IntervalBlock(1, 7, {Channel.IMPORT: (3, 0, 1, 2)}, coded=False)),
    # the same with a register, and parity 0a0b behind it; the clock is doubtful
    (
        Port.FRAME_SUM,
        "42 07 1d 8000 01 0b18 0a0b",
        IntervalBlock(1, 7, {Channel.IMPORT: (3, 0, 1, 2)}, False, False, 0x8000, b"\x0a\x0b", doubtful=True),
    ),
    # the number in 32 bits; model 1, import by the tables of epoch 0: one byte of all zeros
    (
        Port.FRAME_FULL,
        "0a 01020304 0a ec",
        IntervalBlock(0, 0x01020304, {Channel.IMPORT: (0, 0, 0, 0)}, full=True, pending=True),
    ),
    # the index in full; status of two intervals, the second without supply; EXPORT, no anchor, width code 0: nothing at all
    (
        Port.INTERVALS_FULL,
        "01dd6e4 1 7 480",
        Intervals(0x1DD6E4, 900, {Channel.EXPORT: ChannelBlock((0, 0))}, frozenset({1})),
    ),
]


@pytest.mark.parametrize(("port", "wire", "telegram"), BY_HAND, ids=[f"{row[0].name} {row[1]}" for row in BY_HAND])
def test_a_telegram_reads_and_writes_as_its_table_says(port, wire, telegram):
    assert decode(port, unhex(wire.replace(" ", "")), NOW_S) == telegram
    if port is not Port.INTERVALS_FULL:
        assert encode(telegram, NOW_S) == (port, unhex(wire.replace(" ", "")))


def test_every_port_and_every_code_was_tried_by_hand():
    assert {port for port, _, _ in BY_HAND} == set(Port)
    assert {telegram.opcode for _, _, telegram in BY_HAND if isinstance(telegram, Command)} == set(Opcode)


@given(st.integers(-1, 256) | st.sampled_from(Port), st.binary(max_size=60), st.integers(0, 2**32 - 1))
def test_any_port_and_bytes_are_a_telegram_or_a_telegram_error(port, payload, received_s):
    try:
        telegram = decode(port, payload, received_s)
    except TelegramError:
        return
    assert port in set(Port)
    assert isinstance(
        telegram, IntervalBlock | Intervals | Values | Event | Answer | Hello | Command | ConfigPart | ConfigReport
    )


@given(
    st.sampled_from([Port.HELLO, Port.EVENT, Port.ANSWER, Port.COMMAND, Port.CONFIG, Port.CONFIG_REPORT]),
    st.binary(max_size=14),
)
def test_a_telegram_of_fixed_form_writes_back_what_was_read(port, payload):
    try:
        telegram = decode(port, payload, NOW_S)
    except TelegramError:
        return
    assert encode(telegram, NOW_S) == (port, payload)


@given(telegrams, st.integers(-1_000, 1_000))
def test_every_telegram_that_can_be_said_reads_back(telegram, later_s):
    now_s = NOW_S
    if isinstance(telegram, Values):
        now_s = telegram.at_s
    elif isinstance(telegram, Intervals):
        now_s = telegram.first * telegram.period_s
    port, payload = encode(telegram, now_s)
    assert decode(port, payload, now_s + later_s) == telegram


@given(telegrams, st.integers(1_500_000_000, 4_000_000_000))
def test_a_telegram_of_any_age_reads_back(telegram, now_s):
    port, payload = encode(telegram, now_s)
    assert decode(port, payload, now_s + 60) == telegram


@given(telegrams)
def test_a_byte_more_or_less_is_never_taken_for_the_same(telegram):
    port, payload = encode(telegram, NOW_S)
    for other in (payload[:-1], payload + b"\xff"):
        try:
            assert decode(port, other, NOW_S) != telegram
        except TelegramError:
            continue


def test_meters_speak_on_ports_10_to_19_and_the_head_end_on_20_to_29():
    assert {port for port in Port if 10 <= port <= 19} == UPLINK_PORTS
    assert {port for port in Port if 20 <= port <= 29} == {Port.COMMAND, Port.CONFIG}
    assert len(set(Port)) == 12


def test_a_short_number_is_placed_by_the_reception_and_a_full_one_is_not():
    first = NOW_S // 900 // 4 * 4 - 400
    short = IntervalBlock(1, first // 4 % 256, {Channel.IMPORT: (1, 2, 3, 4)})
    assert first_of(short, 900, NOW_S) == first
    full = IntervalBlock(1, first // 4, short.rows, full=True)
    assert first_of(full, 900, 0) == first
    with pytest.raises(TelegramError, match="before 1970"):
        first_of(replace(short, number=200), 900, 0)


def test_every_period_of_the_product_sheet_has_a_code_of_three_bits():
    # product sheet A4: 1/5/10/15/30/60 min
    assert [period // 60 for period in PERIODS_S] == [1, 5, 10, 15, 30, 60]
    for period_s in PERIODS_S:
        assert messages.decode_hello(messages.encode_hello(Hello(1, 1, period_s, 0))).period_s == period_s


@pytest.mark.parametrize("codes", [EventCode, Opcode, Result])
def test_every_code_fits_eight_bits(codes):
    assert all(0 <= code < 256 for code in codes)
    assert len({int(code) for code in codes}) == len(codes)


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_quantity_can_be_read_and_said_in_eleven_bytes(name):
    assert decode(*encode(Command(7, Opcode.READ, (name,)), NOW_S), NOW_S) == Command(7, Opcode.READ, (name,))
    said = Values(NOW_S, {name: -5 if catalogue()[name].signed else 2**40})
    port, payload = encode(said, NOW_S)
    assert len(payload) <= 11
    assert decode(port, payload, NOW_S) == said


REFUSED_BYTES = {
    "an unknown port": (0, "00"),
    "an empty hello": (Port.HELLO, ""),
    "another version": (Port.HELLO, "24 01 0102 68e77780"),
    "an unknown period code": (Port.HELLO, "16 01 0102 68e77780"),
    "a hello with a byte behind it": (Port.HELLO, "13 01 0102 68e77780 00"),
    "an unknown event": (Port.EVENT, "00 00 68e77780 00000000"),
    "an event that is cut short": (Port.EVENT, "00 01 68e77780 000000"),
    "an event with a byte behind it": (Port.EVENT, "00 01 68e77780 00000000 00"),
    "an unknown opcode": (Port.COMMAND, "0001 63"),
    "a switch command with arguments": (Port.COMMAND, "0001 01 00"),
    "a read of nothing": (Port.COMMAND, "0001 03"),
    "a read of nine": (Port.COMMAND, "0001 03 000000000000000000"),
    "a read of an unknown quantity": (Port.COMMAND, "0001 03 00ff"),
    "a back-fill of an unknown period": (Port.COMMAND, "0001 04 0123456 6 005f"),
    "a back-fill that is cut short": (Port.COMMAND, "0001 04 0123456 3 00"),
    "a query that is cut short": (Port.COMMAND, "0001 05 01"),
    "an unknown result": (Port.ANSWER, "0001 01 0a 00000000"),
    "an answer with a byte behind it": (Port.ANSWER, "0001 01 00 00000000 00"),
    "values without a value": (Port.VALUES, "1756"),
    "values with an unknown form of time": (Port.VALUES, "d756 56 0 1"),
    "an unknown quantity": (Port.VALUES, "1756 ff 0 1"),
    "a value that is cut short": (Port.VALUES, "1756 00 f 12c"),
    "values with a byte behind them": (Port.VALUES, "1756 56 0 1 01"),
    "one quantity twice": (Port.VALUES, "1756 56 0 1 56 0 1"),
    "intervals without a channel": (Port.INTERVALS, "6e4 1 6 0"),
    "intervals of an unknown period": (Port.INTERVALS, "6e4 1 c 12 8000 a00"),
    "one channel twice": (Port.INTERVALS, "6e4 1 6 00 00"),
    "intervals that are cut short": (Port.INTERVALS, "6e4 1 6 12 8000"),
    "a commit that is cut short": (Port.COMMAND, "0001 07 1 024 0003 deadbe"),
    "a commit with a byte behind it": (Port.COMMAND, "0001 07 1 024 0003 deadbeef 00"),
    "a question for settings with arguments": (Port.COMMAND, "0001 08 01"),
    "a part without bytes": (Port.CONFIG, "1 007 0003"),
    "a part that is cut short": (Port.CONFIG, "1 007 00"),
    "a report of nothing": (Port.CONFIG_REPORT, ""),
    "a report that is cut short": (Port.CONFIG_REPORT, "01 0003 be"),
    "a report of too many": (Port.CONFIG_REPORT, "01 0003 beef" * 49),
    "a frame that is cut short": (Port.FRAME, "42 07"),
    "a frame of another length than it says": (Port.FRAME, "42 07 18 01 0b"),
    "a frame that ends within its register": (Port.FRAME_SUM, "42 07 00 80"),
    "a frame of unknown channels": (Port.FRAME, "6a 07 00"),
    "a frame by unknown tables": (Port.FRAME, "8a 07 00"),
    "raw intervals of no channel": (Port.FRAME, "42 07 18 00 0b18"),
    "bits behind the intervals": (Port.INTERVALS, "6e4 1 6 12 8000 a01"),
}


@pytest.mark.parametrize(("port", "wire"), REFUSED_BYTES.values(), ids=REFUSED_BYTES)
def test_bytes_that_are_no_telegram_are_refused(port, wire):
    payload = wire.replace(" ", "")
    with pytest.raises(TelegramError):
        decode(port, unhex(payload + "0" * (len(payload) % 2)), NOW_S)


RUN = Intervals(1, 900, {Channel.IMPORT: ChannelBlock((1, 2))})
UNSAYABLE = {
    "a hello with an unknown period": Hello(1, 1, 1200, 0),
    "a hello with a long model": Hello(256, 1, 900, 0),
    "an event after the year 2106": Event(1, EventCode.CLOCK_SET, 1 << 32),
    "a long detail": Answer(1, 1, Result.DONE, 1 << 32),
    "a long sequence number": Command(1 << 16, Opcode.SWITCH_OPEN),
    "a read of nothing": Command(1, Opcode.READ),
    "a read of nine": Command(1, Opcode.READ, ("import_wh",) * 9),
    "a read of an unknown quantity": Command(1, Opcode.READ, ("colour",)),
    "a back-fill of nothing": Command(1, Opcode.BACKFILL, first=1, period_s=900, count=0),
    "a back-fill of too many": Command(1, Opcode.BACKFILL, first=1, period_s=900, count=65_537),
    "a back-fill of an unknown period": Command(1, Opcode.BACKFILL, first=1, period_s=1, count=1),
    "a map of blocks of another size": Command(1, Opcode.BACKFILL_MAP, first=1, period_s=900, each=3, blocks=1),
    "a map of too many blocks": Command(1, Opcode.BACKFILL_MAP, first=1, period_s=900, each=4, blocks=1 << 28),
    "a switch command with quantities": Command(1, Opcode.SWITCH_OPEN, ("import_wh",)),
    "a query with a count": Command(1, Opcode.QUERY, asked=1, count=2),
    "an unknown quantity": Values(NOW_S, {"colour": 1}),
    "no quantity": Values(NOW_S, {}),
    "a negative register": Values(NOW_S, {"import_wh": -1}),
    "a value of 65 bits": Values(NOW_S, {"import_wh": 1 << 64}),
    "a signed value of 65 bits": Values(NOW_S, {"p_w": 1 << 63}),
    "an instant after the year 2106": Values(1 << 32, {"import_wh": 1}),
    "no channel": Intervals(1, 900, {}),
    "no interval": Intervals(1, 900, {Channel.IMPORT: ChannelBlock(())}),
    "seventeen intervals": Intervals(1, 900, {Channel.IMPORT: ChannelBlock((1,) * 17)}),
    "channels of unequal length": Intervals(1, 900, {Channel.IMPORT: ChannelBlock((1,)), Channel.EXPORT: ChannelBlock((1, 2))}),
    "a negative interval": Intervals(1, 900, {Channel.IMPORT: ChannelBlock((5, -1))}),
    "an interval of 33 bits": Intervals(1, 900, {Channel.IMPORT: ChannelBlock((1 << 32,))}),
    "an unknown period": Intervals(1, 901, RUN.channels),
    "an outage behind the run": Intervals(1, 900, RUN.channels, frozenset({2})),
    "a commit with a count": Command(1, Opcode.CONFIG_COMMIT, setting=1, length=1, version=1, count=1),
    "a commit of too many bytes": Command(1, Opcode.CONFIG_COMMIT, setting=1, length=1 << 12, version=1),
    "a switch command with a version": Command(1, Opcode.SWITCH_OPEN, version=1),
    "a part without bytes": ConfigPart(1, 1, 0, b""),
    "a part of a kind of five bits": ConfigPart(16, 1, 0, b"x"),
    "a report of nothing": ConfigReport(()),
    "a report of too many": ConfigReport((Reported(1, 1, 1),) * 49),
    "a block of no channel": IntervalBlock(1, 7, {}),
    "a block of five": IntervalBlock(1, 7, {Channel.IMPORT: (1,) * 5}),
    "a block of unequal channels": IntervalBlock(1, 7, {Channel.IMPORT: (1,), Channel.EXPORT: (1, 2)}),
    "a short number of nine bits": IntervalBlock(1, 256, {Channel.IMPORT: (1,)}),
    "a full number and a register": IntervalBlock(1, 7, {Channel.IMPORT: (1,)}, full=True, register=1),
    "coded channels of no set": IntervalBlock(1, 7, {Channel.EXPORT: (1,)}),
    "a block by unknown tables": IntervalBlock(2, 7, {Channel.IMPORT: (1,)}),
    "a negative interval of a block": IntervalBlock(1, 7, {Channel.IMPORT: (-1,)}),
    "an index of 29 bits": Intervals(1 << 28, 900, RUN.channels),
}


@pytest.mark.parametrize("telegram", UNSAYABLE.values(), ids=UNSAYABLE)
def test_what_cannot_be_said_is_refused_as_the_callers_fault(telegram):
    with pytest.raises(NyalaError) as caught:
        encode(telegram, NOW_S)
    assert isinstance(caught.value, BadArgumentError | LookupError)


def test_a_malformed_command_still_tells_its_sequence_number_and_opcode():
    assert messages.sequence_of(unhex("0102 63 ffff")) == (0x0102, 0x63)
    with pytest.raises(TelegramError):
        messages.sequence_of(unhex("0102"))


@given(st.integers(5, 242), st.integers(1, 120))
def test_a_report_of_settings_fits_any_room_and_says_all(room, count):
    entries = [Reported(number % 256, number, 65_535 - number) for number in range(count)]
    payloads = pack_report(entries, room)
    assert all(len(payload) <= room for payload in payloads)
    said = [decode(Port.CONFIG_REPORT, payload, NOW_S) for payload in payloads]
    assert [entry for report in said if isinstance(report, ConfigReport) for entry in report.entries] == entries


def test_a_report_of_settings_is_not_packed_where_no_entry_fits():
    with pytest.raises(BadArgumentError):
        pack_report([Reported(1, 1, 1)], 4)
