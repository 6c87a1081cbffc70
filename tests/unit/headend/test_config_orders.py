"""Orders of configuration: told as there is room, stopped by refusals, approved by a second person, set back, remembered."""

from dataclasses import replace
from typing import Any

import pytest

from nyala.headend.bulk_life import BulkEvent, BulkState, MemberState
from nyala.headend.config_orders import FRESH_MAX, FRESH_MIN, ConfigOrder, ConfigOrders
from nyala.headend.configuration import CHECK_US
from nyala.telegram.kinds import Result
from nyala.vocab.errors import BadArgumentError, ConflictError, NotAllowedError, UnknownError
from nyala.vocab.reporting import ReportingSetting, ReportingSlot, decode_reporting, encode_reporting
from nyala.vocab.settings import Setting, SettingBlock
from nyala.vocab.time import US_PER_S
from tests.unit.headend.config_line import BODY, OTHER, Line
from tests.unit.headend.fleet import record

E, M, S = BulkEvent, MemberState, BulkState


class Desk(Line):
    """Some meters, and who orders for them; what is to be stored goes into `stored`."""

    def __init__(self, count: int = 1) -> None:
        super().__init__(count)
        self.orders = self.taken_up([], 1)
        self.stored: dict[int, ConfigOrder] = {}

    def order(self, *numbers: int, blocks: dict[Setting, bytes] | None = None, by: str = "ani", **said) -> ConfigOrder:
        order = ConfigOrder(0, 1, "all", blocks or {Setting.CALENDAR: BODY}, self.now_us, by, "new year", **said)
        self.orders.create(order, numbers or tuple(self.meters))
        return order

    def go(self, seconds: float) -> None:
        """Time passes as it does in a centre: orders, then what is due, then the store."""
        for _ in range(int(seconds)):
            self.orders.poll(self.now_us)
            self.run(1)
            self.store()

    def store(self) -> None:
        self.orders.follow(self.registry.take_changes())
        orders, _ = self.orders.take_changes()
        self.stored |= {order.id: order for order in orders}

    def crash(self) -> None:
        """Another process takes up what is stored."""
        self.store()
        loaded = [order for order in self.stored.values() if order.tally[M.ORDERED] or order.tally[M.WAITING]]
        self.orders = self.taken_up(loaded, max(self.stored, default=0) + 1)

    def taken_up(self, loaded: list[ConfigOrder], next_id: int) -> ConfigOrders:
        return ConfigOrders(self.configuration, self.registry, loaded, next_id, lambda meter: meter.model != "three-phase-ct")

    def say(self, order: ConfigOrder, event: BulkEvent, by: str = "budi") -> ConfigOrder:
        return self.orders.say(order.id, event, by=by, reason="because", now_us=self.now_us)

    def accept(self, kind: Setting = Setting.CALENDAR, known=(BODY, OTHER)) -> ConfigOrder:
        order = ConfigOrder(0, 1, "N00001", {kind: b""}, self.now_us, "ani", "it was right")
        self.orders.accept(order, 1, known)
        return order


def counts(order: ConfigOrder) -> dict[MemberState, int]:
    return {state: count for state, count in order.tally.items() if count}


def test_an_order_reaches_all_of_its_meters_and_is_done():
    desk = Desk(40)
    order = desk.order()
    assert (order.id, order.state, order.history[0].text) == (1, S.RUNNING, "calendar of 40 meters: new year")
    desk.go(1_500)
    assert (order.state, counts(order)) == (S.DONE, {M.VERIFIED: 40})
    assert all(meter.has == {Setting.CALENDAR: SettingBlock(1, BODY)} for meter in desk.meters.values())
    assert order.members[7].versions == {"calendar": 1}
    assert (desk.orders.next_us, [step.state for step in order.history]) == (None, ["running", "done"])


def test_few_are_told_before_any_has_answered_and_more_as_it_goes_well():
    desk = Desk(60)
    order = desk.order()
    desk.orders.poll(desk.now_us)
    assert order.tally[M.ORDERED] == FRESH_MIN
    assert desk.orders.next_us is None
    most = 0
    for _ in range(2_000):
        desk.go(1)
        most = max(most, order.tally[M.ORDERED])
    assert FRESH_MIN < most <= FRESH_MAX
    assert order.state is S.DONE


def test_meters_that_are_away_hold_nobody_up_and_have_it_when_they_come_back():
    desk = Desk(FRESH_MIN + 10)
    away = {number: desk.meters[number].hears for number in range(1, FRESH_MIN + 1)}
    for number in away:
        desk.meters[number].hears = lambda said: None  # type: ignore[method-assign]
    order = desk.order()
    desk.go(1_500)
    assert (order.state, counts(order)) == (S.RUNNING, {M.ORDERED: FRESH_MIN, M.VERIFIED: 10})
    for number, hears in away.items():
        desk.meters[number].hears = hears  # type: ignore[method-assign]
        desk.configuration.heard_anew(number, desk.now_us)
    desk.go(1_500)
    assert (order.state, counts(order)) == (S.DONE, {M.VERIFIED: FRESH_MIN + 10})


def test_what_meters_refuse_stops_an_order_before_it_has_reached_all():
    desk = Desk(60)
    for meter in desk.meters.values():
        meter.refuses = Result.MALFORMED
    order = desk.order(stop_pct=20, stop_min=5)
    desk.go(600)
    assert order.state is S.STOPPED
    assert order.tally[M.WAITING] >= 60 - FRESH_MIN - 5
    assert order.members[1].text == "calendar: malformed"
    assert order.history[-1].text == "5 of 5 failed"
    for meter in desk.meters.values():
        meter.refuses = None
    failed = order.tally[M.FAILED]
    desk.say(order, E.RESUME)
    desk.go(2_000)
    assert (order.state, counts(order)) == (S.DONE, {M.VERIFIED: 60 - failed, M.FAILED: failed})


def test_a_limit_for_many_waits_for_a_second_person_and_one_for_a_single_meter_does_not():
    desk = Desk(3)
    blocks = {Setting.LIMITER: BODY}
    order = desk.order(blocks=blocks)
    desk.go(60)
    assert (order.state, counts(order)) == (S.AWAITING, {M.WAITING: 3})
    with pytest.raises(NotAllowedError, match="another person"):
        desk.say(order, E.APPROVE, by="ani")
    desk.say(order, E.APPROVE)
    desk.go(200)
    assert (order.state, order.approved_by) == (S.DONE, "budi")
    assert desk.order(1, blocks={Setting.LIMITER: OTHER}).members[1].state is M.ORDERED
    rejected = desk.order(blocks={Setting.LIMITER: OTHER[:5]})
    desk.say(rejected, E.REJECT)
    assert counts(rejected) == {M.CANCELLED: 3}
    with pytest.raises(UnknownError):
        desk.say(rejected, E.APPROVE)


def test_an_order_pauses_goes_on_and_ends_and_nothing_is_said_twice():
    desk = Desk(40)
    order = desk.order()
    desk.go(5)
    desk.say(order, E.PAUSE)
    with pytest.raises(ConflictError):
        desk.say(order, E.PAUSE)
    desk.go(600)
    assert order.tally[M.WAITING] == 40 - FRESH_MIN
    desk.say(order, E.RESUME)
    desk.go(5)
    desk.say(order, E.CANCEL)
    assert (order.state, order.tally[M.WAITING]) == (S.CANCELLED, 0)
    desk.go(900)
    assert set(counts(order)) == {M.VERIFIED, M.CANCELLED}
    assert all(number in order.members for number in desk.meters)


def test_one_for_a_single_meter_is_told_at_once_and_what_it_has_already_is_done():
    desk = Desk()
    assert desk.order().members[1].state is M.ORDERED
    desk.go(60)
    again = desk.order()
    assert (again.state, again.members[1].versions) == (S.DONE, {"calendar": 1})
    assert [order.state for order in desk.stored.values()] == [S.DONE]
    desk.store()
    assert sorted(desk.stored) == [1, 2]


def test_a_newer_order_takes_the_place_of_one_that_is_on_its_way():
    desk = Desk()
    first, second = desk.order(), desk.order(blocks={Setting.CALENDAR: OTHER})
    desk.go(100)
    assert (first.members[1].state, second.members[1].state) == (M.CANCELLED, M.VERIFIED)
    assert "another calendar was wanted" in first.members[1].text


def test_an_order_goes_on_after_a_crash_and_tells_nobody_twice():
    desk = Desk(40)
    order = desk.order(key="1:new-year")
    desk.go(20)
    desk.crash()
    assert desk.orders.of_key("1:new-year") is order
    desk.go(1_500)
    assert (order.state, counts(order)) == (S.DONE, {M.VERIFIED: 40})
    assert {shadow.version for state in map(desk.registry.state, desk.meters) for shadow in state.config.values()} == {1}
    assert desk.order(1, blocks={Setting.CALENDAR: OTHER}).id == 2


def test_meters_that_cannot_have_it_fail_with_the_reason():
    desk = Desk(2)
    desk.registry.add(record(3, model="eastron-sdm230-lorawan"))
    desk.registry.add(record(4, model="three-phase-ct"))
    order = desk.order(1, 2, 3, 4, 99, blocks={Setting.LIMITER: BODY})
    desk.say(order, E.APPROVE)
    desk.go(100)
    assert counts(order) == {M.VERIFIED: 2, M.FAILED: 3}
    assert "takes no settings of ours" in order.members[3].text
    assert "no supply switch" in order.members[4].text
    assert "99" in order.members[99].text


def test_a_drifted_setting_is_left_as_the_meter_has_it_where_that_is_known():
    desk = Desk()
    desk.order()
    desk.go(60)
    desk.meters[1].refuses = Result.NOT_ALLOWED
    desk.order(blocks={Setting.CALENDAR: OTHER})
    desk.go(60)
    assert desk.shadow().refused == "not allowed"
    back = desk.accept()
    assert (back.state, back.blocks, back.members[1].versions) == (S.DONE, {Setting.CALENDAR: BODY}, {"calendar": 1})
    shadow = desk.shadow()
    assert (shadow.in_step(Setting.CALENDAR), shadow.version, shadow.refused) == (True, 1, "")
    with pytest.raises(ConflictError):
        desk.accept()
    desk.meters[1].refuses = None
    assert desk.order(blocks={Setting.CALENDAR: OTHER}).members[1].versions == {"calendar": 3}, "no version twice"
    desk.go(60)
    assert desk.in_step()


def test_a_setting_that_nobody_knows_is_not_managed_any_more_and_the_meter_is_left_alone():
    desk = Desk()
    desk.want()
    desk.run(60)
    desk.meters[1].has[Setting.CALENDAR] = SettingBlock(9, b"by another hand")
    desk.hears(1, desk.meters[1].report())
    waiting = desk.order(blocks={Setting.CALENDAR: OTHER})
    back = desk.accept()
    assert (back.blocks, waiting.members[1].state) == ({Setting.CALENDAR: b""}, M.CANCELLED)
    sent = len(desk.sent)
    desk.run(3 * CHECK_US / US_PER_S)
    assert (desk.shadow().wanted, len(desk.sent)) == (b"", sent)
    assert desk.want().version == 11


def test_the_slot_of_a_meter_stays_where_its_rhythm_does_and_one_given_since_is_no_other_order():
    profile, slot = ReportingSetting(3_600, 21_600), ReportingSlot(5_000, 1)
    desk = Desk(2)
    desk.want(encode_reporting(replace(profile, slot=slot)), Setting.REPORTING)
    order = desk.order(blocks={Setting.REPORTING: encode_reporting(replace(profile, parity=False))})
    desk.orders.poll(desk.now_us)
    assert decode_reporting(desk.shadow(Setting.REPORTING).wanted) == replace(profile, parity=False, slot=slot)
    desk.want(encode_reporting(replace(profile, parity=False, slot=slot)), Setting.REPORTING, number=2)
    desk.go(100)
    assert (order.state, counts(order)) == (S.DONE, {M.VERIFIED: 2})
    desk.order(1, blocks={Setting.REPORTING: encode_reporting(replace(profile, report_s=900))})
    assert decode_reporting(desk.shadow(Setting.REPORTING).wanted).slot is None


def test_what_is_no_order_is_refused():
    desk = Desk(2)
    with pytest.raises(BadArgumentError):
        desk.orders.create(ConfigOrder(0, 1, "none", {Setting.CALENDAR: BODY}, 0, "ani", ""), [])
    with pytest.raises(BadArgumentError):
        desk.orders.create(ConfigOrder(0, 1, "none", {}, 0, "ani", ""), [1])
    with pytest.raises(BadArgumentError):
        desk.order(blocks={Setting.CALENDAR: bytes(2_000)})
    wrong: list[dict[str, Any]] = [{"stop_pct": 101}, {"stop_min": 0}]
    for figures in wrong:
        with pytest.raises(BadArgumentError):
            desk.order(**figures)
    with pytest.raises(UnknownError):
        desk.orders.say(77, E.CANCEL, by="ani", reason="", now_us=0)
    assert desk.orders.take_changes() == ([], [])
