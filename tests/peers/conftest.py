"""What the peers need from the machine: Mosquitto in CI, and where it is installed."""

import warnings

import pytest

from tests import mosquitto

if not mosquitto.wanted():
    collect_ignore = ["test_mqtt.py"]
    warnings.warn("no Mosquitto on this machine: its tests are left out", pytest.PytestCollectionWarning, stacklevel=1)
