"""The module's last words: one short uplink when the supply is gone, where its reserve has the charge for it.

A super-capacitor feeds the module when the mains is gone.  The meter's own capacitor (`meter.memory.hold_up`) saves the
memory first: after a save that did not end nothing is said, since the counter of this frame might be used again.  The
uplink is an event `POWER_FAILED` with the instant of the cut, unconfirmed, once; nothing is listened for afterwards.  It
waits for a random time, so that a feeder does not shout at once and a short dip is no outage; a supply that comes back
before ends it.  It listens before it talks, as any uplink.

A linear regulator draws the same current at each voltage, so charge counts, as in `hold_up`.  The currents are those of a
module with an SX1262 (Semtech data sheet, from memory: 118 mA at 22 dBm) and its controller, rounded up.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.device.effects import Effect, Transmit
from nyala.lorawan.device.mac import DeviceMac
from nyala.lorawan.device.procedure import Message, modulation
from nyala.lorawan.region import FHDR_AND_PORT
from nyala.telegram import messages
from nyala.telegram.kinds import EventCode, Port
from nyala.telegram.messages import Event

SPREAD_US: Final = (1_000_000, 20_000_000)
"""From the cut until it speaks.  At least: a dip is over, and so is a frame that was on the air.  At most: long enough that
most of a thousand meters of one feeder get through eight channels."""
_MHDR_AND_MIC: Final = 5


@dataclass(frozen=True, slots=True)
class Reserve:
    """The module's super-capacitor and its load; design figures of this module.

    `wait_ma` is the controller asleep with its clock, and the leak of the capacitor; `charge_s` from empty to full.
    """

    capacitance_mf: float = 100
    tolerance_percent: float = 20
    full_v: float = 5.0
    empty_v: float = 3.6
    send_ma: float = 130
    wait_ma: float = 0.3
    charge_s: float = 60

    def wait_us(self, send_us: int, charged_us: int) -> int:
        """How long it can wait and then send for `send_us`, when it was charged for so long; negative: it cannot send."""
        full = min(charged_us / (self.charge_s * 1e6), 1.0)
        millicoulombs = self.capacitance_mf * (1 - self.tolerance_percent / 100) * (self.full_v - self.empty_v) * full
        return int((millicoulombs - self.send_ma * send_us / 1e6) / self.wait_ma * 1e6)


class LastGasp:
    """One last uplink that waits for its moment.  `mac` is a module that has just lost its supply, and no one else's."""

    def __init__(self, mac: DeviceMac, payload: bytes, at_us: int, until_us: int) -> None:
        self._mac, self._payload, self._at_us, self._until_us = mac, payload, at_us, until_us
        self._begun = self._over = False

    @property
    def next_us(self) -> int | None:
        """When `wake` has something to do; None: it is over."""
        if self._over:
            return None
        return self._mac.next_us if self._begun else self._at_us

    def wake(self, now_us: int) -> list[Effect]:
        """Begins, or goes on listening for a free channel."""
        if self.next_us is None or now_us < self.next_us:
            return []
        if self._begun:
            return self._went(self._mac.poll(now_us), now_us)
        self._begun = True
        return self._went(self._mac.send(Message(Port.EVENT, self._payload, tries=1), now_us), now_us)

    def sensed(self, now_us: int, *, free: bool) -> list[Effect]:
        """The channel of a `Sense` was free or not."""
        return [] if self._over else self._went(self._mac.sensed(free, now_us), now_us)

    def _went(self, effects: list[Effect], now_us: int) -> list[Effect]:
        """Over when it is on the air, when no channel became free, and when the reserve is empty."""
        if now_us > self._until_us:
            self._over, effects = True, []
        elif self._mac.idle or any(isinstance(effect, Transmit) for effect in effects):
            self._over = True
        return effects


def last_gasp(mac: DeviceMac, number: int, clock_s: int, now_us: int, charged_us: int, random: Random) -> LastGasp | None:
    """The last uplink of a module that loses its supply now; None where it cannot be: no session, no room, or no charge.

    `mac` is fresh over the module's memory, whose uplink counter goes up when it speaks.
    """
    payload = messages.encode_event(Event(number, EventCode.POWER_FAILED, clock_s))
    activation = mac.activation
    if activation is None or mac.room < len(payload):
        return None
    mac_bytes = activation.room(mac.region, 0) - mac.room
    size_bytes = _MHDR_AND_MIC + FHDR_AND_PORT + mac_bytes + len(payload)
    send_us = airtime_us(size_bytes, *modulation(mac.region, activation.data_rate))
    wait_us = min(Reserve().wait_us(send_us, charged_us), SPREAD_US[1])
    if wait_us < SPREAD_US[0]:
        return None
    return LastGasp(mac, payload, now_us + random.randint(SPREAD_US[0], wait_us), now_us + wait_us)
