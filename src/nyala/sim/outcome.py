"""What a simulation left behind, and the report that is made of it.  The store is opened again: memory proves nothing."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, select

from nyala.app import close_gaps
from nyala.billing import tariff_file
from nyala.billing.determinants import Determinants, measure
from nyala.billing.tariff import Tariff
from nyala.headend.budget import Share
from nyala.headend.command_life import CommandState
from nyala.headend.commands import CommandRow, Kind
from nyala.headend.registry import MeterRecord
from nyala.mdm.load_day import from_row
from nyala.sim.laws import CounterWatch, Verdict, law_energy, law_kept, law_once, law_versions
from nyala.sim.setup import Scenario, Stage
from nyala.store import load_days, rows, schema
from nyala.vocab.errors import ConflictError
from nyala.vocab.quality import ESTIMATED
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, US_PER_S, zone

PROFILE: Final = (Channel.IMPORT, Channel.EXPORT)
NAMES: Final = {Channel.IMPORT: "import", Channel.EXPORT: "export"}
Energies = dict[tuple[int, Channel], int]


@dataclass(slots=True)
class Outcome:
    """The figures of a run."""

    verdicts: list[Verdict]
    meters: Energies
    stored: Energies
    estimated: Energies
    billed: Energies
    intervals: Counter[str]
    commands: list[CommandRow]
    counts: Counter[str]
    airtime_s: float
    not_supplied_wh: dict[str, int]
    power_cuts: dict[str, int]
    """Power-fail saves of the meters, and those of them that did not end."""

    @classmethod
    def of(
        cls,
        stage: Stage,
        scenario: Scenario,
        watch: CounterWatch,
        meters: Energies,
        not_supplied_wh: dict[str, int],
        engine: Engine,
    ) -> "Outcome":
        """Closes the gaps that are left, reads the store back and looks at the laws."""
        close_gaps(engine, stage.records, scenario.start_s, scenario.end_s)
        with engine.connect() as connection:
            energies = [_measured(connection, record, scenario) for record in stage.records]
            stored, estimated, billed, intervals, same = _sums(stage.records, energies)
            ordered = [
                rows.command_of(row)
                for row in connection.execute(select(schema.command).order_by(schema.command.c.id)).mappings()
            ]
            verdicts = [
                law_energy(meters, stored, estimated, billed),
                law_kept((each for f in stage.world.forwarders for each in f.acknowledged), connection),
                law_once(
                    [command for command in ordered if command.kind is not Kind.READ],
                    stage.world.executed,
                    {row: record.id for row, record in enumerate(stage.records)},
                    {r.id: t.memory.event_number for r, t in zip(stage.records, stage.world.twins, strict=True)},
                    connection,
                ),
                law_versions(connection, same),
                watch.verdict,
            ]
        counts: Counter[str] = Counter()
        for centre in stage.host.started:
            counts += centre.headend.counts
            counts["duplicates"] += centre.network.duplicates + centre.udp.counts["repeated_push"]  # a datagram is a frame here
            counts["replaced"] += centre.headend.book.replaced
            counts["backfill_requests"] += centre.headend.backfill.requests
            counts["backfill_air_us"] += centre.headend.budget.spent_us[Share.BACKFILL]
        counts.update({f"radio_{name}": count for name, count in stage.world.radio.counts.items()})
        airtime_s = sum(twin.mac.airtime_us for twin in stage.world.twins) / US_PER_S
        keepers = [twin.keeper for twin in stage.world.twins]
        cuts = {"meters": sum(each.cuts for each in keepers), "torn_saves": sum(each.torn for each in keepers)}
        return cls(verdicts, meters, stored, estimated, billed, intervals, ordered, counts, airtime_s, not_supplied_wh, cuts)


def _measured(
    connection: Connection, record: MeterRecord, scenario: Scenario
) -> list[tuple[Channel, Determinants, Determinants]]:
    """The determinants of a meter's channels over the run, computed twice: from the store, and from its stored versions."""
    tariff = _tariff(record.tariff)
    profile, tz = tariff.version_at(scenario.start_s), zone(tariff.zone)
    period = (scenario.start_s, scenario.end_s)
    first, until = scenario.start_s // DAY_S, -(-scenario.end_s // DAY_S)
    found = []
    for channel in PROFILE:
        days = load_days.of_meter(connection, record.id, [channel], first, until)
        try:
            now = measure(profile, tz, period, map(from_row, days), channel)
        except ConflictError:
            continue
        versions = load_days.of_versions(connection, [(day.key, day.version) for day in days])
        found.append((channel, now, measure(profile, tz, period, map(from_row, reversed(versions)), channel)))
    return found


def _tariff(code: str) -> Tariff:
    return tariff_file.shipped()[code]


def _sums(
    records: Iterable[MeterRecord], energies: list[list[tuple[Channel, Determinants, Determinants]]]
) -> tuple[Energies, Energies, Energies, Counter[str], list[tuple[int, bool]]]:
    stored: Energies = {}
    estimated: Energies = {}
    billed: Energies = {}
    intervals: Counter[str] = Counter()
    same: list[tuple[int, bool]] = []
    for record, channels in zip(records, energies, strict=True):
        for channel, now, again in channels:
            guessed = sum(each.estimated_wh for each in now.energy)
            billed[record.id, channel] = now.energy_wh
            estimated[record.id, channel] = guessed
            stored[record.id, channel] = now.energy_wh - guessed
            same.append((record.id, now == again))
            intervals.update(_interval_counts(now))
    return stored, estimated, billed, intervals, same


def _interval_counts(found: Determinants) -> dict[str, int]:
    guessed = sum(
        int(sum((each.source.quality == quality).sum() for quality in ESTIMATED)) for each in found.energy if each.source
    )
    return {
        "expected": found.intervals,
        "received": found.intervals - found.missing - guessed,
        "estimated": guessed,
        "missing": found.missing,
    }


def _per_channel(energies: Mapping[tuple[int, Channel], int]) -> dict[str, int]:
    return {NAMES[channel]: sum(wh for (_, c), wh in energies.items() if c is channel) for channel in PROFILE}


def _commands(ordered: list[CommandRow]) -> dict[str, Any]:
    states = Counter(command.state for command in ordered)
    delays_s = sorted(
        (command.updated_us - command.created_us) / US_PER_S for command in ordered if command.state is CommandState.VERIFIED
    )
    return {
        "issued": len(ordered),
        "verified": states[CommandState.VERIFIED],
        "failed": states[CommandState.FAILED],
        "expired": states[CommandState.EXPIRED],
        "median_s": round(statistics.median(delays_s), 3) if delays_s else None,
        "p99_s": round(delays_s[min(len(delays_s) * 99 // 100, len(delays_s) - 1)], 3) if delays_s else None,
    }


def report(scenario: Scenario, outcome: Outcome) -> dict[str, Any]:
    """The report of a run; everything in it is the same for the same scenario and seed."""
    return {
        "seed": scenario.seed,
        "meters": scenario.meters,
        "days": scenario.days,
        "laws": [verdict.report() for verdict in outcome.verdicts],
        "energy_wh": {
            "meters": _per_channel(outcome.meters),
            "stored": _per_channel(outcome.stored),
            "billed": _per_channel(outcome.billed),
            "estimated": _per_channel(outcome.estimated),
            "not_supplied": outcome.not_supplied_wh,
        },
        "intervals": {key: outcome.intervals[key] for key in ("expected", "received", "estimated", "missing")},
        "power_cuts": outcome.power_cuts,
        "uplinks": outcome.counts["uplinks"],
        "duplicates": outcome.counts["duplicates"],
        "airtime_s": round(outcome.airtime_s, 3),
        "commands": _commands(outcome.commands),
        "backfill_requests": outcome.counts["backfill_requests"],
        "anchors": {"right": outcome.counts["anchors_right"], "wrong": outcome.counts["anchors_wrong"]},
        "counts": dict(sorted(outcome.counts.items())),
    }
