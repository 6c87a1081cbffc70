"""Fragmentation, the device's side: sessions are set up, fragments come, the block is whole.  TS004 sections 3 and 4."""

from contextlib import suppress
from typing import Final

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.packages import layouts as c
from nyala.lorawan.packages.layouts import Command
from nyala.lorawan.packages.parity import Assembler, block_mic
from nyala.lorawan.packages.state import (
    NOTHING,
    BlockReady,
    BlockTold,
    FragSession,
    Heard,
    Outcome,
    PackageEffect,
    PackagesMemory,
)
from nyala.vocab.errors import BadArgumentError

BLOCK_MAX: Final = 96 * 1024
"""Bytes of a block: a firmware image, in what the module's 256 KB of flash leave beside the one that runs."""
MISSING_MAX: Final = 255


class Blocks:
    """One device's fragmentation package."""

    def __init__(self, memory: PackagesMemory, block_key: AesKey, version: int) -> None:
        self._memory, self._block_key, self._version = memory, block_key, version
        self.handlers = {
            c.FragSetupReq: self._setup,
            c.FragSetupReqV2: self._setup,
            c.FragStatusReq: self._status,
            c.FragDeleteReq: self._delete,
            c.DataFragment: self._fragment,
        }

    def spread(self, group: int) -> int:
        """BlockAckDelay of a group's sessions: the longest."""
        setups = [session.setup for session in self._memory.sessions.values()]
        return max((setup.block_ack_delay for setup in setups if setup.groups >> group & 1), default=0)

    def _setup(self, command: Command, _: bytes, heard: Heard) -> Outcome:
        assert isinstance(command, c.FragSetupReq | c.FragSetupReqV2)
        memory, index = self._memory, command.index
        if heard.group is not None:
            return NOTHING
        known = memory.sessions.get(index)
        if known is not None and known.setup == command:
            return c.FragSetupAns(0, 0, 0, 0, 0, 0, index), []  # our answer was lost: nothing that came is thrown away
        replayed = isinstance(command, c.FragSetupReqV2) and command.session_count <= memory.session_count
        assembler = None
        if command.fragments * command.fragment_bytes <= BLOCK_MAX:
            with suppress(BadArgumentError):
                assembler = Assembler(command.fragments, command.fragment_bytes, command.padding, self._version)
        if command.algorithm or assembler is None or replayed:
            answer = c.FragSetupAns(int(command.algorithm > 0), int(assembler is None), 0, 0, int(replayed), 0, index)
            return answer, []
        memory.sessions[index] = FragSession(command, assembler)
        if isinstance(command, c.FragSetupReqV2):
            memory.session_count = command.session_count
        return c.FragSetupAns(0, 0, 0, 0, 0, 0, index), []

    def _status(self, command: Command, _: bytes, __: Heard) -> Outcome:
        assert isinstance(command, c.FragStatusReq)
        session = self._memory.sessions.get(command.index)
        if session is None or not (command.participants or session.assembler.missing):
            return NOTHING
        missing = min(session.assembler.missing, MISSING_MAX)
        return c.FragStatusAns(session.assembler.received, command.index, missing, 0), []

    def _delete(self, command: Command, _: bytes, heard: Heard) -> Outcome:
        assert isinstance(command, c.FragDeleteReq)
        if heard.group is not None:
            return NOTHING
        return c.FragDeleteAns(command.index, int(self._memory.sessions.pop(command.index, None) is None)), []

    def _fragment(self, command: Command, rest: bytes, heard: Heard) -> Outcome:
        assert isinstance(command, c.DataFragment)
        session = self._memory.sessions.get(command.index)
        if session is None or session.whole:
            return NOTHING
        if heard.group is not None and not session.setup.groups >> heard.group & 1:
            return NOTHING
        session.whole = session.assembler.add(command.number, rest)
        return (None, self._take(session)) if session.whole else NOTHING

    def _take(self, session: FragSession) -> list[PackageEffect]:
        """The block is whole: version 2 proves it and says so."""
        setup, block = session.setup, session.assembler.block()
        ready = BlockReady(setup.index, setup.descriptor, block)
        if not isinstance(setup, c.FragSetupReqV2):
            return [ready]
        if block_mic(self._block_key, setup.session_count, setup.index, setup.descriptor, block) != setup.mic:
            del self._memory.sessions[setup.index]
            return [BlockTold(setup.index, setup.block_ack_delay, right=False)]
        return [ready, BlockTold(setup.index, setup.block_ack_delay, right=True)] if setup.ack_reception else [ready]
