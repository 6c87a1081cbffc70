"""Settings that are chosen in the portal reach the meters of a living demo, and come back in step; in a real browser."""

from playwright.sync_api import expect

from tests.e2e.test_portal import log_in, open_meter

STEP_TIMEOUT_MS = 180_000
"""A block of some frames at RX2, answers that are lost and asked for again."""
SERIAL = "10000004"


def send(page, kind, fill):
    """Changes one setting of the meter on the screen; answers what was asked before it was sent."""
    page.get_by_test_id(f"setting-{kind}").get_by_test_id("setting-change").click()
    fill()
    page.get_by_test_id("config-send").click()
    summary = page.get_by_test_id("config-summary").inner_text()
    page.get_by_test_id("config-send").click()
    expect(page.get_by_test_id("config-reason")).to_have_attribute("aria-invalid", "true")
    page.get_by_test_id("config-reason").fill("end to end test")
    page.get_by_test_id("config-send").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    return summary


def in_step(page, kind):
    line = page.get_by_test_id(f"setting-{kind}")
    expect(line).to_have_attribute("data-state", "in_step", timeout=STEP_TIMEOUT_MS)
    return line


def test_a_limit_and_a_calendar_reach_the_meter_and_come_back_in_step(page):
    log_in(page)
    open_meter(page, SERIAL)
    expect(page.get_by_test_id("setting-limiter")).to_have_attribute("data-state", "unmanaged")
    said = send(page, "limiter", lambda: page.get_by_test_id("config-watts").fill("7700"))
    assert "7,700 W" in said

    def calendar():
        page.get_by_test_id("config-calendar").select_option("pln-wbp-18")
        page.get_by_test_id("config-when").select_option("month")
        expect(page.get_by_test_id("year-preview")).to_contain_text("18:00 Rate 2")

    assert send(page, "calendar", calendar).startswith("pln-wbp-18 · from ")
    expect(in_step(page, "limiter")).to_contain_text("7,700 W")
    expect(in_step(page, "calendar")).to_contain_text("pln-wbp-18")
    page.get_by_test_id("config-history").click()
    history = page.get_by_test_id("setting-history").locator("li")
    expect(history).to_have_count(2)
    expect(history.first).to_contain_text("operator")
    expect(history.first).to_contain_text("end to end test")


def test_what_the_server_does_not_take_is_said_before_it_is_sent(page):
    log_in(page)
    open_meter(page, SERIAL)
    page.get_by_test_id("setting-zone").get_by_test_id("setting-change").click()
    page.get_by_test_id("config-offset").fill("7")
    expect(page.get_by_test_id("config-problem")).to_contain_text("Time zone:")
    expect(page.get_by_test_id("config-send")).to_be_disabled()
    page.get_by_test_id("config-offset").fill("+08:00")
    expect(page.get_by_test_id("config-problem")).to_have_count(0)
    expect(page.get_by_test_id("config-send")).to_be_enabled()


def test_one_setting_for_many_is_followed_meter_by_meter(page):
    log_in(page)
    page.goto("/#/configuration")
    page.get_by_test_id("config-order").click()
    page.get_by_test_id("config-kind").select_option("billing")
    page.get_by_test_id("config-whom").select_option("serials")
    page.get_by_test_id("config-serials").fill("10000005\n10000006")
    page.get_by_test_id("config-day").select_option("15")
    expect(page.get_by_test_id("config-reaches")).to_contain_text("2 meters")
    page.get_by_test_id("config-send").click()
    page.get_by_test_id("config-reason").fill("end to end test")
    page.get_by_test_id("config-send").click()
    expect(page.get_by_test_id("config-order-state")).to_have_attribute("data-state", "done", timeout=STEP_TIMEOUT_MS)
    expect(page.locator('[data-testid="config-member"][data-state="verified"]')).to_have_count(2)
    page.goto("/#/configuration")
    expect(page.get_by_test_id("fleet-billing")).to_contain_text("2 of 2 in step")
