"""The notifier over a store: nothing noted is lost, nothing is told twice, and what is not delivered is shown."""

import asyncio
import json
from typing import Any

import pytest

from nyala.headend import notify_loop
from nyala.headend.notify import ATTEMPTS_MAX, Happened, MessageState, Target, TargetKind
from nyala.headend.notify_loop import Fleet, Notifier
from nyala.headend.notify_sender import Ended, Sender
from nyala.headend.ports import AlarmChange, AlarmCleared, AlarmDated, AlarmRaised, Changes
from nyala.headend.storms_shapes import Origin, storm_table
from nyala.headend.storms_silence import Hearing
from nyala.store import alarms, incidents, meters, notifications, rekey, schema_notices
from nyala.store.alarms import Which
from nyala.store.engine import open_engine
from nyala.store.notifications import Notifications
from nyala.vocab.alarms import Alarm
from nyala.vocab.centre_alarms import SILENT
from nyala.vocab.errors import ConflictError, UnknownError
from nyala.vocab.time import US_PER_S
from tests.unit.headend.receivers import mailbox, webhook
from tests.unit.store.filled import START_S, counts, new_meter, write

MAGNET = int(Alarm.MAGNET)
RULE, SILENCE = storm_table()[0][MAGNET], storm_table()[1]
GATEWAY = "0016c001f0000001"


class Remembers:
    """A sender that sends nothing; it fails as often as it is told to."""

    def __init__(self, *ends):
        self.sent, self.ends = [], list(ends)

    def send(self, message, target, now_s):
        self.sent.append((target.name, message.name))
        return self.ends.pop(0) if self.ends else Ended(Happened.TAKEN)


class World:
    """A notifier over a store of `count` meters, all of site A but every tenth."""

    def __init__(self, engine, sender=None, count=3):
        self.engine, self.now_s = engine, START_S
        self.sender: Any = sender or Remembers()
        self.tenant = meters.tenant_id(engine, "t")
        new = [new_meter(number, site="B" if number % 10 == 0 else "A") for number in range(1, count + 1)]
        self.records = {record.id: record for record in meters.onboard(engine, self.tenant, new)}
        self.heard = dict.fromkeys(self.records, START_S)
        self.seen = START_S
        self.restart()

    def restart(self):
        def origin(meter):
            record = self.records[meter]
            return Origin(record.tenant_id, record.serial, record.site, GATEWAY)

        def hearing(meter):
            return Hearing(self.heard[meter] * US_PER_S, self.records[meter].report_s, (GATEWAY,))

        async def write_here(work):
            return work()

        fleet = Fleet(lambda: self.records, origin, hearing, lambda: {GATEWAY: self.seen * US_PER_S})
        self.notifier = Notifier(Notifications(self.engine), fleet, self.sender, lambda: self.now_us, write_here)

    @property
    def now_us(self):
        return self.now_s * US_PER_S

    def target(self, name="ops", **said):
        plain = {"kind": TargetKind.EMAIL, "address": "ops@utility.example", "secret": bytes(32)}
        target = Target(**({"id": 0, "tenant_id": self.tenant, "name": name} | plain | said))
        return notifications.add_target(self.engine, target, by="ani", key=f"key-{name}", now_us=self.now_us)

    def on(self, *numbers, at_s=None):
        at_s = self.now_s if at_s is None else at_s
        changes: list[AlarmChange] = [
            AlarmRaised(self.tenant, number, MAGNET, at_s, 120, "event", self.now_us) for number in numbers
        ]
        write(self.engine, Changes(alarms=changes))

    def off(self, *numbers):
        write(self.engine, Changes(alarms=[AlarmCleared(n, MAGNET, self.now_s, self.now_s + 1) for n in numbers]))

    def goes(self, seconds=0, *, hears=True):
        """Time passes; a step, and what is due is sent."""
        self.now_s += seconds
        if hears:
            self.heard, self.seen = dict.fromkeys(self.records, self.now_s), self.now_s

        async def act():
            await self.notifier.step()
            await self.notifier.send_due()
            await self.notifier.close()

        asyncio.run(act())

    def outbox(self, state=None):
        with self.engine.connect() as connection:
            found, _ = notifications.list_outbox(connection, self.tenant, state)
        return [(line.target, line.message.subject, line.message.state.value) for line in found]

    def incidents(self):
        with self.engine.connect() as connection:
            return incidents.list_incidents(connection, self.tenant, only_open=False)[0]


@pytest.fixture
def world(engine):
    return World(engine)


def test_an_alarm_is_told_once_to_each_target_that_wants_it(world):
    for name, said in (("one", {}), ("two", {}), ("not", {"severities": ("high",)}), ("removed", {})):
        target = world.target(name, **said)
    notifications.remove_target(world.engine, world.tenant, target.id, world.now_us)
    world.on(1)
    for _ in range(5):
        world.goes(RULE.hold_s)
    world.off(1)
    for _ in range(3):
        world.goes(RULE.window_s)
    names = [f"alarm-1-{MAGNET}-{START_S}-{word}" for word in ("raised", "cleared")]
    assert sorted(world.sender.sent) == sorted(
        (target, f"{name}.{n}") for n, target in ((1, "one"), (2, "two")) for name in names
    )
    assert {state for *_, state in world.outbox()} == {"delivered"}
    left = counts(world.engine, [schema_notices.alarm_change, schema_notices.incident_entry, schema_notices.incident])
    assert left == {}


def test_the_unit_of_work_notes_what_began_and_ended_in_its_order(world):
    world.on(1)
    write(world.engine, Changes(alarms=[AlarmDated(1, MAGNET, START_S, START_S - 5, 130)]))
    world.off(1)
    noted = Notifications(world.engine).noted(10)
    assert [(each.meter_id, each.at_s, each.value, each.before_s) for each in noted] == [
        (1, START_S, 120, 0),
        (1, START_S, None, START_S + 1),
    ]


def test_a_process_that_ends_anywhere_loses_nothing_and_tells_nothing_twice(world):
    """Every transaction of a run is one after which the process may end: each in turn, and all of them."""
    world.target()
    world.on(1)
    world.goes()
    world.restart()  # noted and stored, not told
    world.goes(RULE.hold_s)
    world.off(1)
    world.restart()
    world.goes(RULE.window_s)
    world.restart()
    world.goes(RULE.window_s)
    assert [name for _, name in world.sender.sent] == [f"alarm-1-{MAGNET}-{START_S}-{word}.1" for word in ("raised", "cleared")]


class Killed(BaseException):
    """The process ends."""


class Mortal(Notifications):
    """An outbox whose process ends at the call of a number: before its transaction, or after it."""

    def __init__(self, engine, at, *, after):
        super().__init__(engine)
        self.left, self.after = at, after

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name not in {"remembered", "noted", "keep", "lost", "begin", "end"}:
            return found

        def call(*said):
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Killed
            answer = found(*said)
            if self.left == 0:
                raise Killed
            return answer

        return call


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_every_transaction_leaves_every_message_delivered_and_none_made_twice(where, after):
    engine = open_engine(where, durable=False)
    world = World(engine)
    world.target()
    for at in range(1, 16):
        began_s, before = world.now_s, len(world.sender.sent)
        world.notifier._outbox = Mortal(engine, at, after=after)
        for gap_s, turn in ((RULE.hold_s, world.on), (RULE.window_s, world.off)):
            turn(1)
            for _ in range(6):
                try:
                    world.goes(gap_s)
                except Killed:
                    world.restart()
                    Notifications(engine).lost(world.now_us)
        names = [name for _, name in world.sender.sent[before:]]
        wanted = [f"alarm-1-{MAGNET}-{began_s}-{word}.1" for word in ("raised", "cleared")]
        assert list(dict.fromkeys(names)) == wanted
        assert len(names) <= 3  # one may come twice, under its name, where nobody knows whether it was taken
    assert {state for *_, state in world.outbox()} == {"delivered"}
    assert len(world.outbox()) == 2 * 15
    engine.dispose()


def test_a_step_that_cannot_be_stored_is_done_again_from_the_store(world, monkeypatch):
    world.target()
    world.on(1)
    with monkeypatch.context() as patch:

        def fails(*_):
            raise OSError("disk full")

        patch.setattr(incidents, "write", fails)
        with pytest.raises(OSError, match="disk full"):
            world.goes()
    world.goes(RULE.hold_s)
    assert len(world.sender.sent) == 1


def test_what_was_being_sent_when_the_process_ended_is_sent_again_under_its_name(world):
    world.target()
    world.on(1)
    asyncio.run(world.notifier.step())
    world.now_s += RULE.hold_s
    asyncio.run(world.notifier.step())
    [(message, _)] = Notifications(world.engine).begin(world.now_us, 9)  # and it ends here
    assert Notifications(world.engine).begin(world.now_us, 9) == []
    world.restart()
    Notifications(world.engine).lost(world.now_us)
    world.goes(1)
    assert world.sender.sent == [("ops", message.name)]
    with world.engine.connect() as connection:
        [line] = notifications.list_outbox(connection, world.tenant)[0]
    assert (line.message.attempts, line.message.state) == (2, MessageState.DELIVERED)


def test_a_receiver_that_is_down_is_tried_until_the_message_is_dead_and_then_by_hand(world):
    world.target()
    world.sender.ends = [Ended(Happened.FAILED, "no answer")] * ATTEMPTS_MAX
    world.on(1)
    world.goes(RULE.hold_s)
    for _ in range(3 * ATTEMPTS_MAX):
        world.goes(1_800)
    [(_, subject, state)] = world.outbox()
    assert (state, len(world.sender.sent)) == ("dead", ATTEMPTS_MAX)
    with world.engine.connect() as connection:
        [line] = notifications.list_outbox(connection, world.tenant, MessageState.DEAD)[0]
        assert notifications.outbox_counts(connection, world.tenant)["dead"] == 1
    assert line.message.problem == f"no answer ({ATTEMPTS_MAX} attempts)"
    resend = {"engine": world.engine, "tenant": world.tenant, "message_id": line.message.id, "now_us": world.now_us}
    assert notifications.resend(**resend, key="1:again").message.state is MessageState.QUEUED
    world.goes()
    assert notifications.resend(**resend, key="1:again").message.state is MessageState.DELIVERED
    with pytest.raises(ConflictError, match="is delivered: it cannot be resent"):
        notifications.resend(**resend, key="1:other")
    with pytest.raises(UnknownError):
        notifications.resend(**(resend | {"tenant": 99}), key="1:third")
    assert world.outbox() == [("ops", subject, "delivered")]


def test_what_waits_for_a_target_that_is_removed_is_dead_and_says_so(world):
    target = world.target()
    world.sender.ends = [Ended(Happened.FAILED, "no answer")]
    world.on(1)
    world.goes(RULE.hold_s)
    notifications.remove_target(world.engine, world.tenant, target.id, world.now_us)
    world.goes(9_999)
    with world.engine.connect() as connection:
        [line] = notifications.list_outbox(connection, world.tenant)[0]
    assert (line.message.state, line.message.problem, line.removed) == (MessageState.DEAD, notifications.REMOVED, True)
    with pytest.raises(ConflictError, match="its target was removed"):
        notifications.resend(world.engine, world.tenant, line.message.id, key="1:again", now_us=1)


def test_beyond_the_limit_messages_are_dead_at_once_and_shown(world, monkeypatch):
    monkeypatch.setattr(notifications, "WAITING_MAX", 2)
    world.target()
    world.sender.ends = [Ended(Happened.FAILED, "no answer")] * 9
    for number in (1, 2, 3):
        world.on(number, at_s=START_S + number)
    world.goes(RULE.hold_s)
    assert sorted(state for *_, state in world.outbox()) == ["dead", "queued", "queued"]


def test_a_full_backlog_is_worked_off_step_by_step(world, monkeypatch):
    monkeypatch.setattr(notify_loop, "CHANGES_MAX", 2)
    world.target()
    for number in (1, 2, 3):
        world.on(number)
        world.off(number)
    for _ in range(4):
        world.goes(RULE.hold_s)
    assert len(world.sender.sent) == 6


def test_a_storm_of_a_thousand_meters_is_one_incident_and_one_message(engine):
    world = World(engine, count=1_000)
    world.target()
    world.on(*[number for number in world.records if number % 10])
    world.goes(RULE.hold_s)
    world.restart()
    world.goes(100)
    [incident] = world.incidents()
    assert (incident.place, incident.meters, incident.meters_on) == ("A", 900, 900)
    with engine.connect() as connection:
        assert len(incidents.members_of(connection, incident)) == incidents.MEMBERS_MAX
        assert len(incidents.members_of(connection, incident, 2_000)) == 900
    assert world.sender.sent == [("ops", "incident-1-raised.1")]
    world.off(*[number for number in world.records if number % 10])
    world.goes(1)
    world.goes(RULE.quiet_s)
    assert world.sender.sent[1:] == [("ops", "incident-1-cleared.1")]
    assert world.incidents()[0].ended_us == world.now_us
    with engine.connect() as connection:
        assert incidents.list_incidents(connection, world.tenant, only_open=True) == ([], None)


def test_a_silent_meter_has_an_alarm_of_the_centre_until_it_is_heard(world):
    told: list[set[int]] = []
    world.notifier.listeners.append(told.append)
    world.target()
    world.goes()
    limit_s = SILENCE.report_periods * world.records[1].report_s + SILENCE.grace_s
    for _ in range(4):
        world.now_s += limit_s // 4 + 1
        world.heard |= {2: world.now_s, 3: world.now_s}
        world.seen = world.now_s
        world.goes(hears=False)
    world.restart()
    with world.engine.connect() as connection:
        [line] = alarms.list_alarms(connection, world.tenant).items
    assert (line.meter_id, line.alarm, line.source, line.raised_s) == (1, SILENT, "centre", START_S)
    world.goes(limit_s)
    world.goes(1)
    with world.engine.connect() as connection:
        [line] = alarms.list_alarms(connection, world.tenant, Which.ALL).items
    assert line.cleared_s == world.now_s - 1
    assert told == [{1}]
    assert [name for _, name in world.sender.sent] == [f"alarm-1-{SILENT}-{START_S}-{word}.1" for word in ("raised", "cleared")]


def test_a_gateway_that_is_down_is_one_incident_and_no_meter_alarm(engine):
    world = World(engine, count=200)
    world.target()
    world.goes()
    for _ in range(12):
        world.goes(3_600, hears=False)
        world.restart() if world.now_s == START_S + 3 * 3_600 else None
    [incident] = world.incidents()
    assert (incident.place, incident.meters) == (GATEWAY, 200)
    with engine.connect() as connection:
        assert alarms.list_alarms(connection, world.tenant, Which.ALL).items == ()
    world.goes(60)
    world.goes(60)
    assert world.sender.sent == [("ops", "incident-1-raised.1"), ("ops", "incident-1-cleared.1")]


def test_secrets_are_wrapped_and_wrapped_anew(world):
    secret = b"a secret of thirty-two bytes, or"
    target = world.target(secret=secret)
    with world.engine.connect() as connection:
        stored = connection.execute(schema_notices.notify_target.select()).mappings().one()["secret"]
        assert secret not in stored
        assert notifications.targets_of(connection, world.tenant) == [target]
    assert ("notify_target", "order_key", ("secret",)) in rekey.PLACES


def test_targets_have_a_limit_and_the_same_key_answers_the_first(world, monkeypatch):
    monkeypatch.setattr(notifications, "TARGETS_MAX", 1)
    first = world.target()
    assert world.target() == first
    with pytest.raises(ConflictError, match="there are 1 targets already"):
        world.target("more")


def test_real_servers_get_a_storm_and_its_end(engine):
    with webhook(503, 204) as hook, mailbox() as box:
        world = World(engine, Sender(box.server, private=True), count=9)
        world.target("mail")
        world.target("hook", kind=TargetKind.WEBHOOK, address=hook.url, secret=bytes(32))
        world.on(*range(1, 9))
        world.goes(RULE.hold_s)
        world.off(*range(1, 9))
        world.goes(11)  # the webhook did not answer the first time
        world.goes(RULE.quiet_s)
        world.goes(1)
    assert [letter["Subject"] for letter in box.letters] == [
        "nyala: Magnetic disturbance raised: site A, 8 meters",
        "nyala: Magnetic disturbance cleared: site A, 8 meters",
    ]
    ids = [headers["Nyala-Id"] for _, headers, _ in hook.got]
    assert ids == ["incident-1-raised.2"] * 2 + ["incident-1-cleared.2"]
    assert [json.loads(body)["meters"] for *_, body in hook.got] == [8, 8, 8]
