"""Who is told of alarms, as an administrator and an operator set it up and follow it, in a real browser."""

import re
import socket
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.e2e.test_portal import log_in
from tests.unit.api.estate import PASSWORD, build

DELIVERY_TIMEOUT_MS = 30_000


def add(page, name, kind, address):
    page.get_by_test_id("target-add").click()
    page.get_by_test_id("target-name").fill(name)
    page.get_by_test_id("target-kind").select_option(kind)
    page.get_by_test_id("target-address").fill(address)
    page.get_by_test_id("target-confirm").click()


def test_a_webhook_that_leads_inside_is_shown_as_not_delivered_and_can_be_sent_again(page):
    log_in(page, "admin")
    page.goto("/#/alarms")
    page.get_by_test_id("to-notifications").click()
    add(page, "inside", "webhook", "http://127.0.0.1:9/hook")
    expect(page.get_by_test_id("target-secret")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    page.get_by_test_id("target-close").click()
    target = page.get_by_test_id("target").filter(has_text="inside")
    target.get_by_test_id("target-test").click()
    message = page.get_by_test_id("message").filter(has_text="inside").first
    expect(message).to_have_attribute("data-state", "dead", timeout=DELIVERY_TIMEOUT_MS)
    expect(message).to_contain_text("no public address")
    page.get_by_test_id("only-dead").click()
    message.get_by_test_id("resend").click()
    expect(page.get_by_test_id("message")).to_have_count(1, timeout=DELIVERY_TIMEOUT_MS)  # it comes back, dead again
    target.get_by_test_id("target-remove").click()
    expect(target).to_have_count(0)
    expect(page.get_by_test_id("resend")).to_have_count(0)


@pytest.mark.parametrize(("name", "manages"), [("operator", 0), ("admin", 1)])
def test_an_operator_follows_messages_and_only_an_administrator_says_who_is_told(page, name, manages):
    log_in(page, name)
    page.goto("/#/notifications")
    expect(page.get_by_test_id("messages")).to_be_visible()
    expect(page.get_by_test_id("target-add")).to_have_count(manages)


def test_a_viewer_sees_no_notifications(page):
    log_in(page, "viewer")
    page.goto("/#/alarms")
    expect(page.get_by_test_id("alarms-all")).to_be_visible()
    expect(page.get_by_test_id("to-notifications")).to_have_count(0)


@pytest.fixture
def estate_url(tmp_path):
    """A server over the small estate of the API's tests, which has an incident."""
    build(tmp_path / "store")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ("--db", str(tmp_path / "store"), "--port", str(port), "--udp-host", "127.0.0.1", "--udp-port", "0")
    code = "from nyala.cli.main import main; main()"
    process = subprocess.Popen([sys.executable, "-c", code, "serve", *options], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if "sessions" in line:
            break
    else:
        raise AssertionError("".join(said))
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.communicate(timeout=60)


def test_an_incident_stands_above_the_alarms_and_opens_to_its_meters(browser, estate_url):
    context = browser.new_context(base_url=estate_url, locale="en-GB")
    page = context.new_page()
    page.goto("/#/alarms")
    page.get_by_test_id("login-name").fill("operator")
    page.get_by_test_id("login-password").fill(PASSWORD)
    page.get_by_test_id("login-submit").click()
    page.goto("/#/alarms")
    incident = page.get_by_test_id("incident")
    expect(incident).to_have_count(1)
    expect(incident).to_contain_text("Magnetic disturbance")
    expect(incident).to_contain_text("Site A-1")
    incident.get_by_role("button").click()
    expect(incident.get_by_role("link", name="N00001")).to_be_visible()
    expect(incident.get_by_test_id("site-map")).to_have_count(0)  # nobody has said where its site is
    place = {"site": "A-1", "lat": -6.175392, "lon": 106.827153}
    assert context.request.put("/api/v1/sites/place", data=place).ok
    page.reload()
    incident.get_by_role("button").click()
    expect(incident.locator("circle.struck")).to_have_count(1)
    expect(incident.get_by_test_id("map-area")).to_have_count(1)
    page.get_by_test_id("to-notifications").click()
    expect(page.get_by_test_id("message")).to_contain_text("550 no such user")
    page.get_by_test_id("resend").click()
    expect(page.get_by_test_id("message")).to_contain_text("--mail-server", timeout=DELIVERY_TIMEOUT_MS)
    context.close()
