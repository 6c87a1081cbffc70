"""A small demo in a process of its own, and a browser to look at it with: Debian's Chromium.

CI must have the browser; a developer's machine without one leaves these tests out, and says so.
"""

import os
import shutil
import socket
import subprocess
import sys
import warnings

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]

if CHROMIUM is None and not os.environ.get("CI"):
    collect_ignore_glob = ["test_*.py"]
    warnings.warn("no Chromium on this machine: the browser tests are left out", pytest.PytestCollectionWarning, stacklevel=1)


@pytest.fixture(scope="session")
def demo_url(tmp_path_factory):
    """The address of a running demo: 20 meters, 35 days, two gateways."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = tmp_path_factory.mktemp("demo") / "store"
    options = ("--meters", "20", "--db", str(store), "--port", str(port))
    code = "from nyala.cli.main import main; main()"
    process = subprocess.Popen([sys.executable, "-c", code, "demo", *options], stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        if "Ctrl-C stops" in line:
            break
    else:
        raise AssertionError("".join(said))
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.communicate(timeout=60)


@pytest.fixture(scope="session")
def browser():
    """One browser for all tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, demo_url):
    """A page of a person who has not logged in; whatever the console says in red fails the test."""
    context = browser.new_context(base_url=demo_url, viewport={"width": 1280, "height": 800}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(30_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if not request.url.startswith(demo_url) else None)
    yield page
    context.close()
    assert errors == []
    assert [url for url in outside if not url.startswith(("data:", "blob:"))] == []
