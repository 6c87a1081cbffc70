"""The one way in for whoever reads telegrams: a port and bytes become a telegram, or a TelegramError."""

from nyala.telegram import config, interval_block, intervals, messages, values
from nyala.telegram.config import ConfigPart, ConfigReport
from nyala.telegram.interval_block import IntervalBlock
from nyala.telegram.intervals import Intervals
from nyala.telegram.kinds import Port
from nyala.telegram.messages import Answer, Command, Event, Hello
from nyala.telegram.values import Values
from nyala.vocab.errors import TelegramError

Telegram = IntervalBlock | Intervals | Values | Event | Answer | Hello | Command | ConfigPart | ConfigReport


def decode(port: int, payload: bytes, received_s: int) -> Telegram:
    """The telegram of an FPort and a payload received at `received_s` (UTC seconds).

    TelegramError for an unknown port and for any bytes that are not such a telegram; nothing else is ever raised.
    """
    match port:
        case Port.INTERVALS | Port.INTERVALS_FULL:
            return intervals.decode(Port(port), payload, received_s)
        case Port.FRAME | Port.FRAME_SUM | Port.FRAME_FULL:
            return interval_block.decode(Port(port), payload)
        case Port.VALUES:
            return values.decode(payload, received_s)
        case Port.EVENT:
            return messages.decode_event(payload)
        case Port.ANSWER:
            return messages.decode_answer(payload)
        case Port.HELLO:
            return messages.decode_hello(payload)
        case Port.COMMAND:
            return messages.decode_command(payload)
        case Port.CONFIG:
            return config.decode_part(payload)
        case Port.CONFIG_REPORT:
            return config.decode_report(payload)
        case _:
            raise TelegramError(f"no telegram has port {port}")


def encode(telegram: Telegram, now_s: int) -> tuple[Port, bytes]:
    """Port and payload of a telegram sent at `now_s` (UTC seconds); BadArgumentError for what cannot be said."""
    match telegram:
        case Intervals():
            far = abs(now_s // telegram.period_s - telegram.first) >= intervals.SHORT_REACH // 2
            port = Port.INTERVALS_FULL if far else Port.INTERVALS
            return port, intervals.encode(telegram, full_index=far)
        case IntervalBlock():
            return interval_block.encode(telegram)
        case Values():
            return Port.VALUES, values.encode(telegram, now_s)
        case Event():
            return Port.EVENT, messages.encode_event(telegram)
        case Answer():
            return Port.ANSWER, messages.encode_answer(telegram)
        case Hello():
            return Port.HELLO, messages.encode_hello(telegram)
        case Command():
            return Port.COMMAND, messages.encode_command(telegram)
        case ConfigPart():
            return Port.CONFIG, config.encode_part(telegram)
        case ConfigReport():
            return Port.CONFIG_REPORT, config.encode_report(telegram)
