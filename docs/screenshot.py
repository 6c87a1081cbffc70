"""Makes the pictures of the README from a running portal: `.venv/bin/python docs/screenshot.py URL`.

Start `make demo` first; the pictures go to docs/img.  Needs Debian's chromium.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "img"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SIZE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def log_in(page: Page, url: str) -> None:
    """Logs in as the demo's operator."""
    page.goto(url)
    page.get_by_test_id("login-name").fill("operator")
    page.get_by_test_id("login-password").fill("nyala-demo")
    page.get_by_test_id("login-submit").click()
    page.get_by_test_id("kpi-heard").wait_for()


def take(page: Page, name: str, *, full: bool = False) -> None:
    """One picture, when everything has come."""
    page.wait_for_timeout(1500)
    page.screenshot(path=IMAGES / f"{name}.png", full_page=full)


def main(url: str, *, everything: bool) -> None:
    """The pictures of the README, or of all pages for looking at."""
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport=SIZE, locale="en-GB")
        log_in(page, url)
        take(page, "fleet")
        page.goto(f"{url}/#/meters/1?range=week")
        page.get_by_test_id("profile-chart").wait_for()
        take(page, "meter")
        if everything:
            page.goto(f"{url}/#/meters")
            take(page, "meters")
            page.goto(f"{url}/#/meters/8?range=day")
            take(page, "meter-three-phase", full=True)
            page.goto(f"{url}/#/bills")
            take(page, "bills")
            page.get_by_test_id("bill-row").first.click()
            page.get_by_test_id("bill-line").first.click()
            take(page, "bill", full=True)
            page.get_by_test_id("theme-toggle").click()
            page.get_by_test_id("lang-toggle").click()
            page.goto(f"{url}/#/")
            take(page, "fleet-dark-id")
            page.set_viewport_size(PHONE)
            take(page, "fleet-phone", full=True)
            page.goto(f"{url}/#/meters/1?range=day")
            take(page, "meter-phone", full=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), everything="--all" in sys.argv)
