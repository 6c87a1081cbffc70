"""The first schema, frozen: meters, sessions, journal, load days, commands, tariffs, bills, users."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes every table."""
    op.create_table(
        "gateway",
        sa.Column("eui", sa.String(length=16), nullable=False),
        sa.Column("first_seen_us", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_us", sa.BigInteger(), nullable=False),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("eui", name=op.f("pk_gateway")),
    )
    op.create_table(
        "journal_mark",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("worked_off", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_mark")),
    )
    op.create_table(
        "load_day",
        sa.Column("meter_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("period_s", sa.Integer(), nullable=False),
        sa.Column("open_wh", sa.BigInteger(), nullable=True),
        sa.Column("close_wh", sa.BigInteger(), nullable=True),
        sa.Column("intervals", sa.LargeBinary(), nullable=False),
        sa.Column("qualities", sa.LargeBinary(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("estimated", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("meter_id", "day", "channel", name=op.f("pk_load_day")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_load_day_day_channel", "load_day", ["day", "channel", "period_s", "energy_wh", "missing", "estimated"], unique=False
    )
    op.create_table(
        "load_day_history",
        sa.Column("meter_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("period_s", sa.Integer(), nullable=False),
        sa.Column("open_wh", sa.BigInteger(), nullable=True),
        sa.Column("close_wh", sa.BigInteger(), nullable=True),
        sa.Column("intervals", sa.LargeBinary(), nullable=False),
        sa.Column("qualities", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("meter_id", "day", "channel", "version", name=op.f("pk_load_day_history")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lorawan_session",
        sa.Column("dev_eui", sa.String(length=16), nullable=False),
        sa.Column("dev_addr", sa.BigInteger(), nullable=False),
        sa.Column("nwk_s_key", sa.LargeBinary(), nullable=False),
        sa.Column("app_s_key", sa.LargeBinary(), nullable=False),
        sa.Column("f_cnt_up", sa.BigInteger(), nullable=False),
        sa.Column("f_cnt_down", sa.BigInteger(), nullable=False),
        sa.Column("heard", sa.Boolean(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("heard_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("dev_eui", name=op.f("pk_lorawan_session")),
    )
    op.create_table(
        "meter_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("meter_id", sa.BigInteger(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.SmallInteger(), nullable=False),
        sa.Column("detail", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_event")),
        sa.UniqueConstraint("meter_id", "at_s", "code", "number", name=op.f("uq_meter_event_meter_id_at_s_code_number")),
    )
    op.create_table(
        "register_reading",
        sa.Column("meter_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("quantity", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("at_s", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("meter_id", "quantity", "at_s", name=op.f("pk_register_reading")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("name", name=op.f("uq_tenant_name")),
    )
    op.create_table(
        "uplink_journal",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("port", sa.SmallInteger(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("radio", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_uplink_journal")),
    )
    op.create_table(
        "meter",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("serial", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=32), nullable=False),
        sa.Column("customer", sa.String(length=120), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("period_s", sa.Integer(), nullable=False),
        sa.Column("report_s", sa.Integer(), nullable=False),
        sa.Column("installed_s", sa.BigInteger(), nullable=False),
        sa.Column("tariff", sa.String(length=64), nullable=False),
        sa.Column("contracted_va", sa.Integer(), nullable=False),
        sa.Column("ct_primary", sa.Integer(), nullable=False),
        sa.Column("ct_secondary", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_meter_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter")),
        sa.UniqueConstraint("serial", name=op.f("uq_meter_serial")),
    )
    op.create_index("ix_meter_tenant_serial", "meter", ["tenant_id", "serial"], unique=False)
    op.create_table(
        "tariff",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("loaded_s", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_tariff_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tariff")),
        sa.UniqueConstraint("tenant_id", "code", "loaded_s", name=op.f("uq_tariff_tenant_id_code_loaded_s")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("created_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_user_account_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("name", name=op.f("uq_user_account_name")),
    )
    op.create_table(
        "bill",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("meter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tariff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_s", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("estimated_wh", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_bill_meter_id")),
        sa.ForeignKeyConstraint(["tariff_id"], ["tariff.id"], name=op.f("fk_bill_tariff_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_bill_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill")),
        sa.UniqueConstraint("meter_id", "month", "version", name=op.f("uq_bill_meter_id_month_version")),
    )
    op.create_index("ix_bill_tenant_month", "bill", ["tenant_id", "month", "id"], unique=False)
    op.create_table(
        "command",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("meter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=80), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_us", sa.BigInteger(), nullable=False),
        sa.Column("quantities", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_command_meter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_command_idempotency_key")),
    )
    op.create_index("ix_command_meter_id_id", "command", ["meter_id", "id"], unique=False)
    op.create_index("ix_command_state", "command", ["state"], unique=False)
    op.create_table(
        "login",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_s", sa.BigInteger(), nullable=False),
        sa.Column("expires_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_login_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_login")),
    )
    op.create_table(
        "lorawan_device",
        sa.Column("meter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("dev_eui", sa.String(length=16), nullable=False),
        sa.Column("join_eui", sa.String(length=16), nullable=False),
        sa.Column("app_key", sa.LargeBinary(), nullable=False),
        sa.Column("dev_addr", sa.BigInteger(), nullable=False),
        sa.Column("class_c", sa.Boolean(), nullable=False),
        sa.Column("dev_nonce", sa.Integer(), nullable=False),
        sa.Column("join_nonce", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_lorawan_device_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_lorawan_device")),
        sa.UniqueConstraint("dev_addr", name=op.f("uq_lorawan_device_dev_addr")),
        sa.UniqueConstraint("dev_eui", name=op.f("uq_lorawan_device_dev_eui")),
    )
    op.create_table(
        "meter_state",
        sa.Column("meter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("last_heard_us", sa.BigInteger(), nullable=False),
        sa.Column("complete_to", sa.BigInteger(), nullable=False),
        sa.Column("switch_state", sa.SmallInteger(), nullable=True),
        sa.Column("p_w", sa.BigInteger(), nullable=True),
        sa.Column("import_wh", sa.BigInteger(), nullable=True),
        sa.Column("shadow", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_meter_state_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_meter_state")),
    )
    op.create_index("ix_meter_state_last_heard_us", "meter_state", ["last_heard_us"], unique=False)
    op.create_table(
        "command_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("command_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["command_id"], ["command.id"], name=op.f("fk_command_step_command_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command_step")),
    )
    op.create_index(op.f("ix_command_step_command_id"), "command_step", ["command_id"], unique=False)
