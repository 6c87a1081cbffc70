"""A simple meter that obeys settings, and the configuration at the centre behind an air that loses: for its tests."""

from random import Random

from nyala.headend.configuration import Configuration
from nyala.headend.registry import ConfigShadow, MeterState, Registry
from nyala.lorawan.network.port import Downlink, DownlinkFate, Fate
from nyala.telegram import codec
from nyala.telegram.config import ConfigPart, ConfigReport, Reported
from nyala.telegram.kinds import Opcode, Result
from nyala.telegram.messages import Answer, Command
from nyala.vocab.settings import Setting, SettingBlock, checksum, short_check
from nyala.vocab.time import US_PER_S
from tests.unit.headend.fleet import START_S, record

BODY, OTHER = bytes(range(100)), bytes(range(60, 90))


class SimpleMeter:
    """Obeys blocks; `refuses` says what it answers to a whole one."""

    def __init__(self) -> None:
        self.parts: dict[tuple[int, int], dict[int, int]] = {}
        self.has: dict[int, SettingBlock] = {}
        self.refuses: Result | None = None

    def hears(self, said: codec.Telegram) -> Answer | ConfigReport | None:
        if isinstance(said, ConfigPart):
            there = self.parts.setdefault((said.kind, said.version), {})
            there.update(enumerate(said.data, said.offset))
            return None
        assert isinstance(said, Command)
        if said.opcode is Opcode.CONFIG_ASK:
            return self.report()
        return Answer(said.sequence, said.opcode, *self.commit(said))

    def commit(self, said: Command) -> tuple[Result, int]:
        there = self.parts.get((said.setting, said.version), {})
        known = self.has.get(said.setting)
        if known is not None and (known.version, checksum(said.setting, known)) == (said.version, said.check):
            return Result.DONE, said.version
        missing = [at for at in range(said.length) if at not in there]
        if missing:
            length = next((n for n, at in enumerate(missing) if at != missing[0] + n), len(missing))
            return Result.INCOMPLETE, missing[0] << 16 | length
        block = SettingBlock(said.version, bytes(there[at] for at in range(said.length)))
        if checksum(said.setting, block) != said.check:
            del self.parts[said.setting, said.version]
            return Result.WRONG_CHECKSUM, said.version
        if self.refuses is not None:
            return self.refuses, said.version
        self.has[said.setting] = block
        return Result.DONE, said.version

    def report(self) -> ConfigReport:
        return ConfigReport(
            tuple(
                Reported(kind, self.has[kind].version, short_check(kind, self.has[kind]))
                if kind in self.has
                else Reported(kind, 0, 0)
                for kind in Setting
            )
        )


class Line:
    """The configuration of some meters, the air and the meters."""

    def __init__(self, count: int = 1, *, states: list[MeterState] | None = None, loss: float = 0, seed: int = 1) -> None:
        self.registry = Registry([record(number) for number in range(1, count + 1)], states or ())
        self.configuration = Configuration(self.registry)
        self.meters = {number: SimpleMeter() for number in range(1, count + 1)}
        self.now_us = START_S * US_PER_S
        self.loss, self.random = loss, Random(seed)
        self.fate = Fate.SENT
        self.sent: list[tuple[int, codec.Telegram]] = []
        self.lengths: list[int] = []
        self.takes = True

    def want(self, body: bytes = BODY, kind: Setting = Setting.CALENDAR, *, number: int = 1) -> ConfigShadow:
        return self.configuration.want(number, kind, body, by="ani", now_us=self.now_us)

    def shadow(self, kind: Setting = Setting.CALENDAR, *, number: int = 1) -> ConfigShadow:
        return self.registry.state(number).config.get(kind, ConfigShadow())

    def lost(self) -> bool:
        return self.random.random() < self.loss

    def run(self, seconds: float) -> None:
        until_us = self.now_us + int(seconds * US_PER_S)
        for _ in range(100_000):
            next_us = self.configuration.next_us
            if next_us is None or next_us > until_us:
                break
            self.now_us = max(self.now_us, next_us)
            downlinks = self.configuration.poll(self.now_us)
            for downlink in downlinks:
                self.leaves(downlink)
            if not downlinks:
                continue
            self.now_us += US_PER_S
        else:
            raise AssertionError("it turns on the spot")
        self.now_us = max(self.now_us, until_us)

    def leaves(self, downlink: Downlink) -> None:
        if not self.takes:
            self.configuration.not_taken(downlink, self.now_us)
            return
        number = downlink.dev_eui - 0xD000
        self.configuration.fate(DownlinkFate(downlink.dev_eui, downlink.token, self.fate), self.now_us)
        if self.fate is not Fate.SENT:
            return
        said = codec.decode(downlink.port, downlink.payload, 0)
        self.sent.append((number, said))
        self.lengths.append(len(downlink.payload))
        answer = None if self.lost() else self.meters[number].hears(said)
        if answer is not None and not self.lost():
            self.hears(number, answer)

    def hears(self, number: int, said: Answer | ConfigReport) -> None:
        if isinstance(said, Answer):
            self.configuration.answer(number, said, self.now_us)
        else:
            self.configuration.report(number, said, self.now_us)

    def in_step(self, number: int = 1) -> bool:
        return all(shadow.in_step(kind) for kind, shadow in self.registry.state(number).config.items())

    def commits(self) -> int:
        return sum(isinstance(said, Command) and said.opcode is Opcode.CONFIG_COMMIT for _, said in self.sent)
