"""Telegrams as JSON-able dicts and back: for the command line, logs and other people's decoders."""

from collections.abc import Mapping
from typing import Any

from nyala.telegram.codec import Telegram
from nyala.telegram.config import ConfigPart, ConfigReport, Reported
from nyala.telegram.intervals import ChannelBlock, Intervals
from nyala.telegram.kinds import EventCode, Opcode, Result
from nyala.telegram.messages import Answer, Command, Event, Hello
from nyala.telegram.values import Values
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import Channel


def to_json(telegram: Telegram) -> dict[str, Any]:
    """A telegram; `kind` names it."""
    match telegram:
        case Intervals():
            return {
                "kind": "intervals",
                "first": telegram.first,
                "period_s": telegram.period_s,
                "outages": sorted(telegram.outages),
                "channels": {
                    channel.name: {"values": list(block.values), "anchor": block.anchor}
                    for channel, block in telegram.channels.items()
                },
            }
        case Values():
            return {"kind": "values", "at_s": telegram.at_s, "values": dict(telegram.values)}
        case Event():
            return {
                "kind": "event",
                "number": telegram.number,
                "code": telegram.code.name,
                "clock_s": telegram.clock_s,
                "detail": telegram.detail,
            }
        case Answer():
            return {
                "kind": "answer",
                "sequence": telegram.sequence,
                "opcode": telegram.opcode,
                "result": telegram.result.name,
                "detail": telegram.detail,
            }
        case Hello():
            return {
                "kind": "hello",
                "model": telegram.model,
                "firmware": telegram.firmware,
                "period_s": telegram.period_s,
                "clock_s": telegram.clock_s,
            }
        case Command():
            return {
                "kind": "command",
                "sequence": telegram.sequence,
                "opcode": telegram.opcode.name,
                "quantities": list(telegram.quantities),
                "first": telegram.first,
                "period_s": telegram.period_s,
                "count": telegram.count,
                "asked": telegram.asked,
                "setting": telegram.setting,
                "length": telegram.length,
                "version": telegram.version,
                "check": telegram.check,
            }
        case ConfigPart() | ConfigReport():
            return _config(telegram)


def _config(telegram: ConfigPart | ConfigReport) -> dict[str, Any]:
    if isinstance(telegram, ConfigReport):
        entries = [{"setting": e.kind, "version": e.version, "check": e.check} for e in telegram.entries]
        return {"kind": "configreport", "entries": entries}
    return {
        "kind": "configpart",
        "setting": telegram.kind,
        "version": telegram.version,
        "offset": telegram.offset,
        "data": telegram.data.hex(),
    }


def from_json(document: Mapping[str, Any]) -> Telegram:
    """The telegram that `to_json` wrote; BadArgumentError for anything else."""
    try:
        return _from_json(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadArgumentError(f"not a telegram: {type(error).__name__} {error}") from None


def _from_json(document: Mapping[str, Any]) -> Telegram:
    said = dict(document)
    kind = said.pop("kind")
    match kind:
        case "intervals":
            channels = {
                Channel[name]: ChannelBlock(tuple(block["values"]), block.get("anchor"))
                for name, block in said["channels"].items()
            }
            return Intervals(said["first"], said["period_s"], channels, frozenset(said.get("outages", ())))
        case "values":
            return Values(said["at_s"], dict(said["values"]))
        case "event":
            return Event(said["number"], EventCode[said["code"]], said["clock_s"], said.get("detail", 0))
        case "answer":
            return Answer(said["sequence"], said["opcode"], Result[said["result"]], said.get("detail", 0))
        case "hello":
            return Hello(**said)
        case "command":
            said["opcode"], said["quantities"] = Opcode[said["opcode"]], tuple(said.get("quantities", ()))
            return Command(**said)
        case "configpart":
            return ConfigPart(said["setting"], said["version"], said["offset"], bytes.fromhex(said["data"]))
        case "configreport":
            return ConfigReport(tuple(Reported(e["setting"], e["version"], e["check"]) for e in said["entries"]))
        case _:
            raise BadArgumentError(f"telegram of unknown kind {kind!r}")
