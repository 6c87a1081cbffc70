"""The MAC of an end device, LoRaWAN 1.0.4, classes A and C.  Bytes and times in, effects out.

Times are microseconds of one monotonic clock.  The life of an uplink:

    send/poll -> [Sense -> sensed] -> Transmit -> (airtime) -> RX1 -> RX2 -> UplinkDone, or the next repeat of NbTrans

`detect` tells the MAC that a frame begins on the air and answers whether the radio is tuned to it; `receive` hands over
what was demodulated.  Nothing is sent while a frame is being received.  What a MAC command does stands in `commands`, what
the law allows in `law`, what survives a power cut in `state.DeviceMemory`.

Not here: class B and relay.
"""

from random import Random
from typing import Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.device import back_off, multicast
from nyala.lorawan.device.answers import TIME_REQUEST, Answers
from nyala.lorawan.device.commands import BATTERY_EXTERNAL, Context, Outcome, carry_out
from nyala.lorawan.device.effects import Effect, Joined, NoncesUsedUp, Received, UplinkDone, Window
from nyala.lorawan.device.joining import Joining
from nyala.lorawan.device.law import Law
from nyala.lorawan.device.module import TRANSITIONS, ModuleState, Trigger
from nyala.lorawan.device.procedure import Emission, Message, UplinkInProgress, data_emission, join_emission
from nyala.lorawan.device.profile import LORAWAN_1_0_4, DeviceProfile, narrowed
from nyala.lorawan.device.sending import Phase, Sending
from nyala.lorawan.device.state import Activation, DeviceMemory, Identity
from nyala.lorawan.device.tuning import Hearing, hears
from nyala.lorawan.frame import FOPTS_MAX, DataFrame, FType, frame_type, full_counter, mic_holds, open_payload, seal
from nyala.lorawan.region import FHDR_AND_PORT, Region
from nyala.lorawan.regulation import Regulation
from nyala.vocab.errors import BadArgumentError, FrameError

RETRANSMIT_TIMEOUT_US: Final = (1_000_000, 3_000_000)
"""RP002: 2 s +- 1 s, random, after RX2 of an uplink whose acknowledgement did not come, before any other."""
RESPONSE_US: Final = (200_000, 2_000_000)
"""A confirmed downlink is acknowledged after this, by an empty frame where no other uplink takes it along; and a class A
device that is told of more to come asks for it after this."""
CLASS_C_RESP_TIMEOUT_US: Final = 8_000_000
"""RP002: from then on a class C downlink is not acknowledged any more, as if it had been."""
REJOIN_AFTER: Final = 320
"""Uplinks without any downlink, after which the network has evidently forgotten us."""
_JOIN_ACCEPT_HEADER: Final = bytes([FType.JOIN_ACCEPT << 5])


class DeviceMac:
    """One device.  `memory` is kept by the caller and changed in place, and stored before effects are carried out."""

    def __init__(
        self,
        identity: Identity,
        region: Region,
        memory: DeviceMemory,
        random: Random,
        *,
        class_c: bool = True,
        profile: DeviceProfile = LORAWAN_1_0_4,
        regulation: Regulation | None = None,
    ) -> None:
        self.identity, self.memory, self.class_c, self.profile = identity, memory, class_c, profile
        self.region = narrowed(region, profile)
        self.law = Law(regulation, self.region, profile)
        self.battery = BATTERY_EXTERNAL
        """What DevStatusAns says: 0 external, 1..254 of full, 255 unknown.  The caller keeps it."""
        self.transmissions = 0
        self.airtime_us = 0
        self._random = random
        self._sending = Sending(self.law, self.region, random, self._emissions)
        self._hearing = Hearing(Window.RXC, 0, groups=True)
        self._joining = Joining(identity, self.region, memory, random, law=self.law, profile=profile)
        self._speak_us: int | None = None
        """When an empty uplink is due."""
        self._owes_ack = False
        self._ack_until_us: int | None = None
        self._duty_free_us = 0
        self._quiet_until_us = 0
        self._answers = Answers(profile.sticky)
        self._lasting = TRANSITIONS[ModuleState.OFF, Trigger.RESUMED] if self.joined else ModuleState.OFF

    @property
    def _uplink(self) -> UplinkInProgress | None:
        return self._sending.uplink

    @property
    def _on_air(self) -> UplinkInProgress | None:
        """The uplink whose windows are not over."""
        return self._sending.uplink if self._sending.phase is Phase.WINDOWS else None

    # -- what others may ask

    @property
    def activation(self) -> Activation | None:
        """The session, or None before the first join accept."""
        return self.memory.activation

    @property
    def joined(self) -> bool:
        """There is a session."""
        return self.memory.activation is not None

    @property
    def idle(self) -> bool:
        """Joined, and no procedure in progress."""
        return self.joined and self._sending.phase is Phase.IDLE

    def ready(self, now_us: int) -> bool:
        """Whether `send` may be called: idle, and nothing holds it back."""
        return self.idle and now_us >= self.free_us

    @property
    def free_us(self) -> int:
        """From when on the next uplink may begin: duty cycle of the network, a missed acknowledgement, a frame being heard."""
        return max(self._duty_free_us, self._quiet_until_us, self._hearing.until_us)

    @property
    def room(self) -> int:
        """Largest payload in bytes that the next uplink can carry beside the pending MAC commands."""
        assert self.activation is not None
        return self.activation.room(self.region, sum(map(len, self._carried())))

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do next; None: never, until something is sent or received."""
        if self._sending.next_us is not None:
            return max(self._sending.next_us, self._hearing.until_us)
        if not self.joined:
            return self._joining.next_us
        return None if self._speak_us is None else max(self._speak_us, self.free_us)

    def module_state(self, now_us: int) -> ModuleState:
        """What the LEDs of the module show; a module without supply is not asked."""
        if self._on_air is not None and now_us < self._on_air.end_us:
            return ModuleState.TRANSMITTING
        return ModuleState.RECEIVING if now_us < self._hearing.until_us else self._lasting

    # -- what others may do

    def start_join(self, at_us: int) -> None:
        """Begins to join at an instant; join requests repeat with back-off until an accept comes."""
        self.memory.activation = None
        self._sending.end()
        self._joining.start(at_us)
        self._moved(Trigger.JOIN_STARTED)

    def ask_time(self) -> None:
        """Puts a DeviceTimeReq into the next uplink."""
        self._answers.request(mac.DeviceTimeReq())

    def check_link(self) -> None:
        """Puts a LinkCheckReq into the next uplink."""
        self._answers.request(mac.LinkCheckReq())

    def set_multicast(self, number: int, session: multicast.MulticastSession) -> None:
        """Defines or replaces a multicast group (McGroupID 0..3)."""
        multicast.add(self.memory.multicast, number, session)

    def drop_multicast(self, number: int) -> bool:
        """Deletes a group; False where there was none."""
        return self.memory.multicast.pop(number, None) is not None

    def start_class_c(self, number: int, window: multicast.ClassCWindow) -> None:
        """Listens for a group in a window, now or later, instead of RXC."""
        multicast.open_window(self.memory.multicast, number, window, self.region)

    def send(self, message: Message, now_us: int) -> list[Effect]:
        """Starts an uplink.  BadArgumentError where it does not fit `room`; call only when `ready`."""
        assert self.ready(now_us)
        activation = self.activation
        assert activation is not None
        if len(message.payload) > self.room:
            raise BadArgumentError(f"payload of {len(message.payload)} bytes; room is {self.room}")
        carried = self._carried()
        acknowledges = self._owes_ack and not self._ack_expired(now_us)
        frame = DataFrame(
            f_type=FType.CONFIRMED_UP if message.confirmed else FType.UNCONFIRMED_UP,
            dev_addr=activation.dev_addr,
            f_cnt=activation.f_cnt_up,
            f_opts=b"".join(carried),
            f_port=message.port,
            payload=message.payload,
            adr=True,
            adr_ack_req=activation.adr_ack_count >= self.region.adr_ack_limit,
            ack=acknowledges,
        )
        phy = seal(frame, activation.nwk_s_key, activation.app_s_key)
        activation.f_cnt_up += 1
        activation.adr_ack_count += 1
        self._answers.sent(carried)
        tries = self.profile.confirmed_tries if message.confirmed else message.tries
        uplink = UplinkInProgress(phy, message.confirmed, message.token, False, tries or activation.nb_trans)
        uplink.asks_time, uplink.channel = TIME_REQUEST in carried, message.channel
        uplink.until_us = self._ack_until_us if acknowledges else None
        self._owe_nothing()
        return self._went(self._sending.start(uplink, now_us), now_us)

    def sensed(self, free: bool, now_us: int) -> list[Effect]:  # noqa: FBT001 - the answer to `Sense`
        """What the radio heard on the channel of the last `Sense`: goes on the air there, or tries the next."""
        if self._sending.phase is not Phase.SENSING:
            return []
        return self._went(self._sending.sensed(now_us, free=free), now_us)

    def detect(self, frequency_hz: int, data_rate: int, start_us: int, end_us: int) -> bool:
        """A downlink begins on the air: whether the radio hears it.  If so, it stays on it until `end_us`."""
        if self._sending.phase is Phase.SENSING or start_us < self._hearing.until_us:
            return False
        heard = hears(self._on_air, self.region, self._rxc(start_us), (frequency_hz, data_rate), (start_us, end_us))
        if heard is not None:
            self._hearing = heard
        return heard is not None

    def concerns(self, phy: bytes) -> bool:
        """Whether a downlink can be for us, by its type and address: what any receiver looks at before the MIC."""
        activation = self.activation
        if phy[:1] == _JOIN_ACCEPT_HEADER:
            return self._uplink is not None and self._uplink.joining
        address = int.from_bytes(phy[1:5], "little")
        ours = activation is not None and address == activation.dev_addr and len(phy) > 4
        return ours or any(group.address == address for group in self.memory.multicast.values())

    def receive(self, phy: bytes, snr_db: float, now_us: int) -> list[Effect]:
        """A downlink was demodulated.  Frames that are not for us, not ours or replayed are dropped in silence."""
        try:
            if frame_type(phy) is FType.JOIN_ACCEPT:
                return self._accept(phy)
            return self._data(phy, snr_db, now_us)
        except FrameError:
            return []

    def poll(self, now_us: int) -> list[Effect]:
        """Does what is due: ends windows, repeats, joins, acknowledges."""
        if self.next_us is None or now_us < self.next_us:
            return []
        if self._sending.phase is Phase.WINDOWS:
            return self._over(now_us)
        if self._sending.phase is Phase.WAITING:
            return self._went(self._sending.emit(now_us), now_us)
        if self._sending.phase is Phase.SENSING:
            return self.sensed(False, now_us)
        if not self.joined:
            return self._join(now_us)
        if self._ack_expired(now_us):
            self._owe_nothing()
            return []
        return self.send(Message(None, b""), now_us)

    # -- transmitting

    def _carried(self) -> list[bytes]:
        """The MAC commands that the next uplink takes along."""
        activation = self.activation
        assert activation is not None
        room = self.region.mac_payload_max(activation.data_rate, dwell=activation.uplink_dwell) - FHDR_AND_PORT
        return self._answers.carried(activation.sticky, min(FOPTS_MAX, room))

    def _ack_expired(self, now_us: int) -> bool:
        return self._ack_until_us is not None and now_us > self._ack_until_us

    def _owe_nothing(self) -> None:
        self._speak_us, self._owes_ack, self._ack_until_us = None, False, None

    def _emissions(self, uplink: UplinkInProgress) -> list[Emission]:
        if uplink.joining:
            rate = self._joining.data_rate
            return [join_emission(self.region, self.law, rate, hz) for hz in self.region.default_channels_hz]
        activation = self.activation
        assert activation is not None
        usable = uplink.channels(activation.usable_channels(activation.data_rate))
        return [data_emission(activation, self.region, self.law, activation.channels[index]) for index in usable]

    def _went(self, effects: list[Effect], now_us: int) -> list[Effect]:
        """What came of trying to send: on the air, or the end of this emission, or still trying."""
        sending, activation = self._sending, self.activation
        if sending.phase is Phase.GIVEN_UP:
            return effects + self._over(now_us)
        if sending.phase is Phase.WINDOWS:
            self.transmissions += 1
            self.airtime_us += sending.length_us
            if activation is not None and activation.max_duty_cycle:
                silence_us = sending.length_us * ((1 << activation.max_duty_cycle) - 1)
                self._duty_free_us = now_us + sending.length_us + silence_us
        return effects

    def _over(self, now_us: int) -> list[Effect]:
        """An emission has ended without an answer, or no channel was free for it."""
        uplink = self._uplink
        assert uplink is not None
        if uplink.joining:
            self._sending.end()
            self._joining.failed(self._sending.length_us, now_us)
            if self._joining.unanswered:
                self._moved(Trigger.UNANSWERED)
            return []
        if uplink.repeats_left > 0:
            again_us = max(now_us + self._random.randint(*RETRANSMIT_TIMEOUT_US), self._duty_free_us)
            return self._went(self._sending.wait(again_us), now_us)
        return self._uplink_done(acknowledged=False)

    def _uplink_done(self, *, acknowledged: bool) -> list[Effect]:
        uplink, activation = self._uplink, self.activation
        assert uplink is not None
        self._sending.end()
        sent = uplink.emissions > 0
        if uplink.confirmed and sent and not acknowledged:
            self._quiet_until_us = uplink.rx2[0] + self._random.randint(*RETRANSMIT_TIMEOUT_US)
        if activation is not None:
            back_off.step(activation, self.region)
            if back_off.unanswered(activation, self.region):
                self._moved(Trigger.UNANSWERED)
            if activation.adr_ack_count >= REJOIN_AFTER:
                self.start_join(uplink.close_us)
        return [UplinkDone(uplink.token, acknowledged if uplink.confirmed else None, sent)]

    def _moved(self, trigger: Trigger) -> None:
        self._lasting = TRANSITIONS[self._lasting, trigger]

    # -- joining

    def _join(self, now_us: int) -> list[Effect]:
        request = self._joining.request(now_us)
        if request is None:
            self._moved(Trigger.UNANSWERED)
            return [NoncesUsedUp()]
        uplink = UplinkInProgress(request, False, None, joining=True, repeats_left=1)
        return self._went(self._sending.start(uplink, now_us), now_us)

    def _accept(self, phy: bytes) -> list[Effect]:
        if self._uplink is None or not self._uplink.joining:
            return []
        activation = self.memory.activation = self._joining.accept(phy)
        self._sending.end()
        self._answers.clear()
        self._owe_nothing()
        self._duty_free_us = self._quiet_until_us = 0
        self._moved(Trigger.HEARD)
        return [Joined(activation.dev_addr)]

    # -- receiving

    def _rxc(self, at_us: int) -> tuple[int, int] | None:
        """Frequency and data rate of RXC; None: it is not open."""
        activation = self.activation
        if activation is None:
            return None
        window = multicast.listening(self.memory.multicast.values(), at_us) if self.memory.multicast else None
        if window is not None:
            return window.frequency_hz, window.data_rate
        return (activation.rx2_hz, activation.rx2_data_rate) if self.class_c else None

    def _data(self, phy: bytes, snr_db: float, now_us: int) -> list[Effect]:
        frame, activation, heard = DataFrame.decode(phy), self.activation, self._hearing
        if frame.f_type.uplink or activation is None:
            return []
        if frame.dev_addr != activation.dev_addr:
            return [*multicast.receive(phy, frame, self.memory.multicast)] if heard.groups else []
        f_cnt = full_counter(frame.f_cnt, activation.f_cnt_down)
        if not mic_holds(phy, frame, f_cnt, activation.nwk_s_key):
            return []
        activation.f_cnt_down = f_cnt + 1
        class_a = heard.window is not Window.RXC
        if not class_a and (frame.f_opts or frame.f_port == 0):
            return []  # TS001-1.0.4 17.1: MAC commands outside RX1 and RX2 cost the frame
        outcome = self._commands(frame, f_cnt, snr_db) if class_a else Outcome()
        effects = outcome.news(self._uplink)
        self._owe(frame, now_us, class_a=class_a)
        uplink = self._uplink
        if uplink is not None and not uplink.joining and (class_a or frame.ack):
            effects += self._uplink_done(acknowledged=frame.ack)
        if frame.f_port:
            payload = open_payload(frame, f_cnt, activation.nwk_s_key, activation.app_s_key)
            effects.append(Received(frame.f_port, payload, frame.f_type.confirmed, heard.window))
        return effects

    def _owe(self, frame: DataFrame, now_us: int, *, class_a: bool) -> None:
        """An empty uplink for an acknowledgement, or for what a class A network has waiting."""
        if frame.f_type.confirmed:
            self._owes_ack, self._ack_until_us = True, None if class_a else now_us + CLASS_C_RESP_TIMEOUT_US
        elif not (class_a and frame.pending and not self.class_c):
            return
        self._speak_us = now_us + self._random.randint(*RESPONSE_US)

    def _commands(self, frame: DataFrame, f_cnt: int, snr_db: float) -> Outcome:
        activation = self.activation
        assert activation is not None
        activation.adr_ack_count = 0
        activation.sticky.clear()
        self._moved(Trigger.HEARD)
        data = frame.f_opts
        if frame.f_port == 0:
            data = open_payload(frame, f_cnt, activation.nwk_s_key, activation.app_s_key)
        try:
            commands = mac.decode(data, mac.DOWNLINK)
        except FrameError:
            return Outcome()  # payload and acknowledgement of the frame still count
        context = Context(self.region, self.law, self.profile, snr_db, self.battery)
        outcome = carry_out(commands, activation, context)
        activation.settle(self.region)
        self._answers.add(outcome.answers, activation.sticky)
        return outcome
