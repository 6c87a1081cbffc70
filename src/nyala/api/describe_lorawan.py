"""From a device in the store to what a response says.  No I/O."""

from nyala.api.shapes.lorawan import HeardByOut, LorawanOut, LostOut, ReadmissionOut, SessionOut
from nyala.lorawan.mac_commands import MAX_EIRP_DBM
from nyala.lorawan.network.sessions import Settings
from nyala.lorawan.region import Region
from nyala.store.devices import Device
from nyala.vocab.identifiers import eui_text
from nyala.vocab.time import US_PER_S


def lorawan_out(device: Device, rssi_dbm: float | None, region: Region) -> LorawanOut:
    """The device of a meter; `rssi_dbm` of its last uplink at the best gateway."""
    lost = None
    if device.refused_us is not None and device.refused_nonce is not None:
        since_s = device.refused_us // US_PER_S
        lost = LostOut(since_s=since_s, refused_nonce=device.refused_nonce, dev_nonce=device.dev_nonce)
    return LorawanOut(
        dev_eui=eui_text(device.dev_eui),
        join_eui=eui_text(device.join_eui),
        dev_addr=f"{device.dev_addr:08x}",
        version=device.version,
        device_class="C" if device.class_c else "A",
        session=_session(device, region),
        heard_by=[HeardByOut(gateway=eui_text(gateway), snr_db=snr_db) for gateway, snr_db in device.heard_by],
        rssi_dbm=rssi_dbm,
        needs_readmission=lost,
        readmissions=[
            ReadmissionOut(at_s=r.at_us // US_PER_S, by=r.by, dev_nonce=r.dev_nonce, refused_nonce=r.refused_nonce)
            for r in device.readmissions
        ],
    )


def _session(device: Device, region: Region) -> SessionOut | None:
    if device.settings is None:
        return None
    settings = Settings(**device.settings)
    return SessionOut(
        joined_s=None if device.joined_us is None else device.joined_us // US_PER_S,
        f_cnt_up=device.f_cnt_up,
        f_cnt_down=device.f_cnt_down,
        data_rate=region.data_rate(settings.data_rate).text,
        eirp_dbm=region.eirp_dbm(settings.tx_power, MAX_EIRP_DBM[settings.max_eirp_code]),
        repeats=settings.nb_trans,
        battery=settings.battery,
        margin_db=settings.margin_db,
    )
