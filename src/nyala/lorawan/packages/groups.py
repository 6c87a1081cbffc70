"""Remote multicast, the device's side: groups with their keys, and when to listen for them.  TS005 sections 3 and 4."""

from typing import Final

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.packages import layouts as c
from nyala.lorawan.packages.commands import Open
from nyala.lorawan.packages.keys import mc_session_keys, unwrap_mc_key
from nyala.lorawan.packages.layouts import Command
from nyala.lorawan.packages.state import Group, GroupDropped, GroupSet, Heard, Listen, Outcome, PackagesMemory
from nyala.lorawan.region import Region

STEP_HZ: Final = 100


class Groups:
    """One device's multicast package."""

    def __init__(self, memory: PackagesMemory, ke_key: AesKey, region: Region) -> None:
        self._memory, self._ke_key, self._region = memory, ke_key, region
        self.handlers = {
            c.McStatusReq: self._status,
            c.McSetupReq: self._setup,
            c.McDeleteReq: self._delete,
            c.McClassCSessionReq: self._class_c,
        }

    def effect(self, number: int) -> GroupSet:
        """What the MAC is to have of a group."""
        group = self._memory.groups[number]
        network, app = mc_session_keys(AesKey(group.mc_key), group.mc_addr)
        return GroupSet(number, group.mc_addr, network, app, group.f_cnt_min, group.f_cnt_max)

    def _status(self, command: Command, _: bytes, __: Heard) -> Outcome:
        assert isinstance(command, c.McStatusReq)
        there = {number: group for number, group in sorted(self._memory.groups.items()) if command.groups >> number & 1}
        rest = b"".join(bytes([number]) + group.mc_addr.to_bytes(4, "little") for number, group in there.items())
        return Open(c.McStatusAns(sum(1 << number for number in there), len(self._memory.groups)), rest), []

    def _setup(self, command: Command, _: bytes, __: Heard) -> Outcome:
        assert isinstance(command, c.McSetupReq)
        key = unwrap_mc_key(self._ke_key, command.mc_key)
        self._memory.groups[command.group] = Group(command.mc_addr, key, command.f_cnt_min, command.f_cnt_max)
        return c.McSetupAns(command.group, 0), [self.effect(command.group)]

    def _delete(self, command: Command, _: bytes, __: Heard) -> Outcome:
        assert isinstance(command, c.McDeleteReq)
        group = self._memory.groups.pop(command.group, None)
        return c.McDeleteAns(command.group, int(group is None)), [] if group is None else [GroupDropped(command.group)]

    def _class_c(self, command: Command, _: bytes, heard: Heard) -> Outcome:
        assert isinstance(command, c.McClassCSessionReq)
        number, frequency_hz = command.group, command.frequency_100hz * STEP_HZ
        ahead_s = heard.ahead_s(command.session_time)
        length_s = 1 << command.timeout
        answer = c.McClassCSessionAns(
            group=number,
            data_rate_error=int(command.data_rate >= len(self._region.data_rates)),
            frequency_error=int(not self._region.allows(frequency_hz)),
            undefined=int(number not in self._memory.groups),
            start_missed=int(ahead_s + length_s <= 0),
        )
        if not answer.accepted:
            return answer, []
        start_s = heard.clock_s + ahead_s
        listen = Listen(number, start_s, start_s + length_s, frequency_hz, command.data_rate)
        return Open(answer, min(max(ahead_s, 0), (1 << 24) - 1).to_bytes(3, "little")), [listen]
