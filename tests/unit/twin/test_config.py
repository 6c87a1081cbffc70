"""Settings over the air at a meter: blocks in any order, twice and with holes; every refusal; power cuts in any step."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.meter.calendar import BillingSchedule, Calendars
from nyala.meter.calendar_tables import CALENDARS, calendar_named
from nyala.meter.credit_plan import Emergency, credit_plan_named
from nyala.meter.limiter import Limit, LimiterPlan, Phase
from nyala.meter.logs import event_id
from nyala.meter.settings_codec import BillingSetting, CalendarSetting, CreditSetting, SettingValue, ZoneSetting, encode_setting
from nyala.meter.supply import Reason, SwitchState
from nyala.telegram.config import PART_ROOM, ConfigPart, ConfigReport, encode_part
from nyala.telegram.intervals import Intervals
from nyala.telegram.kinds import Opcode, Port, Result
from nyala.telegram.messages import Answer, Command
from nyala.vocab.quantities import Channel
from nyala.vocab.reporting import REPORTED, ReportingSetting
from nyala.vocab.settings import BODY_MAX, Setting, SettingBlock, checksum, short_check
from nyala.vocab.time import DAY_S, HOUR_S
from tests.unit.twin.wall import MIDNIGHT_S, Wall

ESTATE = CalendarSetting(calendar_named("estate"), MIDNIGHT_S + 6 * HOUR_S)
LIMIT = LimiterPlan((Limit(Reason.POWER, 900.0, 30, 10),), 60, 1, 2)
VALUES: dict[str, SettingValue] = {
    "calendar": ESTATE,
    "limiter": LIMIT,
    "billing": BillingSetting(15, 6),
    "reporting": ReportingSetting(1_800, 3_600),
    "zone": ZoneSetting(8 * HOUR_S),
}


def installed(**said) -> Wall:
    """A meter as the factory sets it, that has joined."""
    wall = Wall(**said)
    wall.meter.operation.set_timetable(Calendars(calendar_named("pln-wbp")), BillingSchedule(1, 0, 7 * HOUR_S))
    wall.join()
    wall.forget()
    return wall


def parts_of(value: SettingValue, version: int) -> list[bytes]:
    kind, body = encode_setting(value)
    starts = range(0, len(body), PART_ROOM)
    return [encode_part(ConfigPart(kind, version, at, body[at : at + PART_ROOM])) for at in starts]


def commit_of(value: SettingValue, version: int, *, sequence: int = 9, other: dict[str, int] | None = None) -> Command:
    kind, body = encode_setting(value)
    said: dict[str, Any] = {
        "setting": kind,
        "length": len(body),
        "version": version,
        "check": checksum(kind, SettingBlock(version, body)),
    }
    return Command(sequence, Opcode.CONFIG_COMMIT, **(said | (other or {})))


def hears(wall: Wall, payloads: list[bytes]) -> None:
    for payload in payloads:
        wall.say(payload, Port.CONFIG)
        wall.run(1)


def ordered(wall: Wall, command: Command) -> Answer:
    wall.forget()
    wall.order(command)
    wall.run(20)
    (answer,) = wall.told(Answer)
    assert (answer.sequence, answer.opcode) == (command.sequence, command.opcode)
    return answer


def told(wall: Wall, value: SettingValue, version: int = 1) -> Answer:
    hears(wall, parts_of(value, version))
    return ordered(wall, commit_of(value, version))


def reported(wall: Wall) -> dict[int, tuple[int, int]]:
    wall.forget()
    wall.order(Command(77, Opcode.CONFIG_ASK))
    wall.run(30)
    return {e.kind: (e.version, e.check) for report in wall.told(ConfigReport) for e in report.entries}


def expected(**versions: tuple[int, SettingValue]) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = dict.fromkeys(Setting, (0, 0))
    for version, value in versions.values():
        kind, body = encode_setting(value)
        found[kind] = version, short_check(kind, SettingBlock(version, body))
    return found


def cut(wall: Wall, seconds: float = 10) -> None:
    wall.power(on=False)
    wall.run(seconds)
    wall.power(on=True)
    wall.run(60)


def calendars(wall: Wall) -> Calendars:
    assert wall.meter.operation.timetable is not None
    return wall.meter.operation.timetable.calendars


@pytest.mark.parametrize("data_rate", [2, 5])
@pytest.mark.parametrize("name", VALUES)
def test_a_block_is_taken_answered_and_reported(name, data_rate):
    wall = installed(data_rate=data_rate)
    answer = told(wall, VALUES[name], 3)
    assert (answer.result, answer.detail) == (Result.DONE, 3)
    assert reported(wall) == expected(it=(3, VALUES[name]))
    assert told(wall, VALUES[name], 4).result is Result.DONE
    assert reported(wall) == expected(it=(4, VALUES[name]))


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_parts_come_in_any_order_and_twice_and_what_is_missing_is_said_until_nothing_is(data):
    wall = installed()
    parts = parts_of(ESTATE, 2)
    _, body = encode_setting(ESTATE)
    there: set[int] = set()
    for _ in range(30):
        sent = data.draw(st.lists(st.sampled_from(range(len(parts))), max_size=len(parts)))
        hears(wall, [parts[place] for place in sent])
        there |= set(sent)
        answer = ordered(wall, commit_of(ESTATE, 2))
        missing = [place for place in range(len(parts)) if place not in there]
        if not missing:
            assert answer.result is Result.DONE
            break
        run = next((p for p in range(missing[0], len(parts)) if p in there), len(parts))
        first, end = missing[0] * PART_ROOM, min(run * PART_ROOM, len(body))
        assert (answer.result, answer.detail) == (Result.INCOMPLETE, first << 16 | end - first)
        assert calendars(wall).passive is None
        there_now = data.draw(st.booleans())
        if there_now:
            hears(wall, [parts[place] for place in missing])
            there |= set(missing)
    else:
        hears(wall, parts)
        assert ordered(wall, commit_of(ESTATE, 2)).result is Result.DONE
    assert calendars(wall) == Calendars(calendar_named("pln-wbp"), ESTATE.calendar, ESTATE.activate_s)


REFUSED = {
    "an unknown kind": ({"setting": 15}, Result.NO_SUCH_PART),
    "no kind": ({"setting": 0}, Result.NO_SUCH_PART),
    "no version": ({"version": 0}, Result.MALFORMED),
    "no length": ({"length": 0}, Result.MALFORMED),
    "a length beyond the longest": ({"length": BODY_MAX + 1}, Result.MALFORMED),
    "another version than that of the parts": ({"version": 8}, Result.INCOMPLETE),
    "more bytes than there are": ({"length": 1_000}, Result.INCOMPLETE),
    "fewer bytes than there are": ({"length": 5}, Result.WRONG_CHECKSUM),
    "another checksum": ({"check": 1}, Result.WRONG_CHECKSUM),
}


@pytest.mark.parametrize(("other", "result"), REFUSED.values(), ids=REFUSED)
def test_a_commit_that_does_not_fit_changes_nothing_and_is_answered(other, result):
    wall = installed()
    assert told(wall, CalendarSetting(calendar_named("flat")), 1).result is Result.DONE
    before = calendars(wall)
    hears(wall, parts_of(ESTATE, 2))
    assert ordered(wall, commit_of(ESTATE, 2, other=other)).result is result
    assert calendars(wall) == before
    assert reported(wall) == expected(it=(1, CalendarSetting(calendar_named("flat"))))


BODIES = {
    "a calendar of another version": (
        Setting.CALENDAR,
        encode_setting(ESTATE)[1][:4] + b"\x02" + encode_setting(ESTATE)[1][5:],
    ),
    "a calendar with a byte too many": (Setting.CALENDAR, encode_setting(ESTATE)[1] + b"\0"),
    "a limiter of an unknown quantity": (
        Setting.LIMITER,
        encode_setting(LIMIT)[1].replace(b"\x03\x00", b"\x63\x00", 1)[:6] + b"c" * 17,
    ),
    "half a limit": (Setting.LIMITER, encode_setting(LIMIT)[1][:-1]),
    "a billing day that no month has": (Setting.BILLING, b"\x1d\x00"),
    "a report every second": (Setting.REPORTING, bytes([0, 0, 0, 1, 0, 0, 0, 9])),
    "live values more often than reports": (Setting.REPORTING, bytes([0, 0, 14, 16, 0, 0, 0, 60])),
    "a zone that is nowhere": (Setting.ZONE, b"\x7f\xff"),
}


@pytest.mark.parametrize(("kind", "body"), BODIES.values(), ids=BODIES)
def test_a_block_that_is_whole_and_makes_no_sense_is_malformed(kind, body):
    wall = installed()
    hears(wall, [encode_part(ConfigPart(kind, 2, at, body[at : at + 40])) for at in range(0, len(body), 40)])
    check = checksum(kind, SettingBlock(2, body))
    answer = ordered(wall, Command(5, Opcode.CONFIG_COMMIT, setting=kind, length=len(body), version=2, check=check))
    assert answer.result is Result.MALFORMED
    assert reported(wall) == expected()


def test_a_meter_without_a_switch_has_no_limiter_and_a_postpaid_one_no_credit():
    assert told(installed(model="three-phase-ct"), LIMIT).result is Result.NO_SUCH_PART
    assert told(installed(), CreditSetting((5, 1))).result is Result.NO_SUCH_PART


def test_a_part_of_an_older_block_does_not_disturb_a_newer_one():
    wall = installed()
    hears(wall, parts_of(ESTATE, 5)[:3])
    hears(wall, parts_of(CalendarSetting(calendar_named("flat")), 4))
    hears(wall, parts_of(ESTATE, 5)[3:])
    assert ordered(wall, commit_of(ESTATE, 5)).result is Result.DONE


def test_parts_that_are_none_and_parts_for_a_group_do_nothing():
    wall = installed()
    hears(wall, [b"\x10", b"\x10\x00\x00\x01", b"\xf0\x00\x00\x01x", bytes([0x1F, 0xFF, 0, 1, 1])])
    assert ordered(wall, commit_of(ESTATE, 1)).result is Result.INCOMPLETE


def test_a_commit_that_is_heard_again_is_answered_the_same_and_does_nothing_twice():
    wall = installed()
    value = CalendarSetting(calendar_named("flat"))
    assert told(wall, value).result is Result.DONE
    count = wall.meter.operation.logs.count(event_id("calendar_activated"))
    assert ordered(wall, commit_of(value, 1, sequence=10)).result is Result.DONE
    assert (count, wall.meter.operation.logs.count(event_id("calendar_activated"))) == (1, 1)


@pytest.mark.parametrize("step", range(5))
def test_a_power_cut_in_any_step_leaves_the_old_or_the_new_whole(step):
    wall = installed()
    old = CalendarSetting(calendar_named("flat"))
    told(wall, old)
    parts = parts_of(ESTATE, 2)
    actions = [lambda: hears(wall, parts[:4]), lambda: hears(wall, parts[4:]), lambda: wall.order(commit_of(ESTATE, 2))]
    for place, action in enumerate(actions):
        if step == place:
            cut(wall)
        action()
    wall.run(0.4 if step == 3 else 30)
    if step >= 3:
        cut(wall)
    done = reported(wall) == expected(it=(2, ESTATE))
    assert done or reported(wall) == expected(it=(1, old))
    assert done is (step in {0, 3, 4})
    answer = ordered(wall, commit_of(ESTATE, 2, sequence=11))
    assert (answer.result is Result.DONE) is done
    if not done:
        assert told(wall, ESTATE, 2).result is Result.DONE
    cut(wall)
    assert calendars(wall) == Calendars(old.calendar, ESTATE.calendar, ESTATE.activate_s)


def test_every_setting_is_kept_through_a_power_cut():
    wall = installed()
    for version, value in enumerate(VALUES.values(), start=1):
        assert told(wall, value, version).result is Result.DONE
    before = reported(wall)
    operation = wall.meter.operation
    assert operation.timetable is not None
    stood = (operation.timetable.calendars, operation.timetable.schedule, operation.plan, wall.twin.reporting)
    cut(wall)
    assert (operation.timetable.calendars, operation.timetable.schedule, operation.plan, wall.twin.reporting) == stood
    assert reported(wall) == before
    assert operation.timetable.schedule == BillingSchedule(15, 6, 8 * HOUR_S)
    assert operation.timetable.calendars.active.offset_s == 8 * HOUR_S


def test_a_passive_calendar_takes_over_once_at_its_instant_whether_there_is_supply_or_not():
    for off_at in (None, 6):
        wall = installed()
        told(wall, ESTATE)
        wall.run(MIDNIGHT_S + 5 * HOUR_S + 3_500 - wall.now_s)
        assert (calendars(wall).active.name, wall.meter.operation.logs.count(event_id("calendar_activated"))) == ("pln-wbp", 0)
        cut(wall, 400 if off_at else 1)
        wall.run(600)
        assert calendars(wall) == Calendars(ESTATE.calendar)
        cut(wall)
        assert calendars(wall) == Calendars(ESTATE.calendar)
        assert wall.meter.operation.logs.count(event_id("calendar_activated")) == 1


def test_energy_is_counted_in_the_rates_of_the_calendar_that_holds():
    wall = installed(power_w=1_000)
    told(wall, ESTATE)  # from 13:00 on a Friday in the rainy season, local time +07:00
    wall.run(MIDNIGHT_S + 2 * DAY_S - wall.now_s)
    assert datetime.fromtimestamp(MIDNIGHT_S + 6 * HOUR_S, UTC).weekday() == 4
    wh = [int(each) for each in wall.bank.wh[0, 0, 1:5]]
    # 6 h before it and 3.5 h of day, 6 h of evening, 1.5 h of night, and the week-end's rate 4 up to 07:00 on Sunday
    assert wh == [9_500, 6_000, 1_500, 31_000]


def test_a_limiter_that_holds_the_supply_open_gives_it_back_after_a_cut_and_lets_go_when_it_is_taken_away():
    wall = installed(power_w=2_000)
    told(wall, LIMIT)
    wall.bank.u_v[0, 0], wall.bank.p_w[0, 0] = 230.0, 2_000.0
    for _ in range(9):
        wall.run(5)
        wall.twin.operate(wall.now_us)
    assert wall.meter.switch_state is SwitchState.OPEN
    limits = wall.meter.operation.limits
    assert limits is not None
    assert limits.phase is Phase.TRIPPED
    cut(wall)
    assert wall.meter.operation.limits is not None
    assert wall.meter.operation.limits.phase is Phase.TRIPPED
    assert told(wall, LimiterPlan(()), 2).result is Result.DONE
    assert wall.meter.operation.plan is None
    wall.order(Command(40, Opcode.SWITCH_CLOSE))
    wall.run(20)
    assert Reason.POWER not in wall.meter.operation.supply.holds


def test_the_warnings_and_the_emergency_credit_of_a_prepaid_meter_are_set_and_kept():
    wall = installed()
    plan = credit_plan_named("kwh")
    wall.meter.operation.prepay(plan, 50_000)
    value = CreditSetting((9_000, 3_000), Emergency(2_000, 500, button=False))
    assert told(wall, value).result is Result.DONE
    cut(wall)
    kept = wall.meter.operation.credit_plan
    assert kept is not None
    assert (kept.warnings, kept.emergency, kept.prices) == (value.warnings, value.emergency, plan.prices)
    assert told(wall, CreditSetting((3_000, 9_000)), 2).result is Result.MALFORMED


def test_another_reporting_profile_holds_from_the_next_report_on():
    wall = installed()
    told(wall, ReportingSetting(900, 900))
    wall.run(2 * HOUR_S)
    assert 7 <= len(wall.told(Intervals)) <= 9


@pytest.mark.parametrize("channels", REPORTED)
def test_a_twin_tells_the_channels_that_its_profile_says(channels):
    wall = installed(profiled=tuple(Channel), data_rate=5)
    assert told(wall, ReportingSetting(HOUR_S, DAY_S, channels)).result is Result.DONE
    wall.run(2 * HOUR_S)
    wall.forget()
    wall.run(6 * HOUR_S)
    assert {tuple(run.channels) for run in wall.told(Intervals)} == {channels}
    assert {frame.header.model for frame in wall.told_frames} == {1 + REPORTED.index(channels)}


def test_a_profile_without_parity_sends_none():
    wall = installed()
    assert told(wall, ReportingSetting(900, 900, parity=False)).result is Result.DONE
    wall.run(8 * HOUR_S)
    assert len(wall.told_frames) > 20
    assert not any(frame.header.parity for frame in wall.told_frames)


def test_channels_that_the_load_profile_does_not_have_are_refused():
    wall = installed()
    assert told(wall, ReportingSetting(HOUR_S, DAY_S, tuple(Channel))).result is Result.MALFORMED
    assert told(wall, ReportingSetting(HOUR_S, DAY_S, REPORTED[0]), 2).result is Result.DONE


@pytest.mark.parametrize("name", CALENDARS)
def test_every_calendar_of_the_program_goes_over_the_air_at_the_slowest_rate(name):
    value = CalendarSetting(calendar_named(name))
    assert all(len(part) <= 11 for part in parts_of(value, 1))
    assert told(installed(data_rate=2), value).result is Result.DONE
