"""An alarm from its cause to its acknowledgement: a terminal cover is opened in a living world, and the portal tells of it."""

import signal
import socket
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.e2e.test_portal import log_in

ROW = 4
"""The meter whose cover is opened; the demo itself leaves that of row 1 open."""
TOLD_TIMEOUT_MS = 180_000
"""The meter looks at its covers within a minute, and tells of it at once."""
TAMPERED = f"""
import signal
from nyala.cli.main import main
from nyala.sim import demo
from nyala.vocab.alarms import Alarm

class Tampered(demo.Demo):
    def _greet(self, url):
        covers = self.world.bank.state.covers
        def move(opened):
            covers[{ROW}, Alarm.TERMINAL_COVER_OPEN - Alarm.MAIN_COVER_OPEN] = opened
        self.loop.add_signal_handler(signal.SIGUSR1, move, True)
        self.loop.add_signal_handler(signal.SIGUSR2, move, False)
        super()._greet(url)

demo.Demo = Tampered
main()
"""
"""A demo whose world somebody can lay hands on: a signal opens the cover, another one closes it."""


@pytest.fixture
def world(tmp_path):
    """(address, process) of a small demo of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ("--meters", "9", "--history-days", "1", "--db", str(tmp_path / "store"), "--port", str(port))
    process = subprocess.Popen([sys.executable, "-c", TAMPERED, "demo", *options], stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        if "Ctrl-C stops" in line:
            break
    else:
        raise AssertionError("".join(said))
    yield f"http://127.0.0.1:{port}", process
    process.terminate()
    process.communicate(timeout=60)


def test_an_opened_cover_is_told_acknowledged_and_told_again_when_it_is_closed(browser, world):
    url, process = world
    context = browser.new_context(base_url=url, locale="en-GB")
    page = context.new_page()
    log_in(page)
    page.goto(f"/#/meters/{ROW + 1}")
    alarm = page.locator('[data-testid="meter-alarm"][data-alarm="terminal_cover_open"]')
    expect(page.get_by_test_id("life-state")).to_have_attribute("data-state", "active")
    expect(alarm).to_have_count(0)

    process.send_signal(signal.SIGUSR1)
    expect(alarm).to_have_attribute("data-on", "true", timeout=TOLD_TIMEOUT_MS)
    serial = page.get_by_role("heading", level=1).inner_text()
    page.goto("/#/alarms")
    line = page.locator(f'[data-testid="alarm-row"][data-alarm="terminal_cover_open"][data-serial="{serial}"]')
    line.get_by_test_id("acknowledge").click()
    page.get_by_test_id("acknowledge-note").fill("a crew is on its way")
    page.get_by_test_id("acknowledge-confirm").click()
    page.goto(f"/#/meters/{ROW + 1}")
    expect(alarm).to_contain_text("a crew is on its way")
    expect(alarm).to_have_attribute("data-on", "true")

    process.send_signal(signal.SIGUSR2)
    expect(alarm).to_have_attribute("data-on", "false", timeout=TOLD_TIMEOUT_MS)
    context.close()
