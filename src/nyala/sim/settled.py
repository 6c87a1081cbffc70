"""A fleet that joined long ago: each session stands at both ends, at the data rate and the power where ADR ends.

It saves a study of a living network the thousands of frames of its first hour.  Before the world and its meters begin.
"""

from collections.abc import Sequence

from nyala.headend.registry import MeterRecord
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.state import Channel, activate
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.sessions import Session, Sessions, Settings
from nyala.sim.radio.profile import noise_dbm
from nyala.sim.radio.traffic import settled_link
from nyala.sim.world import World


def settle(
    world: World, sessions: Sessions, records: Sequence[MeterRecord], plan: NetworkPlan, gateways: Sequence[int]
) -> None:
    """Gives every meter its session; `gateways` are the EUIs in the order of the radio's links."""
    region, loss_db = plan.region, world.radio.links.loss_db
    noise = noise_dbm(world.radio.links.profile.gateway_noise_figure_db, 125)
    low, high = region.channel_data_rates
    for row, record in enumerate(records):
        root = sessions.root(record.dev_eui)
        snr_db = plan.max_eirp_dbm - loss_db[:, row] - noise
        link = settled_link(plan, round(float(snr_db.max()), 1))
        keys = (root.app_key.value, bytes(reversed(root.app_key.value)))
        there = activate(region, root.dev_addr, keys, link.data_rate)
        there.channels = {index: Channel(hz, low, high) for index, hz in enumerate(plan.uplink_channels_hz)}
        there.tx_power, there.max_eirp_dbm, there.uplink_dwell = link.tx_power, plan.max_eirp_dbm, plan.uplink_dwell
        there.rx2_data_rate, there.rx2_hz, there.rx_delay_s = plan.rx2_data_rate, plan.rx2_hz, plan.rx_delay_s
        twin = world.twins[row]
        twin.memory.device.activation = there
        twin.restore(twin.memory)
        settings = Settings(
            data_rate=link.data_rate,
            tx_power=link.tx_power,
            channels=tuple(range(len(plan.uplink_channels_hz))),
            rx2_data_rate=plan.rx2_data_rate,
            rx_delay_s=plan.rx_delay_s,
            uplink_dwell=plan.uplink_dwell,
            max_eirp_code=plan.max_eirp_code,
            tx_params_known=True,
            status_us=world.now_us(),
        )
        heard = sorted(((eui, float(snr)) for eui, snr in zip(gateways, snr_db, strict=True)), key=lambda way: -way[1])
        sessions.start(
            Session(
                dev_eui=record.dev_eui,
                dev_addr=root.dev_addr,
                nwk_s_key=AesKey(keys[0]),
                app_s_key=AesKey(keys[1]),
                settings=settings,
                class_c=root.class_c,
                heard=True,
                heard_by=tuple(heard),
                adr=True,
            )
        )
