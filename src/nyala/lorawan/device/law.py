"""What the law lets one device send, and when: duty cycle with its accounts, power, and the channels of a regulation.

A duty cycle is kept over any hour (ETSI EN 300 220-1 section 5.4): airtime is booked in slots of five minutes, and what the
last thirteen slots hold, which is never less than the last hour, counts.  So a device may send in bursts and no hour ever
holds more than it may.  The accounts live in the working memory: they begin again after a power cut.

Not here: listening before talk (`listening`), the dwell limit of payloads (`Region.mac_payload_max`).
"""

from collections import deque
from itertools import accumulate
from typing import Final

from nyala.lorawan.device.profile import DeviceProfile
from nyala.lorawan.region import Region
from nyala.lorawan.regulation import PER_MILLE, Regulation, SubBand
from nyala.vocab.errors import UnknownError
from nyala.vocab.time import US_PER_S

HOUR_US: Final = 3_600 * US_PER_S
SLOTS: Final = 12
SLOT_US: Final = HOUR_US // SLOTS


class Account:
    """Airtime of one sub-band."""

    def __init__(self, band: SubBand) -> None:
        self.budget_us = HOUR_US * band.per_mille // PER_MILLE
        self._slots: deque[tuple[int, int]] = deque()
        """(number of the slot, airtime in it), oldest first; at most `SLOTS + 1`."""

    def book(self, airtime_us: int, now_us: int) -> None:
        """Takes an emission that begins now into account."""
        slot = now_us // SLOT_US
        self._forget(slot)
        if self._slots and self._slots[-1][0] == slot:
            airtime_us += self._slots.pop()[1]
        self._slots.append((slot, airtime_us))

    def free_us(self, airtime_us: int, now_us: int) -> int:
        """From when on an emission of this length may begin."""
        assert airtime_us <= self.budget_us, "a frame that no hour has room for"
        self._forget(now_us // SLOT_US)
        over_us = self.used_us + airtime_us - self.budget_us
        if over_us <= 0:
            return now_us
        freed = accumulate(airtime for _, airtime in self._slots)
        return (
            next(slot + SLOTS + 1 for (slot, _), sum_us in zip(self._slots, freed, strict=True) if sum_us >= over_us) * SLOT_US
        )

    @property
    def used_us(self) -> int:
        """Airtime of the last hour, a little more than less."""
        return sum(airtime for _, airtime in self._slots)

    def _forget(self, slot: int) -> None:
        while self._slots and self._slots[0][0] < slot - SLOTS:
            self._slots.popleft()


class Law:
    """A regulation as one device keeps it; without one, the region and the device alone set the limits."""

    def __init__(self, regulation: Regulation | None, region: Region, profile: DeviceProfile) -> None:
        self.regulation, self._region, self._profile = regulation, region, profile
        self.lbt: Final = None if regulation is None else regulation.lbt
        bands = () if regulation is None else regulation.sub_bands
        self.accounts = {band: Account(band) for band in bands if band.per_mille < PER_MILLE}

    @property
    def uplink_dwell(self) -> bool:
        """The law asks for the dwell limit, whatever the network says."""
        return self.regulation is not None and self.regulation.uplink_dwell

    def allows(self, frequency_hz: int) -> bool:
        """Whether an uplink channel may lie here."""
        return self._region.allows(frequency_hz) and (self.regulation is None or self._band(frequency_hz) is not None)

    def eirp_dbm(self, tx_power: int, max_eirp_dbm: int, frequency_hz: int) -> int:
        """What a TXPower index means on a channel: never more than network, law and radio allow."""
        band = self._band(frequency_hz)
        limit_dbm = self._profile.max_eirp_dbm if band is None else min(band.max_eirp_dbm, self._profile.max_eirp_dbm)
        return min(self._region.eirp_dbm(tx_power, max_eirp_dbm), limit_dbm)

    def can_lower_to(self, tx_power: int, max_eirp_dbm: int) -> bool:
        """Whether the region has a TXPower index, and the radio can go as low as it asks."""
        if tx_power > self._region.tx_power_limit:
            return False
        return self._region.eirp_dbm(tx_power, max_eirp_dbm) >= self._profile.min_eirp_dbm

    def free_us(self, frequency_hz: int, airtime_us: int, now_us: int) -> int:
        """From when on an emission may begin on a channel."""
        account = self._account(frequency_hz)
        return now_us if account is None else account.free_us(airtime_us, now_us)

    def book(self, frequency_hz: int, airtime_us: int, now_us: int) -> None:
        """An emission begins."""
        account = self._account(frequency_hz)
        if account is not None:
            account.book(airtime_us, now_us)

    def _account(self, frequency_hz: int) -> Account | None:
        band = self._band(frequency_hz) if self.accounts else None
        return None if band is None else self.accounts.get(band)

    def _band(self, frequency_hz: int) -> SubBand | None:
        if self.regulation is None:
            return None
        try:
            return self.regulation.sub_band(frequency_hz)
        except UnknownError:
            return None
