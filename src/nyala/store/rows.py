"""Between the values of the rooms and the rows of the tables, both ways.  One pair of functions for each."""

from typing import Any, Final

import msgspec
from sqlalchemy import RowMapping

from nyala.headend.command_life import CommandState
from nyala.headend.commands import CommandRow, Kind
from nyala.headend.registry import MeterRecord, MeterState
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.network.port import AppUplink, Reception
from nyala.lorawan.network.sessions import HeardBy, Readmission, Root, SessionRow
from nyala.mdm.load_day import Key, LoadDayRow
from nyala.store.keys import KeyRing
from nyala.vocab.identifiers import eui_text
from nyala.vocab.quantities import Channel

Row = dict[str, Any]
_pack: Final = msgspec.msgpack.Encoder().encode
_json: Final = msgspec.json.Encoder().encode
_radio: Final = msgspec.msgpack.Decoder(tuple[int, int, float, float, int])
_bridge: Final = msgspec.msgpack.Decoder(tuple[str, int, float, float, int])
_shadow: Final = msgspec.msgpack.Decoder(MeterState)


def reception_row(reception: Reception) -> Row:
    """A journal row of a radio frame."""
    radio = (reception.frequency_hz, reception.data_rate, reception.rssi_dbm, reception.snr_db, reception.tmst_us)
    return {
        "seq": reception.journal,
        "received_us": reception.received_us,
        "source": eui_text(reception.gateway),
        "port": None,
        "payload": reception.phy,
        "radio": _pack(radio),
    }


def app_uplink_row(uplink: AppUplink) -> Row:
    """A journal row of a telegram without a radio frame of ours."""
    bridge = (uplink.via, uplink.data_rate, uplink.rssi_dbm, uplink.snr_db, uplink.gateways)
    return {
        "seq": uplink.journal,
        "received_us": uplink.received_us,
        "source": eui_text(uplink.dev_eui),
        "port": uplink.port,
        "payload": uplink.payload,
        "radio": _pack(bridge) if uplink.via else b"",
    }


def journal_entry(row: RowMapping) -> Reception | AppUplink:
    """What a journal row holds."""
    if row["port"] is not None:
        bridge = _bridge.decode(row["radio"]) if row["radio"] else ()
        return AppUplink(int(row["source"], 16), row["port"], row["payload"], row["received_us"], row["seq"], *bridge)
    frequency_hz, data_rate, rssi_dbm, snr_db, tmst_us = _radio.decode(row["radio"])
    return Reception(
        gateway=int(row["source"], 16),
        phy=row["payload"],
        received_us=row["received_us"],
        frequency_hz=frequency_hz,
        data_rate=data_rate,
        rssi_dbm=rssi_dbm,
        snr_db=snr_db,
        tmst_us=tmst_us,
        journal=row["seq"],
    )


def session_row(session: SessionRow, ring: KeyRing) -> Row:
    """A LoRaWAN session, its keys wrapped."""
    dev_eui = eui_text(session.dev_eui)
    return {
        "dev_eui": dev_eui,
        "dev_addr": session.dev_addr,
        "nwk_s_key": ring.wrap(session.nwk_s_key, "nwk_s_key", dev_eui),
        "app_s_key": ring.wrap(session.app_s_key, "app_s_key", dev_eui),
        "f_cnt_up": session.f_cnt_up,
        "f_cnt_down": session.f_cnt_down,
        "heard": session.heard,
        "settings": _json(session.settings).decode(),
        "heard_by": heard_by_text(session.heard_by),
    }


def heard_by_text(heard_by: HeardBy) -> str:
    """Gateways as `eui:snr`, separated by blanks."""
    return " ".join([f"{gateway:016x}:{snr_db}" for gateway, snr_db in heard_by])


def heard_by_of(text: str) -> HeardBy:
    """Gateways from their text."""
    pairs = (each.split(":") for each in text.split())
    return tuple((int(gateway, 16), float(snr_db)) for gateway, snr_db in pairs)


def session_of(row: RowMapping, ring: KeyRing) -> SessionRow:
    """A LoRaWAN session from its row."""
    dev_eui = row["dev_eui"]
    return SessionRow(
        int(dev_eui, 16),
        row["dev_addr"],
        ring.unwrap(row["nwk_s_key"], "nwk_s_key", dev_eui),
        ring.unwrap(row["app_s_key"], "app_s_key", dev_eui),
        row["f_cnt_up"],
        row["f_cnt_down"],
        row["heard"],
        msgspec.json.decode(row["settings"]),
        heard_by_of(row["heard_by"]),
    )


def root_row(root: Root) -> Row:
    """What the join server remembers of a device: parameters of an UPDATE."""
    return {
        "eui": eui_text(root.dev_eui),
        "nonce": root.dev_nonce,
        "given": root.join_nonce,
        "joined": root.joined_us,
        "refused": root.refused_us,
        "refused_with": root.refused_nonce,
        "used": root.used_nonces,
    }


def root_of(row: RowMapping, ring: KeyRing) -> Root:
    """A LoRaWAN device from its row."""
    return Root(
        dev_eui=int(row["dev_eui"], 16),
        join_eui=int(row["join_eui"], 16),
        app_key=AesKey(ring.unwrap(row["app_key"], "app_key", row["dev_eui"])),
        dev_addr=row["dev_addr"],
        class_c=row["class_c"],
        dev_nonce=row["dev_nonce"],
        join_nonce=row["join_nonce"],
        version=row["lorawan_version"],
        joined_us=row["joined_us"],
        refused_us=row["refused_us"],
        refused_nonce=row["refused_nonce"],
        used_nonces=bytes(row["used_nonces"] or b""),
    )


def readmission_row(dev_eui: int, readmission: Readmission) -> Row:
    """Somebody let a device join again."""
    return {
        "dev_eui": eui_text(dev_eui),
        "at_us": readmission.at_us,
        "admitted_by": readmission.by,
        "dev_nonce": readmission.dev_nonce,
        "refused_nonce": readmission.refused_nonce,
        "order_key": readmission.key,
    }


def readmission_of(row: RowMapping) -> Readmission:
    """A re-admission from its row."""
    return Readmission(row["at_us"], row["admitted_by"], row["dev_nonce"], row["refused_nonce"], row["order_key"])


def state_row(state: MeterState) -> Row:
    """The shadow of a meter; what lists sort and show has a column of its own."""
    register = state.registers.get("import_wh")
    return {
        "meter_id": state.meter_id,
        "last_heard_us": state.last_heard_us,
        "complete_to": state.complete_to,
        "switch_state": state.switch_state,
        "p_w": state.live.get("p_w"),
        "import_wh": None if register is None else register[0],
        "shadow": _pack(state),
    }


def state_of(row: RowMapping) -> MeterState:
    """The shadow of a meter from its row."""
    return _shadow.decode(row["shadow"])


def meter_of(row: RowMapping) -> MeterRecord:
    """A meter from its row joined with its LoRaWAN device."""
    return MeterRecord(
        id=row["id"],
        tenant_id=row["tenant_id"],
        serial=row["serial"],
        model=row["model"],
        dev_eui=int(row["dev_eui"], 16),
        zone=row["zone"],
        period_s=row["period_s"],
        report_s=row["report_s"],
        installed_s=row["installed_s"],
        customer=row["customer"],
        site=row["site"],
        tariff=row["tariff"],
        contracted_va=row["contracted_va"],
        ct_ratio=(row["ct_primary"], row["ct_secondary"]),
        feeder=row["feeder"],
    )


def history_row(day: LoadDayRow) -> Row:
    """A load day that was superseded."""
    return {
        "meter_id": day.key.meter_id,
        "day": day.key.day,
        "channel": int(day.key.channel),
        "version": day.version,
        "period_s": day.period_s,
        "open_wh": day.open_wh,
        "close_wh": day.close_wh,
        "intervals": day.values,
        "qualities": day.qualities,
    }


def load_day_row(day: LoadDayRow) -> Row:
    """A load day, with the sums that lists and fleet pages need."""
    return history_row(day) | {"energy_wh": day.energy_wh, "missing": day.missing, "estimated": day.estimated}


def load_day_of(row: RowMapping) -> LoadDayRow:
    """A load day from its row."""
    return LoadDayRow(
        key=Key(row["meter_id"], row["day"], Channel(row["channel"])),
        version=row["version"],
        period_s=row["period_s"],
        open_wh=row["open_wh"],
        close_wh=row["close_wh"],
        values=row["intervals"],
        qualities=row["qualities"],
    )


def command_row(command: CommandRow) -> Row:
    """A command."""
    return {
        "id": command.id,
        "meter_id": command.meter_id,
        "sequence": command.sequence,
        "kind": command.kind.value,
        "state": command.state.value,
        "created_us": command.created_us,
        "created_by": command.created_by,
        "reason": command.reason,
        "expires_us": command.expires_us,
        "updated_us": command.updated_us,
        "idempotency_key": command.key,
        "attempts": command.attempts,
        "next_us": command.next_us,
        "quantities": ",".join(command.quantities),
    }


def command_of(row: RowMapping) -> CommandRow:
    """A command from its row."""
    return CommandRow(
        id=row["id"],
        meter_id=row["meter_id"],
        sequence=row["sequence"],
        kind=Kind(row["kind"]),
        state=CommandState(row["state"]),
        created_us=row["created_us"],
        created_by=row["created_by"],
        reason=row["reason"],
        expires_us=row["expires_us"],
        updated_us=row["updated_us"],
        key=row["idempotency_key"],
        attempts=row["attempts"],
        next_us=row["next_us"],
        quantities=tuple(filter(None, row["quantities"].split(","))),
    )
