"""One order for many meters between two people, groups, and an exchange, in a real browser against a living demo."""

import csv
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.test_portal import log_in

DONE_TIMEOUT_MS = 120_000
NEW = "NEW-E2E-1"
WIB = timezone(timedelta(hours=7))


def meters(page):
    """Single-phase meters of the demo that no other test switches."""
    items = page.request.get("/api/v1/meters?limit=100").json()["items"]
    plain = [item for item in items if item["model"] == "single-phase" and item["switch_state"] == "closed"]
    return plain[-4:]


@contextmanager
def another(browser, demo_url, name):
    """A page of a second person."""
    context = browser.new_context(base_url=demo_url, locale="en-GB")
    page = context.new_page()
    log_in(page, name)
    yield page
    context.close()


def verified(page, count):
    """The campaign on the screen has ended, and every meter has verified it."""
    expect(page.get_by_test_id("campaign-state")).to_have_attribute("data-state", "done", timeout=DONE_TIMEOUT_MS)
    expect(page.get_by_test_id("count-verified")).to_contain_text(str(count))
    expect(page.locator('[data-testid="member-row"][data-state="verified"]')).to_have_count(count)


def test_a_disconnection_waits_for_a_second_person_and_is_verified_meter_by_meter(page, browser, demo_url):
    log_in(page)
    chosen = meters(page)[:2]
    page.goto("/#/meters")
    page.get_by_test_id("meters-pick").click()
    for each in chosen:
        page.get_by_test_id("meters-search").fill(each["serial"])
        page.locator(f'[data-serial="{each["serial"]}"]').get_by_test_id("pick").check()
    page.get_by_test_id("picked-campaign").click()
    page.get_by_test_id("campaign-kind").select_option("switch_open")
    expect(page.get_by_test_id("campaign-over")).to_have_attribute("data-meters", "2")
    page.get_by_test_id("campaign-reason").fill("end to end test")
    page.get_by_test_id("campaign-number").fill("3")
    page.get_by_test_id("campaign-confirm").click()
    expect(page.get_by_text("This is not the number of meters above.")).to_be_visible()
    page.get_by_test_id("campaign-number").fill("2")
    page.get_by_test_id("campaign-confirm").click()
    expect(page.get_by_test_id("campaign-state")).to_have_attribute("data-state", "awaiting")
    expect(page.get_by_test_id("campaign-second")).to_contain_text("another person has to approve")
    expect(page.get_by_test_id("campaign-approve")).to_have_count(0)

    with another(browser, demo_url, "admin") as second:
        second.goto("/#/campaigns")
        second.locator('[data-testid="campaign-row"][data-state="awaiting"]').get_by_role("link").click()
        second.get_by_test_id("campaign-approve").click()
        second.get_by_test_id("say-reason").fill("seen and right")
        second.get_by_test_id("say-confirm").click()
        expect(second.get_by_test_id("campaign-second")).to_have_count(0)
    verified(page, 2)
    with page.expect_download() as file:
        page.get_by_test_id("campaign-csv").click()
    with Path(file.value.path()).open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [(row["serial"], row["state"]) for row in rows] == [(each["serial"], "verified") for each in chosen]
    page.get_by_role("link", name=chosen[0]["serial"]).click()
    expect(page.get_by_test_id("switch-state")).to_have_attribute("data-state", "open")
    _reconnect(page, chosen)


def _reconnect(page, chosen):
    """A group of pasted serial numbers, and a campaign over it."""
    page.goto("/#/groups")
    page.get_by_test_id("group-add").click()
    page.get_by_test_id("group-name").fill("end to end")
    page.get_by_test_id("group-list").click()
    serials = ", ".join(each["serial"] for each in chosen)
    page.get_by_test_id("group-serials").fill(f"{serials}\nNOBODY")
    expect(page.get_by_test_id("group-looked")).to_contain_text("NOBODY")
    expect(page.get_by_test_id("group-confirm")).to_be_disabled()
    page.get_by_test_id("group-serials").fill(serials)
    page.get_by_test_id("group-confirm").click()
    row = page.get_by_test_id("group-row").filter(has_text="end to end")
    expect(row).to_contain_text("2 meters")
    row.get_by_test_id("group-campaign").click()
    page.get_by_test_id("campaign-kind").select_option("switch_close")
    page.get_by_test_id("campaign-reason").fill("paid")
    expect(page.get_by_test_id("campaign-number")).to_have_count(0)
    page.get_by_test_id("campaign-confirm").click()
    verified(page, 2)


def test_a_campaign_is_paused_and_ended_by_who_ordered_it(page):
    log_in(page)
    page.goto("/#/groups")
    page.get_by_test_id("group-add").click()
    page.get_by_test_id("group-name").fill("all of a model")
    page.get_by_test_id("group-model").select_option("single-phase")
    page.get_by_test_id("group-confirm").click()
    page.goto("/#/campaigns")
    page.get_by_test_id("campaign-order").click()
    page.get_by_test_id("campaign-group").select_option(
        page.locator("option", has_text="all of a model").get_attribute("value")
    )
    page.get_by_test_id("campaign-reason").fill("audit")
    page.get_by_label("Meters per minute").fill("1")
    page.get_by_test_id("campaign-confirm").click()
    for move, state in (("pause", "paused"), ("cancel", "cancelled")):
        page.get_by_test_id(f"campaign-{move}").click()
        page.get_by_test_id("say-reason").fill("end to end test")
        page.get_by_test_id("say-confirm").click()
        expect(page.get_by_test_id("campaign-state")).to_have_attribute("data-state", state)
    expect(page.get_by_test_id("count-waiting")).to_have_count(0)
    page.get_by_test_id("members-state").select_option("cancelled")
    expect(page.get_by_test_id("member-row").first).to_contain_text("campaign cancelled")


def test_a_viewer_looks_at_campaigns_and_groups_and_orders_nothing(page):
    log_in(page, "viewer")
    page.goto("/#/campaigns")
    expect(page.get_by_test_id("to-groups")).to_be_visible()
    expect(page.get_by_test_id("campaign-order")).to_have_count(0)
    page.goto("/#/groups")
    expect(page.get_by_test_id("templates")).to_be_visible()
    expect(page.get_by_test_id("group-add")).to_have_count(0)
    page.goto("/#/meters")
    expect(page.get_by_test_id("meter-row").first).to_be_visible()
    expect(page.get_by_test_id("meters-pick")).to_have_count(0)


def test_a_meter_is_exchanged_at_the_edge_of_an_interval_and_both_know_of_each_other(page):
    log_in(page)
    old = meters(page)[-1]
    head = "serial,model,dev_eui,join_eui,app_key,state"
    row = f"{NEW},single-phase,00000000000e2e01,1111111111111111,{'00' * 16},in_stock"
    taken = page.request.post("/api/v1/meters/import", data={"text": f"{head}\n{row}\n", "dry_run": False})
    assert taken.json() == {"meters": 1, "taken": True, "errors": []}
    page.goto("/#/meters")
    page.get_by_test_id("meters-life").select_option("in_stock")
    expect(page.get_by_test_id("meter-row")).to_have_attribute("data-serial", NEW)

    page.goto(f"/#/meters/{old['id']}")
    page.get_by_test_id("life-replace").click()
    edge = datetime.fromtimestamp(time.time() // 900 * 900 - 7_200, WIB)
    page.get_by_test_id("exchange-serial").fill(NEW)
    page.get_by_test_id("exchange-when").fill((edge + timedelta(minutes=7)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_test_id("exchange-edge").click()
    expect(page.get_by_test_id("exchange-when")).to_have_value(edge.strftime("%Y-%m-%dT%H:%M"))
    expect(page.get_by_test_id("exchange-looked")).to_contain_text("registers lack")
    expect(page.get_by_test_id("exchange-take")).to_have_count(2)
    page.get_by_test_id("exchange-start-import_wh").fill("0")
    page.get_by_test_id("exchange-start-export_wh").fill("0")
    page.get_by_test_id("exchange-final-import_wh").fill("0.001")
    page.get_by_test_id("exchange-final-export_wh").fill("0")
    expect(page.get_by_test_id("exchange-looked")).to_contain_text("its intervals lead to")
    for take in page.get_by_test_id("exchange-take").all():
        take.click()
    page.get_by_test_id("exchange-reason").fill("Meter defective")
    expect(page.get_by_test_id("exchange-looked")).to_contain_text("Everything fits.")
    page.get_by_test_id("exchange-confirm").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(NEW)
    expect(page.get_by_test_id("life-state")).to_have_attribute("data-state", "active")
    page.get_by_test_id("exchange-line").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(old["serial"])
    expect(page.get_by_test_id("life-state")).to_have_attribute("data-state", "replaced")
    expect(page.get_by_test_id("life-replace")).to_have_count(0)
