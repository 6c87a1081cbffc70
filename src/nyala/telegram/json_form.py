"""Telegrams as JSON-able dicts and back: for the command line, logs and other people's decoders."""

from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from typing import Any

from nyala.telegram.codec import Telegram
from nyala.telegram.config import ConfigPart, ConfigReport, Reported
from nyala.telegram.interval_block import IntervalBlock, first_of
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
        case IntervalBlock():
            return _block(telegram)
        case ConfigPart() | ConfigReport():
            return _config(telegram)
        case Event() | Answer() | Hello() | Command():
            said = {name: each.name if isinstance(each, Enum) else each for name, each in asdict(telegram).items()}
            return {"kind": type(telegram).__name__.lower(), **said}


def _block(block: IntervalBlock) -> dict[str, Any]:
    return {
        "kind": "intervalblock",
        "epoch": block.epoch,
        "number": block.number,
        "count": block.count,
        "rows": {channel.name: list(row) for channel, row in block.rows.items()},
        "coded": block.coded,
        "full": block.full,
        "register": block.register,
        "parity": None if block.parity is None else block.parity.hex(),
        "pending": block.pending,
        "doubtful": block.doubtful,
    }


def placed(document: dict[str, Any], block: IntervalBlock, period_s: int, received_s: int) -> dict[str, Any]:
    """The document of a block with its place in time."""
    first = first_of(block, period_s, received_s)
    return document | {"first": first, "period_s": period_s, "start_s": first * period_s}


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
        case "intervalblock":
            return _from_block(said)
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


def _from_block(said: Mapping[str, Any]) -> IntervalBlock:
    """Without what follows from the rest: count, and the place in time."""
    parity = said.get("parity")
    return IntervalBlock(
        said["epoch"],
        said["number"],
        {Channel[name]: tuple(row) for name, row in said["rows"].items()},
        said.get("coded", True),
        said.get("full", False),
        said.get("register"),
        None if parity is None else bytes.fromhex(parity),
        said.get("pending", False),
        said.get("doubtful", False),
    )
