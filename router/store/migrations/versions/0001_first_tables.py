"""The first tables, and the two counters that everything newer counts on."""

import sqlalchemy as sa
from alembic import op

from router.store import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("did", sa.String(length=40), nullable=False),
        sa.Column("trunk", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=True),
        sa.Column("site_id", sa.String(length=40), nullable=True),
        sa.Column("caller", sa.String(length=20), nullable=True),
        sa.Column("caller_raw", sa.Text(), nullable=False),
        sa.Column("caller_name", sa.Text(), nullable=False),
        sa.Column("arrived_at", tables.Moment(timezone=True), nullable=False),
        sa.Column("answered_at", tables.Moment(timezone=True), nullable=True),
        sa.Column("ended_at", tables.Moment(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("disposition", sa.String(length=12), nullable=True),
        sa.Column("ending", sa.String(length=20), nullable=True),
        sa.Column("wait_seconds", sa.Float(), nullable=False),
        sa.Column("talk_seconds", sa.Float(), nullable=False),
        sa.Column("hold_seconds", sa.Float(), nullable=False),
        sa.Column("destination_id", sa.String(length=40), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("routed_by", sa.String(length=10), nullable=True),
        sa.Column("transfers", tables.Json, nullable=False),
        sa.Column("legs", tables.Json, nullable=False),
        sa.Column("spool_name", sa.String(length=80), nullable=True),
        sa.Column("verdict", sa.String(length=12), nullable=True),
        sa.Column("lease_id", sa.String(length=40), nullable=True),
        sa.Column("visitor_id", sa.String(length=40), nullable=True),
        sa.Column("visit_id", sa.String(length=40), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_arrived_at_id"), ["arrived_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_caller_arrived_at"), ["caller", "arrived_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_number_arrived_at"), ["number", "arrived_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_revision"), ["revision"], unique=False)

    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "cursor",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursor")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("receiver_id", sa.String(length=40), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("payload", tables.Json, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", tables.Moment(timezone=True), nullable=False),
        sa.Column("deadline_at", tables.Moment(timezone=True), nullable=False),
        sa.Column("created_at", tables.Moment(timezone=True), nullable=False),
        sa.Column("done_at", tables.Moment(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivery_key_receiver_id"), ["key", "receiver_id"], unique=True)
        batch_op.create_index(batch_op.f("ix_delivery_state_due_at"), ["state", "due_at"], unique=False)

    op.create_table(
        "destination",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("steps", tables.Json, nullable=False),
        sa.Column("send_client_id", sa.Boolean(), nullable=False),
        sa.Column("send_source", sa.Boolean(), nullable=False),
        sa.Column("dtmf_transfer", sa.Boolean(), nullable=False),
        sa.Column("created_at", tables.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destination")),
    )
    op.create_table(
        "on_hold",
        sa.Column("linkedid", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("started_at", tables.Moment(timezone=True), nullable=False),
        sa.Column("ended_at", tables.Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("linkedid", "channel", "started_at", name=op.f("pk_on_hold")),
    )
    op.create_table(
        "open_call",
        sa.Column("linkedid", sa.String(length=64), nullable=False),
        sa.Column("journal", sa.String(length=40), nullable=False),
        sa.Column("rows", tables.Json, nullable=False),
        sa.PrimaryKeyConstraint("linkedid", name=op.f("pk_open_call")),
    )
    with op.batch_alter_table("open_call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_open_call_journal"), ["journal"], unique=False)

    op.create_table(
        "person",
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", tables.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_person")),
    )
    op.create_table(
        "rejected_row",
        sa.Column("file", sa.String(length=80), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", tables.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("file", "offset", name=op.f("pk_rejected_row")),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", tables.Json, nullable=False),
        sa.Column("created_at", tables.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
    )
    op.create_table(
        "recording",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("spool_name", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("expected_seconds", sa.Float(), nullable=False),
        sa.Column("due_at", tables.Moment(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("content_type", sa.String(length=40), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("caller_speech_seconds", sa.Float(), nullable=True),
        sa.Column("caller_silence_seconds", sa.Float(), nullable=True),
        sa.Column("company_speech_seconds", sa.Float(), nullable=True),
        sa.Column("company_silence_seconds", sa.Float(), nullable=True),
        sa.Column("talk_over_seconds", sa.Float(), nullable=True),
        sa.Column("peaks", tables.Json, nullable=False),
        sa.Column("warnings", tables.Json, nullable=False),
        sa.Column("shelved_at", tables.Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_recording_call_id")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_recording")),
    )
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recording_state_due_at"), ["state", "due_at"], unique=False)

    op.create_table(
        "site",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("origins", tables.Json, nullable=False),
        sa.Column("destination_id", sa.String(length=40), nullable=True),
        sa.Column("region", sa.String(length=2), nullable=False),
        sa.Column("created_at", tables.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["destination_id"], ["destination.id"], name=op.f("fk_site_destination_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
    )
    op.create_table(
        "tag",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", tables.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_tag_call_id")),
        sa.PrimaryKeyConstraint("call_id", "name", name=op.f("pk_tag")),
    )
    with op.batch_alter_table("tag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tag_name_call_id"), ["name", "call_id"], unique=False)

    op.create_table(
        "pool",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("destination_id", sa.String(length=40), nullable=True),
        sa.Column("hold_seconds", sa.Integer(), nullable=False),
        sa.Column("freeze_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", tables.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["destination_id"], ["destination.id"], name=op.f("fk_pool_destination_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_pool_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool")),
    )
    op.create_table(
        "visitor",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("ga_client_id", sa.String(length=64), nullable=True),
        sa.Column("ga_session_id", sa.String(length=64), nullable=True),
        sa.Column("ym_client_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", tables.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_visitor_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitor")),
    )
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", tables.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_webhook_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "number",
        sa.Column("e164", sa.String(length=20), nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("pool_id", sa.String(length=40), nullable=True),
        sa.Column("destination_id", sa.String(length=40), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("free_at", tables.Moment(timezone=True), nullable=False),
        sa.Column("created_at", tables.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["destination_id"], ["destination.id"], name=op.f("fk_number_destination_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_number_pool_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_number_site_id")),
        sa.PrimaryKeyConstraint("e164", name=op.f("pk_number")),
    )
    with op.batch_alter_table("number", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_number_pool_id_free_at"), ["pool_id", "free_at"], unique=False)

    op.create_table(
        "visit",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("visitor_id", sa.String(length=40), nullable=False),
        sa.Column("started_at", tables.Moment(timezone=True), nullable=False),
        sa.Column("landing", sa.Text(), nullable=True),
        sa.Column("referrer", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("medium", sa.Text(), nullable=True),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("term", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("click_ids", tables.Json, nullable=False),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitor.id"], name=op.f("fk_visit_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
    )
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visit_visitor_id"), ["visitor_id"], unique=False)

    op.create_table(
        "lease",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("pool_id", sa.String(length=40), nullable=False),
        sa.Column("visitor_id", sa.String(length=40), nullable=False),
        sa.Column("visit_id", sa.String(length=40), nullable=False),
        sa.Column("started_at", tables.Moment(timezone=True), nullable=False),
        sa.Column("frozen_at", tables.Moment(timezone=True), nullable=False),
        sa.Column("ends_at", tables.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_lease_visit_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitor.id"], name=op.f("fk_lease_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lease")),
    )
    with op.batch_alter_table("lease", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lease_number_started_at"), ["number", "started_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_lease_visitor_id_started_at"), ["visitor_id", "started_at"], unique=False)
    counters = sa.table("counter", sa.column("name", sa.String), sa.column("value", sa.BigInteger))
    op.bulk_insert(counters, [{"name": "calls", "value": 0}, {"name": "configuration", "value": 0}])


def downgrade() -> None:
    with op.batch_alter_table("lease", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lease_visitor_id_started_at"))
        batch_op.drop_index(batch_op.f("ix_lease_number_started_at"))

    op.drop_table("lease")
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_visit_visitor_id"))

    op.drop_table("visit")
    with op.batch_alter_table("number", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_number_pool_id_free_at"))

    op.drop_table("number")
    op.drop_table("webhook")
    op.drop_table("visitor")
    op.drop_table("pool")
    with op.batch_alter_table("tag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tag_name_call_id"))

    op.drop_table("tag")
    op.drop_table("site")
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recording_state_due_at"))

    op.drop_table("recording")
    op.drop_table("token")
    op.drop_table("rejected_row")
    op.drop_table("person")
    op.drop_table("open_call")
    op.drop_table("on_hold")
    op.drop_table("destination")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_state_due_at"))
        batch_op.drop_index(batch_op.f("ix_delivery_key_receiver_id"))
        batch_op.drop_index(batch_op.f("ix_delivery_call_id"))

    op.drop_table("delivery")
    op.drop_table("cursor")
    op.drop_table("counter")
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_call_revision"))
        batch_op.drop_index(batch_op.f("ix_call_number_arrived_at"))
        batch_op.drop_index(batch_op.f("ix_call_caller_arrived_at"))
        batch_op.drop_index(batch_op.f("ix_call_arrived_at_id"))

    op.drop_table("call")
