"""Multicast groups of a device: addresses, keys, counters, class C windows.  TS001-1.0.4 section 11, TS005 section 3.

A group's frame is unconfirmed, acknowledges nothing and carries no MAC commands; any other is dropped.  While a class C
window of a group runs, the radio listens at the group's frequency and data rate instead of RX2's; RX1 and RX2 stay with
the device's own session.  The package that sets groups up (TS005) is not here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.effects import Received, Window
from nyala.lorawan.frame import COUNTER_LIMIT, DataFrame, FType, full_counter, mic_holds, open_payload
from nyala.lorawan.region import Region
from nyala.vocab.errors import BadArgumentError, ConflictError, UnknownError

GROUPS: Final = 4
"""McGroupID has two bits."""


@dataclass(frozen=True, slots=True)
class ClassCWindow:
    """When and where a group is listened to: frequency in Hz, instants of the device's own clock."""

    frequency_hz: int
    data_rate: int
    start_us: int
    end_us: int


@dataclass(slots=True)
class MulticastSession:
    """One group.  `f_cnt` is the next counter expected; from `f_cnt_end` on nothing is accepted."""

    address: int
    nwk_s_key: AesKey
    app_s_key: AesKey
    f_cnt: int
    f_cnt_end: int
    class_c: ClassCWindow | None = None


def group(address: int, keys: tuple[bytes, bytes], f_cnt_min: int, f_cnt_max: int) -> MulticastSession:
    """A group as TS005 sets it up: McNetSKey and McAppSKey, counters `f_cnt_min <= f_cnt < f_cnt_max`."""
    if not 0 <= f_cnt_min < f_cnt_max < COUNTER_LIMIT or not 0 <= address < 1 << 32:
        raise BadArgumentError(f"multicast group {address:08x} with counters {f_cnt_min} to {f_cnt_max}")
    return MulticastSession(address, AesKey(keys[0]), AesKey(keys[1]), f_cnt_min, f_cnt_max)


def add(groups: dict[int, MulticastSession], number: int, session: MulticastSession) -> None:
    """Defines or replaces a group; ConflictError where another one has its address."""
    if not 0 <= number < GROUPS:
        raise BadArgumentError(f"multicast group {number} is not 0..{GROUPS - 1}")
    if any(other.address == session.address for known, other in groups.items() if known != number):
        raise ConflictError(f"multicast address {session.address:08x} is another group's")
    groups[number] = session


def open_window(groups: Mapping[int, MulticastSession], number: int, window: ClassCWindow, region: Region) -> None:
    """Listens for a group in a window, now or later; it replaces the group's last one."""
    if number not in groups:
        raise UnknownError("multicast group", number)
    region.data_rate(window.data_rate)
    if not region.allows(window.frequency_hz) or window.end_us <= window.start_us:
        raise BadArgumentError(f"class C window {window} of group {number}")
    groups[number].class_c = window


def listening(groups: Iterable[MulticastSession], at_us: int) -> ClassCWindow | None:
    """The class C window that holds at an instant; of several, the one that began last."""
    running = [each.class_c for each in groups if each.class_c and each.class_c.start_us <= at_us < each.class_c.end_us]
    return max(running, key=lambda window: window.start_us, default=None)


def receive(phy: bytes, frame: DataFrame, groups: Mapping[int, MulticastSession]) -> list[Received]:
    """What a group's frame brings: nothing where it is not one of ours, not as it must be, replayed or too late."""
    session = next((each for each in groups.values() if each.address == frame.dev_addr), None)
    if session is None or frame.f_type is not FType.UNCONFIRMED_DOWN or frame.ack or frame.f_opts or not frame.f_port:
        return []
    f_cnt = full_counter(frame.f_cnt, session.f_cnt)
    if f_cnt >= session.f_cnt_end or not mic_holds(phy, frame, f_cnt, session.nwk_s_key):
        return []
    session.f_cnt = f_cnt + 1
    payload = open_payload(frame, f_cnt, session.nwk_s_key, session.app_s_key)
    return [Received(frame.f_port, payload, False, Window.RXC, session.address)]
