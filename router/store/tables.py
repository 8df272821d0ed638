"""The tables. A column bears the name of the field it keeps; values are parsed into domain records on the way out."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite keeps none, so there it is microseconds since 1970, which also sort as numbers."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return round(value.timestamp() * 1_000_000)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value  # type: ignore[no-any-return]
        return datetime.fromtimestamp(value // 1_000_000, UTC).replace(microsecond=value % 1_000_000)


Json = JSON().with_variant(JSONB(), "postgresql")
KEY = String(40)
E164 = String(20)


def _id(name: str = "id", length: int = 40) -> Column[str]:
    return Column(name, String(length), primary_key=True)


def _moment(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, Moment, nullable=nullable)


destination = Table(
    "destination",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("steps", Json, nullable=False),
    Column("send_client_id", Boolean, nullable=False),
    Column("send_source", Boolean, nullable=False),
    Column("dtmf_transfer", Boolean, nullable=False),
    _moment("created_at"),
)

site = Table(
    "site",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("origins", Json, nullable=False),
    Column("destination_id", KEY, ForeignKey("destination.id")),
    Column("region", String(2), nullable=False),
    Column("exclude", Text, nullable=False),
    Column("contacts", Text, nullable=False),
    Column("consent", Boolean, nullable=False),
    Column("certainty", Float, nullable=False),
    Column("source_rules", Json, nullable=False),
    Column("mail", Text, nullable=False),
    _moment("created_at"),
)

pool = Table(
    "pool",
    metadata,
    _id(),
    Column("site_id", KEY, ForeignKey("site.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("destination_id", KEY, ForeignKey("destination.id")),
    Column("hold_seconds", Integer, nullable=False),
    Column("freeze_seconds", Integer, nullable=False),
    Column("replaces", Json, nullable=False),
    Column("selector", Text, nullable=False),
    Column("on_request", Boolean, nullable=False),
    Column("regions", Json, nullable=False),
    Column("free_after_call", Boolean, nullable=False),
    Column("leases_per_hour", Integer),
    _moment("created_at"),
)

number = Table(
    "number",
    metadata,
    _id("e164", 20),
    Column("site_id", KEY, ForeignKey("site.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("pool_id", KEY, ForeignKey("pool.id")),
    Column("destination_id", KEY, ForeignKey("destination.id")),
    Column("channel", Text),
    Column("strays", Integer, nullable=False),
    _moment("free_at"),
    _moment("created_at"),
    Index(None, "pool_id", "free_at"),
)

visitor = Table(
    "visitor",
    metadata,
    _id(),
    Column("site_id", KEY, ForeignKey("site.id"), nullable=False),
    Column("ga_client_id", String(64)),
    Column("ga_session_id", String(64)),
    Column("ym_client_id", String(64)),
    _moment("created_at"),
)

visit = Table(
    "visit",
    metadata,
    _id(),
    Column("visitor_id", KEY, ForeignKey("visitor.id"), nullable=False, index=True),
    _moment("started_at"),
    _moment("seen_at", nullable=True),
    *(Column(name, Text) for name in ("landing", "referrer", "source", "medium", "campaign", "term", "content")),
    Column("channel", Text),
    Column("click_ids", Json, nullable=False),
    Column("ga_session_id", String(64)),
    Column("code", String(12), index=True),
    Column("device", String(10)),
    *(Column(name, Text) for name in ("browser", "system")),
    Column("country", String(2)),
    *(Column(name, Text) for name in ("region", "city")),
    Column("parameters", Json, nullable=False),
)

page_view = Table(
    "page_view",
    metadata,
    _id(),
    Column("visit_id", KEY, ForeignKey("visit.id"), nullable=False, index=True),
    _moment("at"),
    Column("path", Text, nullable=False),
)

tap = Table(
    "tap",
    metadata,
    _id(),
    Column("visit_id", KEY, ForeignKey("visit.id"), nullable=False, index=True),
    Column("number", E164, nullable=False),
    _moment("at"),
    Index(None, "number", "at"),
)

form = Table(
    "form",
    metadata,
    _id(),
    Column("visit_id", KEY, ForeignKey("visit.id"), nullable=False),
    Column("phone", E164, nullable=False),
    _moment("at"),
    Index(None, "phone", "at"),
)

showing = Table(
    "showing",
    metadata,
    _id(),
    Column("visit_id", KEY, ForeignKey("visit.id")),
    Column("pool_id", KEY, nullable=False),
    Column("rung", String(10), nullable=False),
    Column("reason", String(12), nullable=False),
    Column("number", E164),
    _moment("at"),
    Index(None, "pool_id", "at"),
)

# Leases outlive the numbers and pools they were taken from, so they name them without a foreign key.
lease = Table(
    "lease",
    metadata,
    _id(),
    Column("number", E164, nullable=False),
    Column("pool_id", KEY, nullable=False),
    Column("visitor_id", KEY, ForeignKey("visitor.id"), nullable=False),
    Column("visit_id", KEY, ForeignKey("visit.id"), nullable=False),
    _moment("started_at"),
    _moment("seen_at"),
    _moment("frozen_at"),
    _moment("ends_at"),
    Index(None, "number", "started_at"),
    Index(None, "visitor_id", "started_at"),
    Index(None, "pool_id", "started_at"),
)

call = Table(
    "call",
    metadata,
    _id(length=64),
    Column("did", String(40), nullable=False),
    Column("trunk", String(64), nullable=False),
    Column("number", E164),
    Column("site_id", KEY),
    Column("caller", E164),
    Column("caller_raw", Text, nullable=False),
    Column("caller_name", Text, nullable=False),
    _moment("arrived_at"),
    _moment("answered_at", nullable=True),
    _moment("ended_at", nullable=True),
    Column("state", String(10), nullable=False),
    Column("disposition", String(12)),
    Column("ending", String(20)),
    Column("wait_seconds", Float, nullable=False),
    Column("talk_seconds", Float, nullable=False),
    Column("hold_seconds", Float, nullable=False),
    Column("destination_id", KEY),
    Column("answered_by", Text),
    Column("routed_by", String(10)),
    Column("transfers", Json, nullable=False),
    Column("legs", Json, nullable=False),
    Column("spool_name", String(80)),
    Column("verdict", String(12)),
    Column("probability", Float),
    Column("suspects", Json, nullable=False),
    Column("lease_id", KEY),
    Column("visitor_id", KEY),
    Column("visit_id", KEY),
    *(Column(name, Text) for name in ("source", "channel")),
    Column("code", String(12)),
    *(Column(name, Text) for name in ("caller_region", "caller_operator")),
    Column("revision", BigInteger, nullable=False),
    Index(None, "arrived_at", "id"),
    Index(None, "revision"),
    Index(None, "number", "arrived_at"),
    Index(None, "caller", "arrived_at"),
)

tag = Table(
    "tag",
    metadata,
    Column("call_id", String(64), ForeignKey("call.id"), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("author", String(64), nullable=False),
    _moment("at"),
    Index(None, "name", "call_id"),
)

recording = Table(
    "recording",
    metadata,
    Column("call_id", String(64), ForeignKey("call.id"), primary_key=True),
    Column("spool_name", String(80), nullable=False),
    Column("state", String(10), nullable=False),
    Column("expected_seconds", Float, nullable=False),
    _moment("due_at"),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text),
    Column("key", Text),
    Column("content_type", String(40)),
    Column("bytes", BigInteger),
    Column("sha256", String(64)),
    Column("seconds", Float),
    Column("caller_speech_seconds", Float),
    Column("caller_silence_seconds", Float),
    Column("company_speech_seconds", Float),
    Column("company_silence_seconds", Float),
    Column("talk_over_seconds", Float),
    Column("peaks", Json, nullable=False),
    Column("warnings", Json, nullable=False),
    _moment("shelved_at", nullable=True),
    Index(None, "state", "due_at"),
)

webhook = Table(
    "webhook",
    metadata,
    _id(),
    Column("url", Text, nullable=False),
    Column("site_id", KEY, ForeignKey("site.id")),
    Column("active", Boolean, nullable=False),
    _moment("created_at"),
)

# A site's mailbox, and how far it was read: one row a site.
mailbox = Table(
    "mailbox",
    metadata,
    Column("site_id", KEY, ForeignKey("site.id"), primary_key=True),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("security", String(10), nullable=False),
    Column("user", Text, nullable=False),
    Column("folder", Text, nullable=False),
    _moment("since"),
    Column("uidvalidity", BigInteger),
    Column("uid", BigInteger, nullable=False),
    _moment("due_at"),
    Column("failures", Integer, nullable=False),
    Column("error", Text),
)

mail_channel = Table(
    "mail_channel",
    metadata,
    _id(),
    Column("site_id", KEY, ForeignKey("site.id"), nullable=False),
    Column("tag", String(32), nullable=False),
    Column("channel", Text, nullable=False),
    _moment("created_at"),
    Index(None, "site_id", "tag", unique=True),
)

# Mail outlives the site and the mailbox it came to, as calls do.
mail = Table(
    "mail",
    metadata,
    _id(),
    Column("site_id", KEY, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("sender", Text),
    Column("address", Text, nullable=False),
    Column("tag", Text),
    Column("automatic", Boolean, nullable=False),
    _moment("arrived_at"),
    Column("verdict", String(12), nullable=False),
    Column("visitor_id", KEY, index=True),
    Column("visit_id", KEY),
    Column("channel", Text),
    Index(None, "site_id", "message_id", unique=True),
    Index(None, "arrived_at", "id"),
)

# What a site's own calls taught of its callers: one row a site, rewritten whole.
model = Table(
    "model",
    metadata,
    _id("site_id"),
    Column("learned_at", Moment, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("values", Json, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    _id(),
    Column("key", String(120), nullable=False),
    Column("receiver_id", KEY, nullable=False),
    Column("call_id", String(64), index=True),
    Column("kind", String(20), nullable=False),
    Column("payload", Json, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    _moment("due_at"),
    _moment("deadline_at"),
    _moment("created_at"),
    _moment("done_at", nullable=True),
    Column("last_error", Text),
    Column("receipt", Text),
    Index(None, "state", "due_at"),
    Index(None, "key", "receiver_id", unique=True),
)

token = Table(
    "token",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scopes", Json, nullable=False),
    _moment("created_at"),
)

person = Table(
    "person",
    metadata,
    _id("login", 64),
    Column("password_hash", Text, nullable=False),
    Column("role", String(20), nullable=False),
    _moment("created_at"),
)

# One row each: how far the journal was read, and the counters that pages and the agent watch.
cursor = Table(
    "cursor",
    metadata,
    _id("name"),
    Column("file", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
)

counter = Table(
    "counter",
    metadata,
    _id("name"),
    Column("value", BigInteger, nullable=False),
)

open_call = Table(
    "open_call",
    metadata,
    _id("linkedid", 64),
    Column("journal", KEY, nullable=False, index=True),
    Column("rows", Json, nullable=False),
)

on_hold = Table(
    "on_hold",
    metadata,
    Column("linkedid", String(64), primary_key=True),
    Column("channel", String(80), primary_key=True),
    Column("started_at", Moment, primary_key=True),
    _moment("ended_at", nullable=True),
)

rejected_row = Table(
    "rejected_row",
    metadata,
    Column("file", String(80), primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("text", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _moment("at"),
)
