"""The one exception tree.  A class says whose fault it is; a message says what, where and whose.

    NyalaError
    |-- ForeignError          theirs: bytes, messages or files from outside that are not what they must be
    |   |-- FrameError          a LoRaWAN frame
    |   |-- TelegramError       an application payload of a meter or of the head-end
    |   |-- GatewayError        a message of a gateway
    |   `-- FileError           a file that somebody gave us: knows its path and its line
    |-- CallerError           the caller's: what was asked cannot be done as asked
    |   |-- BadArgumentError    a value outside what is documented
    |   |-- UnknownError        names something that is not there: meter, tariff, command, region ...
    |   |-- NotAllowedError     the caller may not, or the thing cannot (a CT meter has no switch)
    |   `-- ConflictError       it clashes with what is there already
    `-- SurroundingsError     the machine's: a port is taken, a database is of a newer version, a disk is full

Ours are assertions: they are bugs and are never caught.  There is no default for an unknown frequency, OBIS code, tariff
or alarm anywhere: an unknown one is an error of this tree.
"""


class NyalaError(Exception):
    """The root: nothing raises it itself."""


class ForeignError(NyalaError, ValueError):
    """Something from outside is not what it must be; never a bug of ours."""


class FrameError(ForeignError):
    """Bytes from the air that are not a LoRaWAN frame of the standard."""


class TelegramError(ForeignError):
    """An application payload that is not one of the telegrams of `nyala.telegram`."""


class GatewayError(ForeignError):
    """A message of a gateway that is not what its protocol says."""


class FileError(ForeignError):
    """A file from outside is wrong.  `str()` begins with `path:line:` where they are known (line 1 is the first)."""

    def __init__(self, what: str, *, path: str | None = None, line: int | None = None) -> None:
        self.what, self.path, self.line = what, path, line
        where = ":".join(str(part) for part in (path, line) if part is not None)
        super().__init__(f"{where}: {what}" if where else what)


class CallerError(NyalaError):
    """What the caller asked cannot be done as asked."""


class BadArgumentError(CallerError, ValueError):
    """A value outside what is documented."""


class UnknownError(CallerError, LookupError):
    """A name of something that is not there.  `kind` and `name` say what and which."""

    def __init__(self, kind: str, name: object) -> None:
        self.kind, self.name = kind, name
        super().__init__(f"unknown {kind}: {name}")


class NotAllowedError(CallerError):
    """The caller may not do this, or the thing cannot."""


class ConflictError(CallerError):
    """It clashes with what is there already."""


class SurroundingsError(NyalaError):
    """The machine around us does not let us: a port, a disk, a database of a newer version."""
