"""Firmware for a group of meters between two people, in a real browser against a living demo.

The demo runs in real time: here the meters are prepared and one is seen to answer; the whole way to the new version is
`tests/scenario/test_campaign.py`.
"""

from playwright.sync_api import expect

from nyala.telegram.firmware import VIRTUAL_SEED, Image, sign_image
from tests.e2e.test_campaigns import another, meters
from tests.e2e.test_portal import log_in

ANSWER_TIMEOUT_MS = 90_000


def test_firmware_is_ordered_approved_by_another_person_reaches_meters_and_is_cancelled(page, browser, demo_url, tmp_path):
    log_in(page)
    ids = [each["id"] for each in meters(page)[:3]]
    made = page.request.post("/api/v1/groups", data={"name": "firmware pilots", "meters": ids})
    assert made.status == 201
    page.goto("/#/campaigns")
    page.get_by_test_id("to-blocks").click()
    page.get_by_test_id("block-order").click()
    (tmp_path / "nonsense").write_bytes(b"nonsense")
    page.get_by_test_id("block-file").set_input_files(tmp_path / "nonsense")
    expect(page.get_by_test_id("block-seen")).to_contain_text("no signed firmware image")
    (tmp_path / "image").write_bytes(sign_image(Image(1, 0x0103, bytes(range(1, 256)) * 8), VIRTUAL_SEED))
    page.get_by_test_id("block-file").set_input_files(tmp_path / "image")
    expect(page.get_by_test_id("block-seen")).to_contain_text("Firmware 1.3 for single-phase meters")
    page.get_by_test_id("block-group").select_option(label="firmware pilots (3)")
    page.get_by_test_id("block-reason").fill("end to end test")
    page.get_by_test_id("block-confirm").click()

    state = page.get_by_test_id("block-state")
    expect(state).to_have_attribute("data-state", "awaiting_approval")
    expect(page.get_by_test_id("block-second")).to_contain_text("another person has to approve")
    expect(page.get_by_test_id("block-approve")).to_have_count(0)
    with another(browser, demo_url, "admin") as second:
        second.goto("/#/blocks")
        second.locator('[data-testid="block-row"][data-state="awaiting_approval"]').get_by_role("link").click()
        second.get_by_test_id("block-approve").click()
        expect(second.get_by_test_id("block-state")).to_have_attribute("data-state", "running")

    expect(state).to_have_attribute("data-state", "running")
    expect(page.get_by_test_id("block-meter")).to_have_count(3)
    answered = page.locator('[data-testid="block-meter"]:not([data-state="new"])')
    expect(answered.first).to_be_visible(timeout=ANSWER_TIMEOUT_MS)
    page.get_by_test_id("block-cancel").click()
    expect(state).to_have_attribute("data-state", "cancelled")
    page.goto("/#/blocks")
    expect(page.get_by_test_id("block-row").first).to_have_attribute("data-state", "cancelled")
