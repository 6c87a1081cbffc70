"""What the scenarios need from the machine: PostgreSQL in CI, and where it is installed."""

import warnings

import pytest

from tests import postgres

if not postgres.wanted():
    collect_ignore = ["test_postgres.py"]
    warnings.warn("no PostgreSQL on this machine: its tests are left out", pytest.PytestCollectionWarning, stacklevel=1)
