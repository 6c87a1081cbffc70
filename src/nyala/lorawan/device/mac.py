"""The MAC of an end device, LoRaWAN 1.0.4, classes A and C.  Bytes and times in, effects out.

Times are microseconds of one monotonic clock.  The life of an uplink:

    send/poll -> Transmit -> (airtime) -> RX1 -> RX2 -> UplinkDone, or the next repeat of NbTrans

`detect` tells the MAC that a frame begins on the air and answers whether the radio is tuned to it; `receive` hands over
what was demodulated.  In class C the radio is tuned to RX2's frequency and data rate (RXC) whenever it neither transmits
nor is in RX1.  What a MAC command does stands in `commands`; what survives a power cut in `state.DeviceMemory`.

Not here: class B, multicast, LBT and relay.
"""

from enum import Enum
from random import Random
from typing import Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.commands import Context, Outcome, carry_out
from nyala.lorawan.device.effects import (
    Effect,
    Joined,
    LinkChecked,
    Received,
    TimeReceived,
    Transmit,
    UplinkDone,
    Window,
)
from nyala.lorawan.device.joining import Joining
from nyala.lorawan.device.procedure import Message, UplinkInProgress, data_emission, join_emission
from nyala.lorawan.device.state import Activation, Channel, DeviceMemory, Identity
from nyala.lorawan.frame import (
    FOPTS_MAX,
    DataFrame,
    FType,
    frame_type,
    full_counter,
    mic_holds,
    open_payload,
    seal,
)
from nyala.lorawan.region import FHDR_AND_PORT, Region
from nyala.vocab.errors import BadArgumentError, FrameError
from nyala.vocab.time import US_PER_S, utc_from_gps_us

RETRANSMIT_TIMEOUT_US: Final = (1_000_000, 3_000_000)
"""RP002: 2 s +- 1 s, random, after RX2 of a confirmed uplink without acknowledgement."""
CLASS_C_RESPONSE_US: Final = (200_000, 2_000_000)
"""A confirmed downlink is acknowledged within this, by an empty frame where no other uplink takes it along."""
REJOIN_AFTER: Final = 320
"""Uplinks without any downlink, after which the network has evidently forgotten us."""
_JOIN_ACCEPT_HEADER: Final = bytes([FType.JOIN_ACCEPT << 5])
_TIME_REQUEST: Final = mac.encode([mac.DeviceTimeReq()])


class Phase(Enum):
    """Where the radio procedure stands."""

    IDLE = "idle"
    WINDOWS = "windows"
    RETRY = "retry"


class DeviceMac:
    """One device.  `memory` is kept by the caller and changed in place."""

    def __init__(
        self, identity: Identity, region: Region, memory: DeviceMemory, random: Random, *, class_c: bool = True
    ) -> None:
        self.identity, self.region, self.memory, self.class_c = identity, region, memory, class_c
        self.transmissions = 0
        self.airtime_us = 0
        self._random = random
        self._app_key = AesKey(identity.app_key)
        self._phase = Phase.IDLE
        self._uplink: UplinkInProgress | None = None
        self._retry_us = 0
        self._busy_until_us = 0
        self._detected = Window.RXC
        self._joining = Joining(identity, region, memory, self._app_key, random)
        self._ack_due_us: int | None = None
        self._duty_free_us = 0
        self._answers: list[bytes] = []
        self._requests: list[mac.Command] = []

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
        return self.joined and self._phase is Phase.IDLE

    def ready(self, now_us: int) -> bool:
        """Whether `send` may be called: idle, and the duty cycle free."""
        return self.idle and now_us >= self._duty_free_us

    @property
    def free_us(self) -> int:
        """From when on the duty cycle allows the next uplink."""
        return self._duty_free_us

    @property
    def room(self) -> int:
        """Largest payload in bytes that the next uplink can carry beside the pending MAC commands."""
        assert self.activation is not None
        return self.activation.room(self.region, sum(map(len, self._carried())))

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do next; None: never, until something is sent or received."""
        if self._phase is Phase.WINDOWS:
            assert self._uplink is not None
            return max(self._uplink.close_us, self._busy_until_us)
        if self._phase is Phase.RETRY:
            return self._retry_us
        if not self.joined:
            return self._joining.next_us
        return None if self._ack_due_us is None else max(self._ack_due_us, self._duty_free_us)

    # -- what others may do

    def start_join(self, at_us: int) -> None:
        """Begins to join at an instant; join requests repeat with back-off until an accept comes."""
        self.memory.activation = None
        self._joining.start(at_us)

    def ask_time(self) -> None:
        """Puts a DeviceTimeReq into the next uplink."""
        self._request(mac.DeviceTimeReq())

    def check_link(self) -> None:
        """Puts a LinkCheckReq into the next uplink."""
        self._request(mac.LinkCheckReq())

    def _request(self, command: mac.Command) -> None:
        if command not in self._requests:
            self._requests.append(command)

    def send(self, message: Message, now_us: int) -> list[Effect]:
        """Starts an uplink.  BadArgumentError where it does not fit `room`; call only when `ready`."""
        assert self.ready(now_us)
        activation = self.activation
        assert activation is not None
        if len(message.payload) > self.room:
            raise BadArgumentError(f"payload of {len(message.payload)} bytes; room is {self.room}")
        carried = self._carried()
        frame = DataFrame(
            f_type=FType.CONFIRMED_UP if message.confirmed else FType.UNCONFIRMED_UP,
            dev_addr=activation.dev_addr,
            f_cnt=activation.f_cnt_up,
            f_opts=b"".join(carried),
            f_port=message.port,
            payload=message.payload,
            adr=True,
            adr_ack_req=activation.adr_ack_count >= self.region.adr_ack_limit,
            ack=self._ack_due_us is not None,
        )
        phy = seal(frame, activation.nwk_s_key, activation.app_s_key)
        activation.f_cnt_up += 1
        activation.adr_ack_count += 1
        asks_time = _TIME_REQUEST in carried
        self._ack_due_us = None
        for each in carried:
            if each in self._answers:
                self._answers.remove(each)
        self._requests = [each for each in self._requests if mac.encode([each]) not in carried]
        self._uplink = UplinkInProgress(phy, message.confirmed, message.token, False, activation.nb_trans, asks_time)
        return [self._transmit(now_us)]

    def detect(self, frequency_hz: int, data_rate: int, start_us: int, end_us: int) -> bool:
        """A downlink begins on the air: whether the radio hears it.  If so, it stays on it until `end_us`."""
        window = self._tuned(frequency_hz, data_rate, start_us)
        if window is None:
            return False
        self._busy_until_us = end_us
        self._detected = window
        return True

    def concerns(self, phy: bytes) -> bool:
        """Whether a downlink can be for us, by its type and address: what any receiver looks at before the MIC."""
        activation = self.activation
        if phy[:1] == _JOIN_ACCEPT_HEADER:
            return self._uplink is not None and self._uplink.joining
        return activation is not None and phy[1:5] == activation.dev_addr.to_bytes(4, "little")

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
        if self._phase is Phase.WINDOWS:
            return self._windows_over(now_us)
        if self._phase is Phase.RETRY:
            return [self._transmit(now_us)]
        if not self.joined:
            return [self._join(now_us)]
        return self.send(Message(None, b""), now_us)

    # -- transmitting

    def _carried(self) -> list[bytes]:
        """The MAC commands that the next uplink takes along, whole ones only; the rest waits."""
        activation = self.activation
        assert activation is not None
        limit = self.region.mac_payload_max(activation.data_rate, dwell=activation.uplink_dwell) - FHDR_AND_PORT
        left, carried = min(FOPTS_MAX, limit), []
        repeated = [each for each in activation.sticky.values() if each not in self._answers]
        for each in (*self._answers, *repeated, *(mac.encode([r]) for r in self._requests)):
            if len(each) <= left:
                carried.append(each)
                left -= len(each)
        return carried

    def _adr_back_off(self, activation: Activation) -> None:
        """Back-off of TS001-1.0.4 4.3.1.1 after an uplink, so that `room` is that of the next one."""
        limit, delay = self.region.adr_ack_limit, self.region.adr_ack_delay
        over = activation.adr_ack_count - limit
        if over >= delay and over % delay == 0:
            slower = activation.data_rate - 1
            if over == delay:
                activation.tx_power = 0
            elif slower >= 0 and self.region.mac_payload_max(slower, dwell=activation.uplink_dwell):
                activation.data_rate = slower
            else:
                activation.nb_trans = 1
                low, high = self.region.channel_data_rates
                for index, hz in enumerate(self.region.default_channels_hz):
                    activation.channels[index] = Channel(hz, low, high)
            activation.settle(self.region)

    def _transmit(self, now_us: int) -> Transmit:
        uplink, activation, region = self._uplink, self.activation, self.region
        assert uplink is not None
        if uplink.joining:
            frequency_hz = self._random.choice(region.default_channels_hz)
            emission = join_emission(region, self._joining.data_rate, frequency_hz)
        else:
            assert activation is not None
            channel = activation.channels[self._random.choice(activation.usable_channels(activation.data_rate))]
            emission = data_emission(activation, region, channel)
        uplink.emit(emission, region, now_us)
        airtime_us = uplink.end_us - uplink.start_us
        self._phase = Phase.WINDOWS
        if activation is not None and activation.max_duty_cycle:
            self._duty_free_us = uplink.end_us + airtime_us * ((1 << activation.max_duty_cycle) - 1)
        self.transmissions += 1
        self.airtime_us += airtime_us
        return Transmit(uplink.phy, emission.frequency_hz, emission.data_rate, emission.eirp_dbm)

    def _windows_over(self, now_us: int) -> list[Effect]:
        uplink = self._uplink
        assert uplink is not None
        if uplink.joining:
            self._phase, self._uplink = Phase.IDLE, None
            self._joining.failed(uplink.end_us - uplink.start_us, now_us)
            return []
        if uplink.repeats_left > 0:
            self._phase = Phase.RETRY
            self._retry_us = max(now_us + self._random.randint(*RETRANSMIT_TIMEOUT_US), self._duty_free_us)
            return []
        return self._uplink_done(acknowledged=False)

    def _uplink_done(self, *, acknowledged: bool) -> list[Effect]:
        uplink = self._uplink
        assert uplink is not None
        self._phase, self._uplink = Phase.IDLE, None
        if self.activation is not None:
            self._adr_back_off(self.activation)
            if self.activation.adr_ack_count >= REJOIN_AFTER:
                self.start_join(uplink.close_us)
        return [UplinkDone(uplink.token, acknowledged if uplink.confirmed else None)]

    # -- joining

    def _join(self, now_us: int) -> Transmit:
        self._uplink = UplinkInProgress(self._joining.request(now_us), False, None, joining=True, repeats_left=1)
        return self._transmit(now_us)

    def _accept(self, phy: bytes) -> list[Effect]:
        if self._uplink is None or not self._uplink.joining:
            return []
        activation = self.memory.activation = self._joining.accept(phy)
        self._phase, self._uplink = Phase.IDLE, None
        self._answers, self._requests, self._ack_due_us, self._duty_free_us = [], [], None, 0
        return [Joined(activation.dev_addr)]

    # -- receiving

    def _tuned(self, frequency_hz: int, data_rate: int, at_us: int) -> Window | None:
        uplink = self._uplink if self._phase is Phase.WINDOWS else None
        if uplink is not None:
            if at_us < uplink.end_us:
                return None
            opened = uplink.window_at(self.region, at_us)
            if opened is not None and (frequency_hz, data_rate) == opened[1:]:
                return opened[0]
            if opened is not None and opened[0] is Window.RX1:
                return None
        activation = self.activation
        if not self.class_c or activation is None:
            return None
        return Window.RXC if (frequency_hz, data_rate) == (activation.rx2_hz, activation.rx2_data_rate) else None

    def _data(self, phy: bytes, snr_db: float, now_us: int) -> list[Effect]:
        frame, activation = DataFrame.decode(phy), self.activation
        if frame.f_type.uplink or activation is None or frame.dev_addr != activation.dev_addr:
            return []
        f_cnt = full_counter(frame.f_cnt, activation.f_cnt_down)
        if not mic_holds(phy, frame, f_cnt, activation.nwk_s_key):
            return []
        activation.f_cnt_down = f_cnt + 1
        effects: list[Effect] = []
        uplink, class_a = self._uplink, self._detected is not Window.RXC
        outcome = self._commands(frame, f_cnt, snr_db) if class_a else Outcome()
        if outcome.link_check is not None:
            effects.append(LinkChecked(outcome.link_check.margin, outcome.link_check.gateway_count))
        if outcome.device_time is not None and uplink is not None and uplink.asks_time:
            gps_us = outcome.device_time.gps_s * US_PER_S + outcome.device_time.fraction_256 * US_PER_S // 256
            effects.append(TimeReceived(utc_from_gps_us(gps_us), uplink.end_us))
        if frame.f_type.confirmed:
            self._ack_due_us = now_us + self._random.randint(*CLASS_C_RESPONSE_US)
        if uplink is not None and not uplink.joining and (class_a or frame.ack):
            effects += self._uplink_done(acknowledged=frame.ack)
        if frame.f_port:
            payload = open_payload(frame, f_cnt, activation.nwk_s_key, activation.app_s_key)
            effects.append(Received(frame.f_port, payload, frame.f_type.confirmed, self._detected))
        return effects

    def _commands(self, frame: DataFrame, f_cnt: int, snr_db: float) -> Outcome:
        activation = self.activation
        assert activation is not None
        activation.adr_ack_count = 0
        activation.sticky.clear()
        data = frame.f_opts
        if frame.f_port == 0:
            data = open_payload(frame, f_cnt, activation.nwk_s_key, activation.app_s_key)
        try:
            commands = mac.decode(data, mac.DOWNLINK)
        except FrameError:
            return Outcome()  # payload and acknowledgement of the frame still count
        outcome = carry_out(commands, activation, Context(self.region, snr_db))
        activation.settle(self.region)
        for answer in outcome.answers:
            said = mac.encode([answer])
            self._answers.append(said)
            if isinstance(answer, mac.STICKY):
                activation.sticky[answer.CID] = said
        return outcome
