"""What the tests of billing share: load days of a month, and a tariff with every kind of charge."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nyala.billing.determinants import Determinants
from nyala.billing.tariff import Tariff, TariffProfile, TimeTariffInterval
from nyala.billing.tariff_file import check_tariff, shipped, shipped_text
from nyala.mdm.load_day import Key, LoadDay
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, day_of, local_month, zone

METER = 7
JANUARY = local_month("2025-01", zone("Asia/Jakarta"))


def load_day(
    day: int,
    values: int | Sequence[int],
    qualities: int | Sequence[int] = Quality.VALIDATED,
    *,
    period_s: int = 900,
    version: int = 1,
    meter_id: int = METER,
    channel: Channel = Channel.IMPORT,
) -> LoadDay:
    """One load day; a single value or quality stands for all its intervals."""
    count = DAY_S // period_s
    return LoadDay(
        key=Key(meter_id, day, channel),
        period_s=period_s,
        values=np.broadcast_to(np.array(values, np.int64), (count,)).copy(),
        qualities=np.broadcast_to(np.array(qualities, np.uint8), (count,)).copy(),
        version=version,
    )


def load_days(period: tuple[int, int], value: int, *, period_s: int = 900) -> list[LoadDay]:
    """Every UTC day that a period touches, with the same value in every interval."""
    return [load_day(day, value, period_s=period_s) for day in days_of(period)]


def days_of(period: tuple[int, int]) -> range:
    """The UTC days that a period touches."""
    return range(day_of(period[0]), day_of(period[1] - 1) + 1)


def month_of(total_wh: int, period: tuple[int, int] = JANUARY) -> list[LoadDay]:
    """Load days that hold `total_wh` within the period, spread evenly: the rest of the division in one interval at noon UTC."""
    count = (period[1] - period[0]) // 900
    days = load_days(period, total_wh // count)
    days[10].values[48] += total_wh % count
    return days


def more_charges() -> Tariff:
    """R-1 with a fixed charge of 12,345.67 rounded to whole rupiah, and a second tax on it and on the first."""
    fixed = 'label_en = "Fixed"\nlabel_id = "Abonemen"\nprice = "12345.67"\nrounding = { mode = "floor", unit = "1" }\n'
    tax = 'name = "PPN"\nlabel_en = "VAT"\nlabel_id = "PPN"\npercent = 11\nrounding = { mode = "ceil", unit = "1" }\n'
    return check_tariff(
        f'{shipped_text("pln-r1-1300")}[version.fixed]\n{fixed}[[version.tax]]\n{tax}on = ["energy", "fixed", "PPJ"]\n',
        "more.toml",
    )


def energies(measured: Determinants) -> dict[str, int]:
    return {each.code: each.energy_wh for each in measured.energy}


def profile(times: dict[str, list[tuple[int, int]]]) -> TariffProfile:
    """The prices of B-3 for other periods, nothing else: minutes [a, b) of each by name."""
    b3 = shipped()["pln-b3"].versions[-1]
    return TariffProfile(
        effective_from=b3.effective_from,
        intervals=tuple(TimeTariffInterval(name, a, b) for name, spans in times.items() for a, b in spans),
        energy=tuple(replace(b3.energy[0], period=name) for name in times),
        minimum=None,
        fixed=None,
        taxes=(),
    )
