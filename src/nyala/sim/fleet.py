"""A fleet of simulated meters: who they are for the centre (`NewMeter`), and their twins.  Seeded.

The n-th meter has DevEUI 70B3D57ED1 and its number; its root key is drawn from the seed.  Models are mixed 7 : 2 : 1.
"""

import hashlib
from collections.abc import Sequence
from random import Random
from typing import Final

from nyala.headend.onboarding import NewMeter
from nyala.lorawan.device.state import Identity
from nyala.lorawan.region import Region
from nyala.lorawan.regulation import Regulation
from nyala.meter.bank import Bank
from nyala.meter.calendar import BillingSchedule, Calendars
from nyala.meter.calendar_tables import calendar_named
from nyala.meter.meter import Meter
from nyala.meter.model import MODELS, MeterModel, meter_model
from nyala.sim.loads.customers import Customer, make_customer
from nyala.sim.town import where
from nyala.twin.device import Twin
from nyala.twin.state import Reporting
from nyala.vocab.errors import BadArgumentError

DEV_EUI_FIRST: Final = 0x70B3_D57E_D100_0000
JOIN_EUI: Final = 0x70B3_D57E_D000_0001
METERS_MAX: Final = 100_000
MIX: Final = ("single-phase",) * 7 + ("three-phase",) * 2 + ("three-phase-ct",)
DRIFT_PPB_MAX: Final = 5_000
"""Crystals are off by at most 5 ppm: 0.43 s a day, inside the 0.5 s of the product sheet."""
CLOCK_ERROR_US_MAX: Final = 400_000
"""Clocks were set at the factory; the first synchronisation over the air removes what is left."""
WIB_S: Final = 7 * 3_600
TARIFFS: Final = {"single-phase": "pln-r1-1300", "three-phase": "pln-b3", "three-phase-ct": "pln-b3"}
CALENDAR: Final = "pln-wbp"
"""Rate 1 LWBP, rate 2 WBP 17:00-22:00 local time."""
_FIRST: Final = "Agus Budi Citra Dewi Eko Fitri Gilang Hana Indah Joko Kartika Lestari Made Nur Oka Putri Rina Sari Tono Wayan"
_LAST: Final = "Santoso Wijaya Kusuma Pratama Hidayat Siregar Nasution Saputra Halim Setiawan Utami Rahman Ginting Wibowo"
_GOODS: Final = "Mebel Tekstil Plastik Logam Pangan Kertas Keramik Kabel Farmasi Kimia"
_STREETS: Final = "Melati Kenanga Anggrek Cendana Merpati Diponegoro Sudirman Gajah Mada Pahlawan Kartini"


def models_of(mix: str, count: int) -> list[MeterModel]:
    """Models of a fleet: `mix` or the name of one model; BadArgumentError otherwise, and for a count out of bounds."""
    if not 1 <= count <= METERS_MAX:
        raise BadArgumentError(f"{count} meters; 1 to {METERS_MAX} can be simulated")
    if mix != "mix" and mix not in MODELS:
        raise BadArgumentError(f"model {mix!r}; mix, {', '.join(MODELS)} are there")
    names = [mix if mix != "mix" else MIX[i % len(MIX)] for i in range(count)]
    return [meter_model(name) for name in names]


def app_key(seed: int, number: int) -> bytes:
    """The root key of a simulated meter."""
    return hashlib.blake2b(f"nyala {seed} {number}".encode(), digest_size=16).digest()


def identities(count: int, seed: int) -> list[Identity]:
    """What the factory wrote into the modules."""
    return [Identity(DEV_EUI_FIRST + i, JOIN_EUI, app_key(seed, i)) for i in range(count)]


def new_meters(
    models: Sequence[MeterModel], seed: int, installed_s: int, reporting: Reporting, period_s: int
) -> list[NewMeter]:
    """The fleet as the centre onboards it."""
    found = []
    for i, (model, identity) in enumerate(zip(models, identities(len(models), seed), strict=True)):
        customer = make_customer(seed, i, model)
        name, site = _name(customer, Random(f"{seed} name {i}"))
        place, feeder = where(seed, site)
        found.append(
            NewMeter(
                serial=f"{model.code}{i + 1:07d}",
                model=model.name,
                dev_eui=identity.dev_eui,
                join_eui=identity.join_eui,
                app_key=identity.app_key,
                customer=name,
                site=site,
                zone="Asia/Jakarta",
                tariff=TARIFFS[model.name],
                contracted_va=customer.contract_va,
                ct_ratio=customer.ct_ratio,
                installed_s=installed_s,
                period_s=period_s,
                report_s=reporting.report_s,
                feeder=feeder,
                place=place,
            )
        )
    return found


def _name(customer: Customer, random: Random) -> tuple[str, str]:
    person = f"{random.choice(_FIRST.split())} {random.choice(_LAST.split())}"
    place = f"Jl. {random.choice(_STREETS.split())} {random.randint(1, 180)}"
    match customer.kind:
        case "household" | "home":
            return person, place
        case "stall":
            return f"Warung {person.split(maxsplit=1)[0]}", place
        case "shop":
            return f"Toko {person.split()[1]}", place
        case _:
            return (
                f"PT {person.split()[1]} {random.choice(_GOODS.split())}",
                f"Kawasan Industri blok {random.choice('ABCDEFGH')}",
            )


def make_twins(bank: Bank, seed: int, region: Region, reporting: Reporting, regulation: Regulation | None = None) -> list[Twin]:
    """The twins of a bank, with clocks that drift and the rates of the two-rate tariff."""
    clocks, calendars = Random(f"{seed} clocks"), Calendars(calendar_named(CALENDAR))
    twins = []
    for row, identity in enumerate(identities(len(bank), seed)):
        bank.drift_ppb[row] = clocks.randint(-DRIFT_PPB_MAX, DRIFT_PPB_MAX)
        bank.clock_error_ns[row] = clocks.randint(-CLOCK_ERROR_US_MAX, CLOCK_ERROR_US_MAX) * 1_000
        meter, random = Meter(bank, row), Random(f"{seed} device {row}")
        meter.operation.set_timetable(calendars, BillingSchedule(1, 0, WIB_S))
        twins.append(Twin(meter, identity, region, random, reporting=reporting, regulation=regulation))
    return twins
