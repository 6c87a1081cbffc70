"""Over-the-air activation, the device's side: requests with back-off, and what an accept makes.  TS001-1.0.4 sections 6.2, 7.

The data rate falls with each attempt from the highest that may join to the lowest, and begins again; the pause after an
attempt keeps the airtime of joining within `DUTY`.
"""

from random import Random
from typing import Final

from nyala.lorawan.crypto import AesKey, session_keys
from nyala.lorawan.device.law import Law
from nyala.lorawan.device.profile import DeviceProfile
from nyala.lorawan.device.state import Activation, Channel, DeviceMemory, Identity, activate
from nyala.lorawan.frame import JoinAccept, JoinRequest
from nyala.lorawan.region import Region
from nyala.vocab.errors import FrameError
from nyala.vocab.time import US_PER_S

DEV_NONCE_LIMIT: Final = 0x10000
DUTY: Final = ((3_600, 100), (39_600, 1_000), (None, 10_000))
"""Until this many seconds after the first request, one part in so many of airtime."""


class Joining:
    """The attempts of one activation."""

    def __init__(
        self,
        identity: Identity,
        region: Region,
        memory: DeviceMemory,
        random: Random,
        *,
        law: Law,
        profile: DeviceProfile,
    ) -> None:
        self.next_us: int | None = None
        """When the next request is due; None: not joining."""
        self._identity, self._region, self._memory = identity, region, memory
        self._law, self._profile = law, profile
        self._app_key, self._random = AesKey(identity.app_key), random
        self._started_us: int | None = None
        self._attempts = 0

    def start(self, at_us: int) -> None:
        """Begins at an instant."""
        self.next_us, self._started_us, self._attempts = at_us, None, 0

    @property
    def data_rate(self) -> int:
        """The data rate of the attempt under way."""
        low, high = self._region.join_data_rates
        return high - (self._attempts - 1) % (high - low + 1)

    @property
    def unanswered(self) -> bool:
        """All join data rates have been tried in vain."""
        low, high = self._region.join_data_rates
        return self._attempts > high - low

    def request(self, now_us: int) -> bytes | None:
        """The next request; its nonce is used up before it leaves.  None: all are, and joining has ended."""
        nonce = self._memory.dev_nonce
        if nonce >= DEV_NONCE_LIMIT:
            self.next_us = None
            return None
        self._memory.dev_nonce = nonce + 1
        if self._started_us is None:
            self._started_us = now_us
        self._attempts += 1
        return JoinRequest(self._identity.join_eui, self._identity.dev_eui, nonce).signed(self._app_key)

    def failed(self, airtime_us: int, now_us: int) -> None:
        """No accept came: plans the next attempt."""
        assert self._started_us is not None
        elapsed_s = (now_us - self._started_us) // US_PER_S
        parts = next(parts for until_s, parts in DUTY if until_s is None or elapsed_s < until_s)
        self.next_us = now_us + int(airtime_us * parts * self._random.uniform(1.0, 1.5))

    def accept(self, phy: bytes) -> Activation:
        """The session of a join accept; FrameError where it is not for us, or older than one that was taken."""
        accept = JoinAccept.decode(phy, self._app_key)
        memory, region = self._memory, self._region
        if accept.join_nonce <= memory.join_nonce:
            raise FrameError(f"JoinNonce {accept.join_nonce} is not above {memory.join_nonce}")
        memory.join_nonce = accept.join_nonce
        keys = session_keys(self._app_key, accept.join_nonce, accept.net_id, memory.dev_nonce - 1)
        activation = activate(region, accept.dev_addr, keys, self.data_rate)
        activation.uplink_dwell |= self._law.uplink_dwell
        if accept.dl_settings.rx1_dr_offset < len(region.rx1_data_rates[False][0]):
            activation.rx1_dr_offset = accept.dl_settings.rx1_dr_offset
        if accept.dl_settings.rx2_data_rate < len(region.data_rates):
            activation.rx2_data_rate = accept.dl_settings.rx2_data_rate
        activation.rx_delay_s = accept.rx_delay_s
        for index, hz in enumerate(accept.cf_list, start=len(region.default_channels_hz)):
            if hz and self._law.allows(hz) and len(activation.channels) < self._profile.channels_max:
                activation.channels[index] = Channel(hz, *region.channel_data_rates)
        self.next_us = None
        return activation
