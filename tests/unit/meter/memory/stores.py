"""A record store on parts of toy size, and a model of what it must hold: every ring turns over within a few saves."""

import dataclasses
from copy import deepcopy

from nyala.meter.memory.device import Supply, SupplyLostError
from nyala.meter.memory.layout import Group, ImageRow, Layout, Log, LogRow, place
from nyala.meter.memory.parts import part
from nyala.meter.memory.records import RecordStore, new_devices

PARTS = {
    "eeprom": dataclasses.replace(part("eeprom"), page_bytes=16, sector_bytes=16, size_bytes=4096),
    "fram": dataclasses.replace(part("fram"), page_bytes=8, sector_bytes=8, size_bytes=1024),
    "flash": dataclasses.replace(part("flash"), page_bytes=32, sector_bytes=64, size_bytes=8192),
}
IMAGES = {group: ImageRow("eeprom", 2 + place % 3, 20 + 8 * place) for place, group in enumerate(Group)} | {
    Group.TWIN: ImageRow("fram", 3, 20)
}
LOGS = {log: LogRow(5 + place % 4, 6) for place, log in enumerate(Log)}


def toy_layout() -> Layout:
    return place(PARTS, IMAGES, LOGS)


class World:
    """Parts, supply and store of one meter, with what was confirmed and what was begun."""

    def __init__(self, layout: Layout, seed: int = 0) -> None:
        self.layout = layout
        self.supply = Supply()
        self.devices = new_devices(layout, self.supply, seed=seed)
        self.store = RecordStore(layout, self.devices)
        self.store.recover()
        self.images: dict[Group, bytes | None] = dict.fromkeys(layout.images)
        self.logs: dict[Log, list[bytes]] = {log: [] for log in layout.logs}
        self.open: tuple[Group | Log, bytes] | None = None
        self.cuts = 0

    def fork(self) -> "World":
        return deepcopy(self)

    def do(self, target: Group | Log, content: bytes) -> None:
        """A save or an append; where the supply falls it stays open: old or new is right."""
        self.open = (target, content)
        if isinstance(target, Group):
            self.store.save(target, content)
            self.images[target] = content
        else:
            self.store.append(target, content)
            self.logs[target].append(content)
        self.open = None

    def work_until_cut(self, steps: list[tuple[Group | Log, bytes]], point: int) -> None:
        """Does steps over and over; the supply falls after so many write points."""
        self.supply.fail_after(point)
        while True:
            for step in steps:
                self.do(*step)

    def power_up(self, fail_after: int | None = None) -> bool:
        """A new store over the same parts; False where the supply fell again meanwhile."""
        self.cuts += 1
        self.supply.restore()
        if fail_after is not None:
            self.supply.fail_after(fail_after)
        self.store = RecordStore(self.layout, self.devices)
        try:
            self.store.recover()
        except SupplyLostError:
            return False
        self.supply.restore()
        return True

    def check(self) -> None:
        """What is there is what was confirmed, and of what was open the old or the new; then that is the truth."""
        target, content = self.open or (None, b"")
        for group, confirmed in self.images.items():
            found = self.store.load(group)
            assert found == confirmed or (group is target and found == content), group
            self.images[group] = found
        for log, confirmed_rows in self.logs.items():
            found_rows = self.store.rows(log)
            least = self.layout.logs[log].rows - self.cuts
            found_as = [
                rows
                for rows in ([*confirmed_rows, content], confirmed_rows)[log is not target :]
                if len(found_rows) >= min(len(rows), least) and rows[max(0, len(rows) - len(found_rows)) :] == found_rows
            ]
            assert found_as, log
            self.logs[log] = list(found_as[0])
        self.open = None


def script(rounds: int = 6) -> list[tuple[Group | Log, bytes]]:
    """Saves and appends over all groups, each content of its own; images of changing length."""
    steps: list[tuple[Group | Log, bytes]] = []
    for turn in range(rounds):
        for number, group in enumerate(Group):
            size = IMAGES[group].size_bytes - turn % 3 * 7
            steps.append((group, bytes((turn * 31 + number * 17 + at) & 0xFF for at in range(size))))
            head = bytes([turn + 1, number + 1]) * 2
            steps += [(log, head + bytes(range(LOGS[log].row_bytes - 4))) for log in list(Log)[number::5]]
    return steps
