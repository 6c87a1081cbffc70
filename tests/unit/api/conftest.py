"""The estate that these tests ask: built once, copied for each test that changes it."""

import pytest

from tests.unit.api.estate import build, copied, opened


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The folder of a built store."""
    folder = tmp_path_factory.mktemp("estate")
    build(folder)
    return folder


@pytest.fixture
def estate(template, tmp_path):
    """An estate that a test may change."""
    with opened(copied(template, tmp_path / "store")) as running:
        yield running


@pytest.fixture(scope="module")
def readonly(template, tmp_path_factory):
    """An estate for tests that only look."""
    with opened(copied(template, tmp_path_factory.mktemp("readonly") / "store")) as running:
        yield running
