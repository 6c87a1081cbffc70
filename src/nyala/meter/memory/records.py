"""The record store of a meter: groups that are saved whole and logs that grow by rows, over modelled parts.

After a cut in any write point a load gives the old or the new image, never a mixture, and every row whose append had
returned is there.  The store is thrown away with the supply; a new one over the same devices begins with `recover`,
which may itself be cut.  What images and rows mean is the caller's.
"""

from dataclasses import dataclass

from nyala.meter.memory.device import Device, Supply
from nyala.meter.memory.image import Image
from nyala.meter.memory.layout import Group, Layout, Log
from nyala.meter.memory.ring import Ring
from nyala.vocab.errors import UnknownError


@dataclass(frozen=True, slots=True)
class Recovery:
    """What `recover` found: groups whose last save did not end, logs whose last row was torn."""

    torn_images: tuple[Group, ...]
    torn_rows: tuple[Log, ...]


class RecordStore:
    """Groups and logs of one meter.  `devices` by the part names of the layout."""

    def __init__(self, layout: Layout, devices: dict[str, Device]) -> None:
        self.layout, self.devices = layout, devices
        self._images = {group: Image(group.value, place, devices[place.part]) for group, place in layout.images.items()}
        self._rings = {log: Ring(log.value, place, devices[place.part]) for log, place in layout.logs.items()}
        self._recovered = False

    def recover(self) -> Recovery:
        """Finds every newest image and every end, and settles what a cut left: the first call after power-up."""
        images = tuple([group for group, image in self._images.items() if image.recover()])
        rows = tuple([log for log, ring in self._rings.items() if ring.recover()])
        self._recovered = True
        return Recovery(images, rows)

    def save(self, group: Group, content: bytes) -> None:
        """Replaces the image of a group.  BadArgumentError where it does not fit; SupplyLostError: old or new is kept."""
        self._image(group).save(content)

    def load(self, group: Group) -> bytes | None:
        """The image of a group; None where none was ever saved."""
        return self._image(group).load()

    def append(self, log: Log, row: bytes) -> None:
        """Adds a row.  BadArgumentError for another size; SupplyLostError: it is kept or not, the others are."""
        self._ring(log).append(row)

    def rows(self, log: Log) -> list[bytes]:
        """The rows of a log, the oldest first, as many as the layout says are kept."""
        return self._ring(log).rows()

    def _image(self, group: Group) -> Image:
        assert self._recovered, "recover first"
        if group not in self._images:
            raise UnknownError("memory group", group)
        return self._images[group]

    def _ring(self, log: Log) -> Ring:
        assert self._recovered, "recover first"
        if log not in self._rings:
            raise UnknownError("memory log", log)
        return self._rings[log]


def new_devices(layout: Layout, supply: Supply, *, seed: int = 0) -> dict[str, Device]:
    """Blank parts of a layout on one supply."""
    return {name: Device(part, supply, seed=seed + place) for place, (name, part) in enumerate(layout.parts.items())}
