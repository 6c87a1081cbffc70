"""A setting that goes to many meters as one block: one version for all of them, wanted of each.  Pure but for the shadows.

It is wanted before it leaves, so that what a meter reports meanwhile is no drift; whoever the block did not reach is repaired
as any other drift is, alone (`configuration`).
"""

from collections.abc import Iterable
from dataclasses import replace

from nyala.headend.configuration import Configuration
from nyala.headend.registry import ConfigShadow, Registry
from nyala.vocab.settings import VERSION_MAX, Setting, SettingBlock


def next_version(registry: Registry, meter_ids: Iterable[int], kind: Setting) -> int:
    """A version that is new to all of these meters."""
    shadows = [registry.state(meter_id).config.get(kind, ConfigShadow()) for meter_id in meter_ids]
    return max((max(each.newest, each.version, each.reported_version) for each in shadows), default=0) % VERSION_MAX + 1


def want_all(
    registry: Registry,
    configuration: Configuration,
    meter_ids: Iterable[int],
    want: tuple[Setting, SettingBlock, str],
    now_us: int,
) -> None:
    """Wants (kind, block, by) of these meters; each is asked what it has before anything is sent to it alone."""
    kind, block, by = want
    for meter_id in meter_ids:
        config, version = registry.touch(meter_id).config, block.version
        shadow = replace(config.get(kind, ConfigShadow()), version=version, newest=version, wanted=block.body, by=by)
        config[kind] = replace(shadow, wanted_us=now_us, refused="", was_in_step=False)
        configuration.ask(meter_id, now_us)
