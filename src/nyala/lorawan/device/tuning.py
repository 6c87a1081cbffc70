"""What the radio is tuned to: RX1 and RX2 of the uplink in progress, and RXC in between.  TS001-1.0.4 sections 3.3 and 17.

RX1 and RX2 belong to the device's own session.  RXC is where a class C device listens else: at RX2's frequency and data
rate, or at those of a running multicast window.  RX1 opens even while a frame is being received in RXC, which is lost.
"""

from dataclasses import dataclass

from nyala.lorawan.device.effects import Window
from nyala.lorawan.device.procedure import UplinkInProgress
from nyala.lorawan.region import Region


@dataclass(frozen=True, slots=True)
class Hearing:
    """A frame that the radio hears: in which window, until when, and whether it may be a group's."""

    window: Window
    until_us: int
    groups: bool


def hears(
    uplink: UplinkInProgress | None,
    region: Region,
    rxc: tuple[int, int] | None,
    frame: tuple[int, int],
    times_us: tuple[int, int],
) -> Hearing | None:
    """How a frame that begins now is heard; None: it is not.  `rxc` and `frame` are frequency and data rate.

    `uplink` is the one whose windows are not over; `times_us` begin and end of the frame.
    """
    start_us, end_us = times_us
    if uplink is not None:
        if start_us < uplink.end_us:
            return None
        opened = uplink.window_at(region, start_us)
        if opened is not None:
            return Hearing(opened[0], end_us, frame == rxc) if frame == opened[1:] else None
        if start_us < uplink.rx1[0] < end_us:
            return None
    return Hearing(Window.RXC, end_us, True) if frame == rxc else None
