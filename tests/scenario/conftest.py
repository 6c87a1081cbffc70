"""What the scenarios need from the machine: PostgreSQL and Mosquitto in CI, and where they are installed."""

import warnings

import pytest

from tests import mosquitto, postgres

collect_ignore = []
if not postgres.wanted():
    collect_ignore.append("test_postgres.py")
    warnings.warn("no PostgreSQL on this machine: its tests are left out", pytest.PytestCollectionWarning, stacklevel=1)
if not mosquitto.wanted():
    collect_ignore.append("test_bridge.py")
    warnings.warn("no Mosquitto on this machine: its tests are left out", pytest.PytestCollectionWarning, stacklevel=1)
