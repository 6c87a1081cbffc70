"""Settings over the air in a meter: collects the parts of a block, and takes it when a commit says that it is whole.

Parts are working memory: a power cut drops them, and the answer to the next commit says what is missing.  What is in force is
the meter's (`meter/settings.py`), in its memory before the answer leaves; it is all that a repeated commit needs to be
answered again, so that no sequence number is remembered.  What is not whole, not right or not for this meter changes nothing.
"""

from dataclasses import dataclass, field
from typing import Final

from nyala.meter import settings
from nyala.telegram import config
from nyala.telegram.config import ConfigPart, Reported
from nyala.telegram.kinds import Port, Result
from nyala.telegram.messages import Answer, Command
from nyala.twin.jobs import Job, Urgency
from nyala.twin.telling import Telling
from nyala.vocab.errors import BadArgumentError, NotAllowedError, TelegramError
from nyala.vocab.settings import BODY_MAX, Setting, SettingBlock, checksum, short_check

RUN_MAX: Final = 0xFFFF
"""Missing bytes that an answer can say."""


@dataclass(slots=True)
class _Parts:
    """What came of one block, byte by byte."""

    version: int
    data: bytearray = field(default_factory=lambda: bytearray(BODY_MAX))
    there: bytearray = field(default_factory=lambda: bytearray(BODY_MAX))

    def put(self, part: ConfigPart) -> None:
        end = part.offset + len(part.data)
        self.data[part.offset : end] = part.data
        self.there[part.offset : end] = b"\1" * len(part.data)

    def missing(self, length: int) -> tuple[int, int] | None:
        """Offset and length of the first run that is not there; None: whole."""
        first = self.there.find(0, 0, length)
        if first < 0:
            return None
        end = self.there.find(1, first, length)
        return first, (length if end < 0 else end) - first


class TwinConfig:
    """The settings of one twin, as they come and as they are told.  Built anew when the power comes."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._operation = telling.meter.operation
        self._parts: dict[int, _Parts] = {}

    def part(self, payload: bytes) -> None:
        """A part of a block; one of no known kind, of an older block or beyond the longest is dropped."""
        try:
            part = config.decode_part(payload)
        except TelegramError:
            return
        if part.kind not in set(Setting) or part.offset + len(part.data) > BODY_MAX:
            return
        parts = self._parts.get(part.kind)
        if parts is None or parts.version < part.version:
            parts = self._parts[part.kind] = _Parts(part.version)
        if parts.version == part.version:
            parts.put(part)

    def commit(self, command: Command) -> None:
        """Takes a block, or says why not."""
        result, detail = self._commit(command)
        self._telling.answer(Answer(command.sequence, command.opcode, result, detail))

    def _commit(self, said: Command) -> tuple[Result, int]:
        if said.setting not in set(Setting):
            return Result.NO_SUCH_PART, said.setting
        kind = Setting(said.setting)
        if not said.version or not 1 <= said.length <= BODY_MAX:
            return Result.MALFORMED, said.version
        known = self._operation.settings.blocks.get(kind)
        if known is not None and (known.version, checksum(kind, known)) == (said.version, said.check):
            return Result.DONE, said.version
        parts = self._parts.get(kind)
        if parts is None or parts.version != said.version:
            parts = self._parts[kind] = _Parts(said.version)
        run = parts.missing(said.length)
        if run is not None:
            return Result.INCOMPLETE, run[0] << 16 | min(run[1], RUN_MAX)
        del self._parts[kind]
        block = SettingBlock(said.version, bytes(parts.data[: said.length]))
        if checksum(kind, block) != said.check:
            return Result.WRONG_CHECKSUM, said.version
        try:
            settings.take(self._operation, kind, block)
        except NotAllowedError:
            return Result.NO_SUCH_PART, said.version
        except (TelegramError, BadArgumentError):
            return Result.MALFORMED, said.version
        return Result.DONE, said.version

    def report(self) -> None:
        """Tells what is in force, of every kind, as it is when the report is packed."""

        def pack(room: int) -> list[tuple[Port, bytes]]:
            return [(Port.CONFIG_REPORT, payload) for payload in config.pack_report(self.entries(), room)]

        self._telling.jobs.put(Job(Urgency.ANSWER, pack))

    def entries(self) -> list[Reported]:
        """What is in force, of every kind."""
        blocks = self._operation.settings.blocks
        return [
            Reported(kind, blocks[kind].version, short_check(kind, blocks[kind])) if kind in blocks else Reported(kind, 0, 0)
            for kind in Setting
        ]
