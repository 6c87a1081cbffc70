"""Calibration constants as a file: readable JSON around the bytes that the meter stores, with their checksum.

The bytes decide; the readable part is for people.  Three things can be wrong: the file is not one of these (FileError), it
belongs to another specimen, or to the same at another voltage or current range (ConflictError), or the checksum of the
bytes is wrong.  The last is the meter's own case of "un-calibrated": `read` says so by None, and whoever uses it must show it.
"""

import json
from dataclasses import asdict
from typing import Any

from nyala.lab.specimen import Specimen
from nyala.meter.sampled.constants import SIZE, CalibrationConstants
from nyala.vocab.errors import ConflictError, FileError, ForeignError

KIND = "nyala calibration constants"


def written(constants: CalibrationConstants, specimen: Specimen) -> str:
    """The file's text."""
    document: dict[str, Any] = {
        "kind": KIND,
        "model": specimen.model.name,
        "serial": specimen.serial,
        "nominal_voltage_v": specimen.model.nominal_voltage_v,
        "basic_current_a": specimen.model.basic_current_a,
        "crc32": f"{constants.checksum():08x}",
        "data": constants.to_bytes().hex(),
        "readable": [asdict(phase) for phase in constants.phases[: specimen.model.phases]],
        "gain_n": constants.gain_n,
    }
    return json.dumps(document, indent=2) + "\n"


def read(text: str, specimen: Specimen, path: str = "") -> CalibrationConstants | None:
    """The constants for a specimen; None where their checksum is wrong.  FileError, ConflictError: see above."""
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"not JSON: {error}", path=path or None) from None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise FileError("not a file of calibration constants", path=path or None)
    model = specimen.model
    for field, own in (
        ("model", model.name),
        ("serial", specimen.serial),
        ("nominal_voltage_v", model.nominal_voltage_v),
        ("basic_current_a", model.basic_current_a),
    ):
        if document.get(field) != own:
            raise ConflictError(f"constants of {field} {document.get(field)!s}; the specimen's is {own}")
    try:
        data = bytes.fromhex(document.get("data", ""))
    except (ValueError, TypeError):
        raise FileError("the bytes are not hexadecimal", path=path or None) from None
    if len(data) != SIZE:
        raise FileError(f"{len(data)} bytes of constants; there are {SIZE}", path=path or None)
    try:
        return CalibrationConstants.from_bytes(data)
    except ForeignError:
        return None
