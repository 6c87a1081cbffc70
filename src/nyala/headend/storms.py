"""Many alarms of one kind, from one place, at one time: one incident.  And what is to be told, once for each.

    raised(...), cleared(...)    changes of alarms, in the order in which they came
    gateway_down, gateway_up     an incident of the gateway; `explained` meters are its members and raise nothing themselves
    dark(...)                    whether an outage explains a silent meter
    poll(now)                    tells what was held back, ends incidents that are quiet
    take()                       what changed, to be stored in one transaction, with the notices

An alarm is an *entry*: alone, or a member of an incident.  A new alarm joins the open incident of its kind at its feeder,
its site or its gateway; where there is none, and enough meters of the place have the alarm within the window, one is opened
with all of them.  A single alarm is told after `hold_s`, and again when it is over; an incident when it has stood for
`hold_s`, and when none of its alarms was on for `quiet_s`.  `storms.toml` has the parameters.  No I/O; instants are arguments.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from nyala.headend.storms_shapes import Entry, Incident, Notice, Origin, Scope, Taken, storm_table
from nyala.vocab.centre_alarms import GATEWAY_SILENT, POWER_FAILED
from nyala.vocab.time import US_PER_S

SITES_MAX: Final = 50
"""Sites that one notice names."""

_Place = tuple[int, int, Scope, str]


class Storms:
    """All alarms that are on, or were lately, and the incidents that they make."""

    def __init__(
        self,
        origin: Callable[[int], Origin],
        incidents: Iterable[Incident] = (),
        entries: Sequence[Entry] = (),
        next_id: int = 1,
    ) -> None:
        """`incidents` that are open, `entries` that are theirs or alone: as the store has them."""
        self._origin, self._rules, self._next_id = origin, storm_table()[0], next_id
        self._open: dict[_Place, Incident] = {}
        self._incidents: dict[int, Incident] = {}
        self._members: dict[int, list[Entry]] = {}
        self._on: dict[int, Counter[int]] = {}
        """Of an open incident: how many of its alarms are on, by meter; a meter that has none any more stands with 0."""
        self._entries: dict[tuple[int, int], list[Entry]] = {}
        self._recent: dict[_Place, list[Entry]] = {}
        self._due: list[tuple[int, int, Callable[[int], None]]] = []
        self._count = itertools.count()
        self._changed: dict[tuple[int, int, int], Entry] = {}
        self._gone: dict[tuple[int, int, int], Entry] = {}
        self._moved: dict[int, Incident] = {}
        self._notices: list[Notice] = []
        for incident in incidents:
            self._keep(incident)
        for entry in sorted(entries, key=lambda each: each.received_us):
            self._restore(entry)

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do."""
        return self._due[0][0] if self._due else None

    # -- in

    def raised(self, entry: Entry) -> None:
        """An alarm of a meter went on (and is over already, where `cleared_s` says so)."""
        known = self._entries.setdefault((entry.meter_id, entry.alarm), [])
        if any(each.raised_s == entry.raised_s for each in known):
            return
        known.append(entry)
        self._changed[entry.key] = entry
        origin = self._origin(entry.meter_id)
        for place in _places(origin, entry.alarm):
            if place in self._open:
                self._join(self._open[place], entry)
                return
        for place in _places(origin, entry.alarm):
            if self._gathers(place, entry):
                return
        self._at(entry.received_us + self._rules[entry.alarm].hold_s * US_PER_S, lambda now_us: self._release(entry, now_us))

    def cleared(self, meter_id: int, alarm: int, at_s: int, before_s: int, now_us: int) -> None:
        """The newest occurrence that went on before `before_s` is over; said again, or of none, it changes nothing."""
        older = [each for each in self._entries.get((meter_id, alarm), ()) if each.raised_s < before_s]
        entry = max(older, key=lambda each: each.raised_s, default=None)
        if entry is None or entry.cleared_s is not None:
            return
        entry.cleared_s = max(at_s, entry.raised_s)
        self._changed[entry.key] = entry
        if entry.incident_id is not None:
            self._shift(self._incidents[entry.incident_id], entry, -1, now_us)
        elif entry.told:
            self._tell(entry, on=False)
            self._forget(entry, now_us)

    def gateway_down(self, tenants: Iterable[int], eui: str, at_s: int, now_us: int) -> None:
        """A gateway is silent: an incident of each tenant that has meters there."""
        for tenant in tenants:
            if (tenant, GATEWAY_SILENT, Scope.GATEWAY, eui) not in self._open:
                self._opens((tenant, GATEWAY_SILENT, Scope.GATEWAY, eui), at_s, now_us)

    def gateway_up(self, eui: str, at_s: int, now_us: int) -> None:
        """It is heard again."""
        for incident in [each for each in self._open.values() if each.alarm == GATEWAY_SILENT and each.place == eui]:
            for entry in self._members[incident.id]:
                entry.cleared_s = max(at_s, entry.raised_s)
                self._changed[entry.key] = entry
                self._shift(incident, entry, -1, now_us)
            self._end(incident, now_us)

    def explained(self, meter_id: int, eui: str, at_s: int, now_us: int) -> None:
        """A meter is not heard because its gateway is down."""
        incident = self._open.get((self._origin(meter_id).tenant_id, GATEWAY_SILENT, Scope.GATEWAY, eui))
        if incident is not None and meter_id not in self._on[incident.id]:
            entry = Entry(meter_id, GATEWAY_SILENT, at_s, now_us)
            self._entries.setdefault((meter_id, GATEWAY_SILENT), []).append(entry)
            self._join(incident, entry)

    def dark(self, meter_id: int, at_s: int, now_us: int) -> bool:
        """Whether an outage explains that a meter is not heard: its last words, or an incident where it is, which it joins."""
        if any(each.cleared_s is None for each in self._entries.get((meter_id, POWER_FAILED), ())):
            return True
        places = _places(self._origin(meter_id), POWER_FAILED)
        incident = next((self._open[place] for place in places if place in self._open), None)
        if incident is not None:
            entry = Entry(meter_id, POWER_FAILED, max(at_s, incident.first_s), now_us)
            self._entries.setdefault((meter_id, POWER_FAILED), []).append(entry)
            self._join(incident, entry)
        return incident is not None

    # -- time

    def poll(self, now_us: int) -> None:
        """Does what is due."""
        while self._due and self._due[0][0] <= now_us:
            heapq.heappop(self._due)[2](now_us)

    def take(self) -> Taken:
        """What changed since the last call."""
        gone = self._gone
        changed = [entry for key, entry in self._changed.items() if key not in gone]
        taken = Taken(changed, list(gone.values()), list(self._moved.values()), self._notices)
        self._changed, self._gone, self._moved, self._notices = {}, {}, {}, []
        return taken

    def _at(self, at_us: int, act: Callable[[int], None]) -> None:
        heapq.heappush(self._due, (at_us, next(self._count), act))

    # -- entries

    def _gathers(self, place: _Place, entry: Entry) -> bool:
        """Counts an alarm at a place; opens an incident there where it is one too many."""
        rule = self._rules[entry.alarm]
        since_us = entry.received_us - rule.window_s * US_PER_S
        recent = [e for e in self._recent.get(place, ()) if e.received_us >= since_us and e.incident_id is None]
        self._recent[place] = [*recent, entry]
        if len({each.meter_id for each in self._recent[place]}) < rule.enough(place[2]):
            return False
        members = self._recent.pop(place)
        incident = self._opens(place, min(each.raised_s for each in members), entry.received_us)
        for each in members:
            self._join(incident, each)
        return True

    def _release(self, entry: Entry, now_us: int) -> None:
        """A single alarm was held for long enough."""
        if entry.incident_id is None and not entry.told:
            entry.told = True
            self._changed[entry.key] = entry
            self._tell(entry, on=True)
            if entry.cleared_s is not None:
                self._tell(entry, on=False)
        self._forget(entry, now_us)

    def _forget(self, entry: Entry, now_us: int) -> None:
        """Lets a single alarm go that is over and told, when no storm can need it any more."""
        if entry.incident_id is not None or not entry.told or entry.cleared_s is None:
            return
        until_us = entry.received_us + self._rules[entry.alarm].window_s * US_PER_S
        if now_us < until_us:
            self._at(until_us, lambda later_us: self._forget(entry, later_us))
            return
        self._drop(entry)
        self._gone[entry.key] = entry

    def _drop(self, entry: Entry) -> None:
        key = entry.meter_id, entry.alarm
        left = [each for each in self._entries.get(key, ()) if each is not entry]
        if left:
            self._entries[key] = left
        else:
            self._entries.pop(key, None)
        for place in _places(self._origin(entry.meter_id), entry.alarm):
            recent = [each for each in self._recent.pop(place, ()) if each is not entry]
            if recent:
                self._recent[place] = recent

    def _restore(self, entry: Entry) -> None:
        self._entries.setdefault((entry.meter_id, entry.alarm), []).append(entry)
        if entry.incident_id is not None:
            self._members[entry.incident_id].append(entry)
            self._on[entry.incident_id][entry.meter_id] += entry.cleared_s is None
            return
        for place in _places(self._origin(entry.meter_id), entry.alarm):
            self._recent.setdefault(place, []).append(entry)
        hold_us = self._rules[entry.alarm].hold_s * US_PER_S
        self._at(entry.received_us + hold_us, lambda now_us: self._release(entry, now_us))

    # -- incidents

    def _opens(self, place: _Place, at_s: int, now_us: int) -> Incident:
        tenant, alarm, scope, name = place
        incident = Incident(self._next_id, tenant, alarm, scope, name, at_s, at_s, now_us, now_us)
        self._next_id += 1
        self._moved[incident.id] = incident
        self._keep(incident)
        return incident

    def _keep(self, incident: Incident) -> None:
        self._open[incident.tenant_id, incident.alarm, incident.scope, incident.place] = incident
        self._incidents[incident.id] = incident
        self._members[incident.id], self._on[incident.id] = [], Counter()
        rule = self._rules[incident.alarm]
        if not incident.told:
            self._at(incident.opened_us + rule.hold_s * US_PER_S, lambda now_us: self._stands(incident, now_us))
        self._at(incident.updated_us + rule.quiet_s * US_PER_S, lambda now_us: self._settle(incident, now_us))

    def _join(self, incident: Incident, entry: Entry) -> None:
        entry.incident_id, entry.told = incident.id, True
        self._changed[entry.key] = entry
        self._members[incident.id].append(entry)
        incident.first_s, incident.last_s = min(incident.first_s, entry.raised_s), max(incident.last_s, entry.raised_s)
        self._shift(incident, entry, int(entry.cleared_s is None), entry.received_us)

    def _shift(self, incident: Incident, entry: Entry, by: int, now_us: int) -> None:
        """A member is on, or off again."""
        on = self._on[incident.id]
        before = on[entry.meter_id] > 0
        on[entry.meter_id] += by
        incident.meters, incident.meters_on = len(on), incident.meters_on + (on[entry.meter_id] > 0) - before
        incident.updated_us = max(incident.updated_us, now_us)
        self._moved[incident.id] = incident
        if not incident.meters_on:
            quiet_us = self._rules[incident.alarm].quiet_s * US_PER_S
            self._at(incident.updated_us + quiet_us, lambda later_us: self._settle(incident, later_us))

    def _stands(self, incident: Incident, _now_us: int) -> None:
        if not incident.told:
            incident.told = True
            self._moved[incident.id] = incident
            self._tell_of(incident, on=True)

    def _settle(self, incident: Incident, now_us: int) -> None:
        quiet_us = self._rules[incident.alarm].quiet_s * US_PER_S
        is_over = incident.meters_on == 0 and incident.ended_us is None and incident.alarm != GATEWAY_SILENT
        if is_over and now_us >= incident.updated_us + quiet_us:
            self._end(incident, now_us)

    def _end(self, incident: Incident, now_us: int) -> None:
        self._stands(incident, now_us)
        incident.ended_us = now_us
        self._moved[incident.id] = incident
        self._tell_of(incident, on=False)
        for entry in self._members.pop(incident.id):
            self._drop(entry)
        del self._incidents[incident.id], self._on[incident.id]
        del self._open[incident.tenant_id, incident.alarm, incident.scope, incident.place]

    # -- out

    def _tell(self, entry: Entry, *, on: bool) -> None:
        origin = self._origin(entry.meter_id)
        at_s = entry.raised_s if on or entry.cleared_s is None else entry.cleared_s
        word = "raised" if on else "cleared"
        self._notices.append(
            Notice(
                subject=f"alarm-{entry.meter_id}-{entry.alarm}-{entry.raised_s}-{word}",
                tenant_id=origin.tenant_id,
                alarm=entry.alarm,
                on=on,
                scope=Scope.METER,
                place=origin.serial,
                sites=(origin.site,),
                first_s=entry.raised_s,
                at_s=at_s,
                meters=1,
                value=entry.value,
            )
        )

    def _tell_of(self, incident: Incident, *, on: bool) -> None:
        sites = {self._origin(entry.meter_id).site for entry in self._members[incident.id]}
        at_s = incident.first_s if on or incident.ended_us is None else incident.ended_us // US_PER_S
        self._notices.append(
            Notice(
                subject=f"incident-{incident.id}-{'raised' if on else 'cleared'}",
                tenant_id=incident.tenant_id,
                alarm=incident.alarm,
                on=on,
                scope=incident.scope,
                place=incident.place,
                sites=tuple(sorted(sites)[:SITES_MAX]),
                first_s=incident.first_s,
                at_s=at_s,
                meters=incident.meters,
            )
        )


def _places(origin: Origin, alarm: int) -> list[_Place]:
    """Where an alarm may gather: the feeder first, which says most."""
    found = ((Scope.FEEDER, origin.feeder), (Scope.SITE, origin.site), (Scope.GATEWAY, origin.gateway))
    return [(origin.tenant_id, alarm, scope, name) for scope, name in found if name]
