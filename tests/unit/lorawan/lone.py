"""A joined device alone, with a hand that writes the frames of its network."""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.effects import Effect, Transmit, UplinkDone
from nyala.lorawan.device.mac import DeviceMac
from nyala.lorawan.device.procedure import Message, UplinkInProgress
from nyala.lorawan.device.state import Activation, DeviceMemory, activate
from nyala.lorawan.frame import DataFrame, FType, seal
from nyala.lorawan.region import Region, region
from tests.unit.lorawan.harness import DEV_ADDR, IDENTITY, START_US

KEYS: Final = (bytes(range(16)), bytes(range(16, 32)))
AS923_2: Final = region("AS923-2")


def due(device: DeviceMac) -> int:
    """When it has something to do."""
    assert device.next_us is not None
    return device.next_us


def on_air(device: DeviceMac) -> UplinkInProgress:
    """The uplink in progress."""
    assert device._uplink is not None
    return device._uplink


class Lone:
    """The device and what it did."""

    def __init__(self, *, data_rate: int = 5, seed: int = 1, where: Region = AS923_2, **made: Any) -> None:
        self.now_us = START_US
        self.memory = DeviceMemory(dev_nonce=1, join_nonce=1, activation=activate(where, DEV_ADDR, KEYS, data_rate))
        self.device = DeviceMac(IDENTITY, where, self.memory, Random(seed), **made)
        self.sent: list[Transmit] = []
        self.effects: list[Effect] = []
        self.f_cnt_down = 0

    @property
    def activation(self) -> Activation:
        assert self.memory.activation is not None
        return self.memory.activation

    def frame(self, index: int = -1) -> DataFrame:
        """A frame that it sent."""
        return DataFrame.decode(self.sent[index].phy)

    def commands(self, index: int = -1) -> list[mac.Command]:
        """The MAC commands that a frame it sent took along."""
        return mac.decode(self.frame(index).f_opts, mac.UPLINK)

    def did(self, effects: Sequence[Effect]) -> list[Effect]:
        self.effects += effects
        self.sent += [effect for effect in effects if isinstance(effect, Transmit)]
        return list(effects)

    def say(self, payload: bytes = b"x", *, port: int | None = 10, confirmed: bool = False) -> None:
        """Begins an uplink as soon as it may."""
        self.now_us = max(self.now_us, self.device.free_us)
        self.did(self.device.send(Message(port, payload, confirmed), self.now_us))

    def finish(self) -> list[Effect]:
        """Lets the procedure in progress end with nobody answering."""
        effects: list[Effect] = []
        while self.device.joined and not self.device.idle:
            assert self.device.next_us is not None
            self.now_us = max(self.now_us, self.device.next_us)
            effects += self.did(self.device.poll(self.now_us))
        return effects

    def send(self, payload: bytes = b"x", *, port: int | None = 10, confirmed: bool = False) -> list[Effect]:
        """An uplink that nobody answers."""
        self.say(payload, port=port, confirmed=confirmed)
        return self.finish()

    def downlink(
        self, *, commands: Sequence[mac.Command] = (), f_opts: bytes | None = None, confirmed: bool = False, **said
    ) -> bytes:
        """The next frame of the network."""
        f_type = FType.CONFIRMED_DOWN if confirmed else FType.UNCONFIRMED_DOWN
        carried = mac.encode(commands) if f_opts is None else f_opts
        frame = DataFrame(f_type, DEV_ADDR, self.f_cnt_down, carried, **said)
        self.f_cnt_down += 1
        return seal(frame, AesKey(KEYS[0]), AesKey(KEYS[1]))

    def hear(self, phy: bytes, *, rx: int = 1, snr_db: float = 7.0) -> list[Effect]:
        """Hears a frame in RX1 or RX2 of the uplink in progress (`rx` 1, 2), or in RXC (0)."""
        if rx:
            uplink = self.device._uplink
            assert uplink is not None
            self.now_us, hz, rate = uplink.rx1 if rx == 1 else uplink.rx2
        else:
            hz, rate = self.activation.rx2_hz, self.activation.rx2_data_rate
        assert self.device.detect(hz, rate, self.now_us, self.now_us + 50_000)
        self.now_us += 50_000
        return self.did(self.device.receive(phy, snr_db, self.now_us))

    def obey(self, *commands: mac.Command, snr_db: float = 7.0) -> list[mac.Command]:
        """Is told MAC commands after an uplink; what its next uplink answers."""
        self.say()
        self.hear(self.downlink(commands=commands), snr_db=snr_db)
        assert self.device.idle
        self.say()
        answers = self.commands()
        self.finish()
        return answers

    def done(self) -> list[bool | None]:
        """How each uplink ended."""
        return [effect.acknowledged for effect in self.effects if isinstance(effect, UplinkDone)]
