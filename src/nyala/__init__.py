"""nyala: meter-to-cash for LoRaWAN smart electricity meters, from mains voltage to a bill line in a browser."""

from importlib.metadata import version as _version

__version__ = _version("nyala")
