"""CUPS of Basics Station: what a station asks for its own updates, and the answer that there are none.  No socket.

    request   POST /update-info {router, cupsUri, tcUri, cupsCredCrc, tcCredCrc, station, model, package, keys}
    answer    len8 cupsUri | len8 tcUri | len16 cupsCred | len16 tcCred | len32 signature | len32 firmware

A length of 0 is "no change".  nyala keeps no credentials or firmware of stations: they stay what they are.
"""

from typing import Final

import msgspec

from nyala.gateway.station_identity import router_eui
from nyala.vocab.errors import GatewayError

PATH: Final = "/update-info"
REQUEST_MAX: Final = 16_384
NO_CHANGE: Final = bytes(1 + 1 + 2 + 2 + 4 + 4)


class _Request(msgspec.Struct):
    router: str | int
    station: str | None = None
    model: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Request)


def decode_request(body: bytes) -> int:
    """The EUI of the station that asks; GatewayError for another body."""
    if len(body) > REQUEST_MAX:
        raise GatewayError(f"CUPS request of {len(body)} bytes; {REQUEST_MAX} at most")
    try:
        return router_eui(_DECODER.decode(body).router)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise GatewayError(f"CUPS request: {error}") from None
