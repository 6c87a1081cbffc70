"""The lives of meters over the API: onboarding in stock, activating by checks, suspending, removing, exchanging."""

from nyala.billing.run import run_month
from nyala.headend.lifecycle import Life
from nyala.store import lifecycle
from nyala.store.bills import TenantBills
from nyala.vocab.quantities import Channel
from nyala.vocab.time import instant_from_text
from tests.unit.api.estate import MONTH, NOW_S, OURS, SILENT, THEIRS, WH, is_problem

HEADER = "serial,model,dev_eui,join_eui,app_key,state"
ROW = "NEW-1,single-phase,00000000000e0001,1111111111111111," + "00" * 16 + ",in_stock"
AT_S = instant_from_text("2025-10-15T03:00:00Z")
REGISTERS = {"import_wh": 100, "export_wh": 0}


def imported(estate, text=f"{HEADER}\n{ROW}\n", **said):
    return estate.ask("POST", "meters/import", "operator", json={"text": text} | said)


def say(estate, meter, event, who="operator", **said):
    return estate.ask("POST", f"meters/{meter}/life", who, json={"event": event, "reason": "why"} | said)


def exchanged(estate, old, new, at_s=AT_S, **said):
    body = {"new_meter_id": new, "at_s": at_s, "final": REGISTERS, "start": REGISTERS, "reason": "broken"} | said
    return estate.ask("POST", f"meters/{old}/exchange", "operator", json=body)


def new_meter(estate):
    assert imported(estate, dry_run=False).json() == {"meters": 1, "taken": True, "errors": []}
    return next(item["id"] for item in estate.get("meters")["items"] if item["serial"] == "NEW-1")


def test_a_dry_run_takes_nothing_and_a_bad_row_neither(estate):
    assert imported(estate).json() == {"meters": 1, "taken": False, "errors": []}
    bad = imported(estate, f"{HEADER}\n{ROW}\nX,nothing,1,1,1,\n", dry_run=False).json()
    assert (bad["taken"], len(bad["errors"])) == (False, 1)
    assert estate.get("meters")["total"] == 3


def test_a_template_says_what_the_file_leaves_out(estate):
    template = {"name": "half", "period_min": 30, "report_min": 120, "tariff": "t", "zone": "Asia/Makassar"}
    assert estate.ask("POST", "templates", "operator", json=template).status_code == 201
    imported(estate, dry_run=False, template="half")
    record = next(each for each in estate.running.registry if each.serial == "NEW-1")
    assert (record.period_s, record.report_s, record.tariff, record.zone) == (1_800, 7_200, "t", "Asia/Makassar")
    is_problem(imported(estate, template="none"), 404, "unknown")


def test_a_new_meter_is_in_stock_and_is_not_active_before_its_checks_hold(estate):
    meter = new_meter(estate)
    assert estate.get(f"meters/{meter}/life")["state"] == "in_stock"
    estate.running.lives.heard(meter, estate.now_us)
    estate.client.portal.call(estate.running.ingest.stored)
    shown = estate.get(f"meters/{meter}/life")
    assert (shown["state"], [step["event"] for step in shown["steps"]]) == ("commissioning", ["heard"])
    detail = is_problem(say(estate, meter, "activate"), 409, "conflict")["detail"]
    assert "joined" in detail
    assert say(estate, meter, "activate", despite_checks=True).json()["state"] == "active"


def test_a_suspended_meter_is_billed_until_then_and_says_who_and_why(estate):
    shown = say(estate, OURS, "suspend", at_s=AT_S).json()
    assert (shown["state"], shown["ended_s"], shown["steps"][-1]["by"]) == ("suspended", AT_S, "operator")
    [account] = [each for each in TenantBills(estate.engine, 1, NOW_S).accounts() if each.meter_id == OURS]
    assert account.until_s == AT_S
    assert say(estate, OURS, "resume").json()["ended_s"] is None
    is_problem(say(estate, OURS, "resume"), 409, "conflict")


def test_only_what_counts_is_expected_on_the_fleet_page(estate):
    from nyala.api import fleet

    before = estate.get("fleet")["meters"]["total"]
    say(estate, SILENT, "remove")
    fleet.forget()
    assert estate.get("fleet")["meters"]["total"] == before - 1
    new_meter(estate)
    fleet.forget()
    assert estate.get("fleet")["meters"]["total"] == before - 1


def test_an_exchange_moves_customer_site_and_tariff_and_bills_both_sides_without_hole_or_overlap(estate):
    new = new_meter(estate)
    shown = exchanged(estate, OURS, new).json()
    assert shown["state"] == "active"
    assert [(each["old_meter_id"], each["at_s"]) for each in shown["exchanges"]] == [(OURS, AT_S)]
    old, moved = estate.get(f"meters/{OURS}"), estate.get(f"meters/{new}")
    assert (moved["customer"], moved["site"]) == (old["customer"], old["site"])
    assert estate.get(f"meters/{OURS}/life")["state"] == "replaced"
    first = AT_S // 900
    rest = (instant_from_text("2025-11-01T00:00:00Z") - AT_S) // 900
    estate.running.headend.book.merge(new, Channel.IMPORT, 900, first, [WH] * rest, [1] * rest)
    estate.running.ingest.nudge()
    estate.client.portal.call(estate.running.ingest.stored)
    run_month(TenantBills(estate.engine, 1, NOW_S), MONTH, NOW_S)
    bills = {bill["meter_id"]: bill["energy_wh"] for bill in estate.get(f"bills?month={MONTH}")["items"]}
    whole = (instant_from_text("2025-10-31T17:00:00Z") - instant_from_text("2025-09-30T17:00:00Z")) // 900
    assert bills[OURS] + bills[new] == whole * WH
    assert bills[OURS] == (AT_S - instant_from_text("2025-09-30T17:00:00Z")) // 900 * WH


def test_an_exchange_that_cannot_be_changes_nothing(estate):
    new = new_meter(estate)
    for refused, status in (
        (exchanged(estate, OURS, new, AT_S + 1), 422),
        (exchanged(estate, OURS, new, NOW_S + 86_400 - (NOW_S % 900)), 422),
        (exchanged(estate, OURS, new, final={"import_wh": 1}), 422),
        (exchanged(estate, OURS, OURS), 422),
        (exchanged(estate, OURS, SILENT), 409),
        (exchanged(estate, OURS, THEIRS), 422),
    ):
        assert refused.status_code == status, refused.text
    with estate.engine.connect() as connection:
        assert lifecycle.life_of(connection, OURS).state is Life.ACTIVE
        assert lifecycle.life_of(connection, new).state is Life.IN_STOCK
    assert exchanged(estate, OURS, new).status_code == 200
    is_problem(exchanged(estate, OURS, new), 409, "conflict")


def looked(estate, old=OURS, serial="NEW-1", at_s=AT_S, **said):
    return estate.ask("POST", f"meters/{old}/exchange/look", "operator", json={"new_serial": serial, "at_s": at_s} | said)


def test_an_exchange_is_looked_at_before_it_is_done(estate):
    new = new_meter(estate)
    asked = looked(estate).json()
    assert (asked["new"]["meter_id"], asked["new"]["state"]) == (new, "in_stock")
    assert (asked["edge_s"], asked["refused"]) == (AT_S, "meter N00001: its registers lack import_wh, export_wh")
    assert asked["old"]["registers"][0] | {"leads_to_wh": None} == {
        "name": "import_wh",
        "last_wh": 123_456,
        "last_s": NOW_S - 60,
        "leads_to_wh": None,
    }
    assert looked(estate, at_s=AT_S + 61).json()["edge_s"] == AT_S
    fits = looked(estate, final=REGISTERS, start=REGISTERS).json()
    assert (fits["refused"], set(fits["estimated"])) == ("", {"import_wh", "export_wh"})
    assert "no install" in looked(estate, serial="N00003", final=REGISTERS, start=REGISTERS).json()["refused"]
    is_problem(looked(estate, serial="N00004"), 422, "bad-argument")
    assert estate.get(f"meters/{OURS}/life")["state"] == "active"
    assert estate.get(f"meters/{new}/life")["state"] == "in_stock"


def test_a_life_says_what_may_be_said_of_it_now(estate):
    assert estate.get(f"meters/{OURS}/life")["moves"] == ["suspend", "remove", "replace"]
    assert say(estate, OURS, "remove").json()["moves"] == []


def test_the_list_of_meters_shows_those_that_stand_somewhere_in_their_lives(estate):
    new = new_meter(estate)
    page = estate.get("meters?life=in_stock")
    assert ([(item["id"], item["life"]) for item in page["items"]], page["total"]) == ([(new, "in_stock")], 1)
    assert estate.get("meters?life=active")["total"] == 3
    is_problem(estate.ask("GET", "meters?life=gone"), 422, "bad-argument")
