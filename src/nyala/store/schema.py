"""The tables.  One schema for SQLite (default) and PostgreSQL (production).

Conventions: instants are BIGINT, `_us` microseconds or `_s` seconds UTC; days are UTC day numbers; EUIs are 16 hex digits;
energy is BIGINT of whole Wh; money is text of a decimal number.  Rows of readings, journal and history are never changed
except where a comment says so.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite makes a row id only of INTEGER."""
_WITHOUT_ROWID: Final[dict[str, Any]] = {"sqlite_with_rowid": False}

tenant = Table(
    "tenant",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
)

user = Table(
    "user_account",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("name", String(64), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(32), nullable=False),
    Column("language", String(8), nullable=False),
    Column("created_s", BigInteger, nullable=False),
)

login = Table(
    "login",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", ForeignKey("user_account.id"), nullable=False),
    Column("created_s", BigInteger, nullable=False),
    Column("expires_s", BigInteger, nullable=False),
)

meter = Table(
    "meter",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("serial", String(32), nullable=False, unique=True),
    Column("model", String(32), nullable=False),
    Column("customer", String(120), nullable=False),
    Column("site", String(120), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("period_s", Integer, nullable=False),
    Column("report_s", Integer, nullable=False),
    Column("installed_s", BigInteger, nullable=False),
    Column("tariff", String(64), nullable=False),
    Column("contracted_va", Integer, nullable=False),
    Column("ct_primary", Integer, nullable=False),
    Column("ct_secondary", Integer, nullable=False),
    Column("feeder", String(120), nullable=False, server_default=""),
    Index("ix_meter_tenant_serial", "tenant_id", "serial"),
)

lorawan_device = Table(
    "lorawan_device",
    metadata,
    Column("meter_id", ForeignKey("meter.id"), primary_key=True, autoincrement=False),
    Column("dev_eui", String(16), nullable=False, unique=True),
    Column("join_eui", String(16), nullable=False),
    Column("app_key", LargeBinary, nullable=False),  # wrapped: `keys`
    Column("dev_addr", BigInteger, nullable=False, unique=True),
    Column("class_c", Boolean, nullable=False),
    Column("dev_nonce", Integer, nullable=False),  # rises, until it is re-admitted
    Column("join_nonce", Integer, nullable=False),  # rises
    Column("lorawan_version", String(8), nullable=False),
    Column("joined_us", BigInteger),
    Column("refused_us", BigInteger),  # since when it needs re-admission
    Column("refused_nonce", Integer),
    Column("used_nonces", LargeBinary),  # of 1.0.3: two bytes each
)

readmission = Table(
    "lorawan_readmission",
    metadata,
    Column("dev_eui", String(16), primary_key=True),
    Column("at_us", BigInteger, primary_key=True, autoincrement=False),
    Column("admitted_by", String(64), nullable=False),
    Column("dev_nonce", Integer, nullable=False),  # the last one used before
    Column("refused_nonce", Integer),
    Column("order_key", String(80)),
)

lorawan_session = Table(
    "lorawan_session",
    metadata,
    Column("dev_eui", String(16), primary_key=True),
    Column("dev_addr", BigInteger, nullable=False),
    Column("nwk_s_key", LargeBinary, nullable=False),  # wrapped, as the next
    Column("app_s_key", LargeBinary, nullable=False),
    Column("f_cnt_up", BigInteger, nullable=False),  # rises within a session
    Column("f_cnt_down", BigInteger, nullable=False),  # rises within a session
    Column("heard", Boolean, nullable=False),
    Column("settings", Text, nullable=False),
    Column("heard_by", Text, nullable=False),  # gateways of the last uplink, best first
)

uplink_journal = Table(
    "uplink_journal",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("received_us", BigInteger, nullable=False),
    Column("source", String(16), nullable=False),  # EUI of the gateway, or of the device for a telegram without a frame
    Column("port", SmallInteger),  # null: a radio frame; else a telegram on this FPort
    Column("payload", LargeBinary, nullable=False),  # PHYPayload, or the telegram
    Column("radio", LargeBinary, nullable=False),
)

journal_mark = Table(
    "journal_mark",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("worked_off", BigInteger, nullable=False),  # rises
)

gateway = Table(
    "gateway",
    metadata,
    Column("eui", String(16), primary_key=True),
    Column("first_seen_us", BigInteger, nullable=False),
    Column("last_seen_us", BigInteger, nullable=False),
    Column("frames", BigInteger, nullable=False),
)

meter_state = Table(
    "meter_state",
    metadata,
    Column("meter_id", ForeignKey("meter.id"), primary_key=True, autoincrement=False),
    Column("last_heard_us", BigInteger, nullable=False),
    Column("complete_to", BigInteger, nullable=False),
    Column("switch_state", SmallInteger),
    Column("p_w", BigInteger),
    Column("import_wh", BigInteger),
    Column("shadow", LargeBinary, nullable=False),  # the whole MeterState
    Index("ix_meter_state_last_heard_us", "last_heard_us"),
)

_load_day_columns: Final = (
    ("period_s", Integer, False),
    ("open_wh", BigInteger, True),
    ("close_wh", BigInteger, True),
    ("intervals", LargeBinary, False),
    ("qualities", LargeBinary, False),
)

load_day = Table(
    "load_day",
    metadata,
    Column("meter_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("channel", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    *(Column(name, kind, nullable=nullable) for name, kind, nullable in _load_day_columns),
    Column("energy_wh", BigInteger, nullable=False),  # sum of the values
    Column("missing", Integer, nullable=False),
    Column("estimated", Integer, nullable=False),
    Index("ix_load_day_day_channel", "day", "channel", "period_s", "energy_wh", "missing", "estimated"),
    **_WITHOUT_ROWID,
)

load_day_history = Table(
    "load_day_history",
    metadata,
    Column("meter_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("channel", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    *(Column(name, kind, nullable=nullable) for name, kind, nullable in _load_day_columns),
    **_WITHOUT_ROWID,
)

register_reading = Table(
    "register_reading",
    metadata,
    Column("meter_id", BigInteger, primary_key=True, autoincrement=False),
    Column("quantity", SmallInteger, primary_key=True, autoincrement=False),
    Column("at_s", BigInteger, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
    **_WITHOUT_ROWID,
)

meter_event = Table(
    "meter_event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("meter_id", BigInteger, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    Column("code", SmallInteger, nullable=False),
    Column("detail", BigInteger, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    UniqueConstraint("meter_id", "at_s", "code", "number"),
)

_on: Final[dict[str, Any]] = {f"{dialect}_where": text("cleared_s IS NULL") for dialect in ("sqlite", "postgresql")}
_open: Final[dict[str, Any]] = {f"{dialect}_where": text("acknowledged_us IS NULL") for dialect in ("sqlite", "postgresql")}
"""An index over the few rows that most questions are about."""

meter_alarm = Table(
    "meter_alarm",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("meter_id", ForeignKey("meter.id"), nullable=False),
    Column("alarm", SmallInteger, nullable=False),  # bit
    Column("raised_s", BigInteger, nullable=False),  # clock of the meter, as cleared_s; set right once, by a late event
    Column("value", BigInteger),  # what the event said; null: only a state showed it
    Column("source", String(8), nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("cleared_s", BigInteger),  # null: it is on; falls where an earlier end becomes known
    Column("acknowledged_us", BigInteger),  # set once, with the three below
    Column("acknowledged_by", String(64)),
    Column("note", Text),
    Column("acknowledge_key", String(80), unique=True),
    UniqueConstraint("meter_id", "alarm", "raised_s"),
    Index("ix_meter_alarm_meter", "meter_id", "raised_s", "id"),
    Index("ix_meter_alarm_tenant", "tenant_id", "raised_s", "id"),
    Index("ix_meter_alarm_on", "tenant_id", "raised_s", "id", "alarm", **_on),
    Index("ix_meter_alarm_open", "tenant_id", "raised_s", "id", "alarm", **_open),
)

command = Table(
    "command",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("meter_id", ForeignKey("meter.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("idempotency_key", String(80), unique=True),
    Column("attempts", Integer, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("quantities", Text, nullable=False),
    Index("ix_command_meter_id_id", "meter_id", "id"),
    Index("ix_command_state", "state"),
)

command_step = Table(
    "command_step",
    metadata,
    Column("id", Id, primary_key=True),
    Column("command_id", ForeignKey("command.id"), nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("text", Text, nullable=False),
)

multicast_group = Table(
    "multicast_group",
    metadata,
    Column("mc_addr", String(8), primary_key=True),  # used once: its counter begins once
    Column("nwk_s_key", LargeBinary, nullable=False),  # wrapped
    Column("app_s_key", LargeBinary, nullable=False),
    Column("frequency_hz", BigInteger, nullable=False),
    Column("data_rate", SmallInteger, nullable=False),
    Column("f_cnt", BigInteger, nullable=False),  # the next one; rises
    Column("ended", Boolean, nullable=False),
    Column("members", Text, nullable=False),  # DevEUIs, separated by blanks
)

campaign = Table(
    "campaign",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("mc_addr", String(8), nullable=False, unique=True),
    Column("mc_key", LargeBinary, nullable=False),  # wrapped
    Column("state", String(16), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("block", LargeBinary, nullable=False),
    Column("plan", Text, nullable=False),  # JSON, without block and key
    Column("devices", Text, nullable=False),  # DevEUIs
    Column("report", Text, nullable=False),  # JSON
    Column("tenant_id", ForeignKey("tenant.id"), index=True),  # null: of before there were tenants of campaigns
    Column("said", Text, nullable=False),  # JSON: what was ordered, and who approved
    Column("idempotency_key", String(80), unique=True),
)

tariff = Table(
    "tariff",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("code", String(64), nullable=False),
    Column("loaded_s", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    UniqueConstraint("tenant_id", "code", "loaded_s"),
)

bill = Table(
    "bill",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("meter_id", ForeignKey("meter.id"), nullable=False),
    Column("month", String(7), nullable=False),
    Column("version", Integer, nullable=False),
    Column("tariff_id", ForeignKey("tariff.id"), nullable=False),
    Column("created_s", BigInteger, nullable=False),
    Column("total", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("energy_wh", BigInteger, nullable=False),
    Column("estimated_wh", BigInteger, nullable=False),
    Column("document", Text, nullable=False),  # the whole bill as JSON
    UniqueConstraint("meter_id", "month", "version"),
    Index("ix_bill_tenant_month", "tenant_id", "month", "id"),
)
