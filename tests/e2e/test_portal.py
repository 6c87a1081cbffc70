"""The portal as an operator uses it, against a living demo, in a real browser."""

import re

from playwright.sync_api import expect

COMMAND_TIMEOUT_MS = 90_000


def log_in(page, name="operator"):
    page.goto("/")
    page.get_by_test_id("login-name").fill(name)
    page.get_by_test_id("login-password").fill("nyala-demo")
    page.get_by_test_id("login-submit").click()
    expect(page.get_by_test_id("kpi-heard")).to_be_visible()


def open_meter(page, serial):
    page.goto("/#/meters")
    page.get_by_test_id("meters-search").fill(serial)
    row = page.locator(f'[data-testid="meter-row"][data-serial="{serial}"]')
    expect(row).to_be_visible()
    row.click()
    expect(page.get_by_test_id("profile-chart")).to_be_visible()


def order(page, button):
    """Gives a switch command and waits for it to be verified."""
    kind = "switch_open" if button == "switch-open" else "switch_close"
    page.get_by_test_id(button).click()
    page.get_by_test_id("switch-reason").fill("end to end test")
    page.get_by_test_id("switch-confirm").click()
    state = page.locator(f'[data-testid="command-state"][data-kind="{kind}"]').first
    expect(state).to_be_visible()
    expect(state).to_have_attribute("data-state", "verified", timeout=COMMAND_TIMEOUT_MS)


def test_a_wrong_password_is_refused(page):
    page.goto("/")
    page.get_by_test_id("login-name").fill("operator")
    page.get_by_test_id("login-password").fill("wrong-password")
    page.get_by_test_id("login-submit").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_test_id("kpi-heard")).to_have_count(0)


def test_the_fleet_shows_meters_and_completeness(page):
    log_in(page)
    expect(page.get_by_test_id("kpi-heard")).to_contain_text("20")
    expect(page.get_by_test_id("kpi-completeness")).to_contain_text("%")


def test_the_gateways_are_listed_with_their_protocol_and_state(page):
    log_in(page)
    page.goto("/#/gateways")
    rows = page.get_by_test_id("gateway-row")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Semtech UDP")
    expect(rows.first).to_contain_text("Online")


def test_a_meter_is_found_and_its_chart_is_drawn(page):
    log_in(page)
    open_meter(page, "10000003")
    for span in ("range-day", "range-week", "range-month"):
        page.get_by_test_id(span).click()
        expect(page.get_by_test_id("profile-import")).to_contain_text("kWh")
    expect(page.locator('[data-testid="profile-chart"] canvas').first).to_be_visible()


def test_the_supply_switch_is_opened_and_closed_and_seen_verified(page):
    log_in(page)
    open_meter(page, "10000002")
    order(page, "switch-open")
    expect(page.get_by_test_id("switch-state")).to_have_attribute("data-state", "open")
    alarm = page.locator('[data-testid="meter-alarm"][data-alarm="meter_disconnected"]').first
    expect(alarm).to_have_attribute("data-on", "true")
    expect(page.get_by_test_id("alarm-badge")).to_be_visible()
    order(page, "switch-close")
    expect(page.get_by_test_id("switch-state")).to_have_attribute("data-state", "closed")
    expect(alarm).to_have_attribute("data-on", "false")
    alarm.get_by_role("button", name="Acknowledge").click()
    page.get_by_test_id("acknowledge-note").fill("end to end test")
    page.get_by_test_id("acknowledge-confirm").click()
    expect(alarm).to_contain_text("end to end test")


def test_the_demand_is_reset_and_seen_verified(page):
    log_in(page)
    open_meter(page, "10000005")
    page.get_by_test_id("demand-reset").click()
    page.get_by_test_id("demand-reason").fill("end to end test")
    page.get_by_test_id("demand-confirm").click()
    state = page.get_by_test_id("demand-panel").locator('[data-testid="command-state"]')
    expect(state).to_have_attribute("data-state", "verified", timeout=COMMAND_TIMEOUT_MS)
    expect(page.get_by_test_id("demand-reset")).to_be_enabled()


def test_read_now_brings_new_values(page):
    log_in(page)
    open_meter(page, "10000004")
    page.get_by_test_id("read-now").click()
    state = page.locator('[data-testid="command-state"][data-kind="read"]').first
    expect(state).to_have_attribute("data-state", "verified", timeout=COMMAND_TIMEOUT_MS)


def test_a_ct_meter_says_that_it_has_no_switch(page):
    log_in(page)
    open_meter(page, "30000010")
    expect(page.get_by_test_id("switch-none")).to_be_visible()
    expect(page.get_by_test_id("switch-open")).to_have_count(0)


def test_a_viewer_cannot_switch(page):
    log_in(page, "viewer")
    open_meter(page, "10000002")
    expect(page.get_by_test_id("switch-open")).to_have_count(0)
    expect(page.get_by_test_id("demand-reset")).to_have_count(0)


def test_a_bill_line_opens_down_to_its_intervals(page):
    log_in(page)
    page.goto("/#/bills")
    page.get_by_test_id("bill-row").first.click()
    page.get_by_test_id("bill-line").first.click()
    opened = page.get_by_test_id("line-intervals")
    expect(opened).to_have_attribute("data-sum-wh", re.compile(r"[1-9]\d*"))


def test_the_alarms_have_a_page_with_filters(page):
    log_in(page)
    expect(page.get_by_test_id("kpi-alarms")).to_be_visible()
    page.goto("/#/alarms")
    page.get_by_test_id("alarms-all").click()
    expect(page.get_by_test_id("alarms-all")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("severity-medium").click()
    page.get_by_test_id("alarm-kind").select_option("ct_open")
    expect(page).to_have_url(re.compile(r"#/alarms\?state=all&severity=medium&alarm=ct_open$"))
    expect(page.get_by_text("No alarm matches the filter.")).to_be_visible()  # CT open is of low severity


def test_a_meter_leads_to_the_data_sheet_of_its_model(page):
    log_in(page)
    open_meter(page, "30000010")
    page.get_by_test_id("to-datasheet").click()
    sheet = page.get_by_test_id("datasheet")
    expect(sheet).to_contain_text("0.01-1(10) A or 0.05-5(6) A")
    expect(sheet.locator("tbody tr")).to_have_count(32)
    page.get_by_role("link", name="Single phase", exact=True).click()
    expect(sheet).to_contain_text("40, 60, 80, 100 A")


def test_it_speaks_indonesian_and_has_a_dark_side(page):
    log_in(page)
    page.get_by_test_id("lang-toggle").click()
    expect(page.locator("html")).to_have_attribute("lang", "id")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_test_id("theme-toggle").click()
    page.wait_for_function("before => getComputedStyle(document.body).backgroundColor !== before", arg=before)


def test_it_fits_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    log_in(page)
    for address in ("/#/", "/#/meters", "/#/alarms", "/#/models/three-phase", "/#/bills"):
        page.goto(address)
        page.wait_for_load_state("networkidle") if address != "/#/" else None
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
