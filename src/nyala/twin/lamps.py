"""The LEDs of the whole device: those of the meter, and the two of the LoRa module by what the module really does.

The system LED flashes while there is a network (`ModuleState`), the communication LED lights while a frame is sent or
received.  Pure: state in, lamps out.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from nyala.lorawan.device.module import ModuleState
from nyala.meter.display.leds import Lamps
from nyala.meter.face import lamps_of
from nyala.twin.device import Twin

SHOWS: Final[Mapping[ModuleState, tuple[bool, bool]]] = {
    ModuleState.OFF: (False, False),
    ModuleState.JOINING: (True, False),
    ModuleState.JOINED: (True, False),
    ModuleState.NO_NETWORK: (False, False),
    ModuleState.TRANSMITTING: (True, True),
    ModuleState.RECEIVING: (True, True),
}
"""(system LED, communication LED) of each state."""


def twin_lamps(twin: Twin, now_us: int) -> Lamps:
    """What drives the LEDs of a device at an instant."""
    alive, talking = SHOWS[twin.mac.module_state(now_us) if twin.powered else ModuleState.OFF]
    return replace(lamps_of(twin.meter, module_alive=alive), traffic_us=(now_us,) if talking else ())
