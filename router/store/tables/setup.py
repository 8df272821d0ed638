"""What the administrator sets up."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, text

from router.store.tables.columns import KEY, Json, JsonOrNull, key, metadata, moment

destination = Table(
    "destination",
    metadata,
    key(),
    Column("name", Text, nullable=False),
    Column("steps", Json, nullable=False),
    Column("send_client_id", Boolean, nullable=False),
    Column("send_source", Boolean, nullable=False),
    Column("dtmf_transfer", Boolean, nullable=False),
    moment("created_at"),
)

site = Table(
    "site",
    metadata,
    key(),
    Column("name", Text, nullable=False),
    Column("origins", Json, nullable=False),
    Column("destination_id", KEY, ForeignKey("destination.id")),
    Column("region", String(2), nullable=False),
    Column("exclude", Text, nullable=False),
    Column("contacts", Text, nullable=False),
    Column("consent", Boolean, nullable=False),
    Column("certainty", Float, nullable=False),
    Column("source_rules", Json, nullable=False),
    Column("errand_hosts", Json, nullable=False, server_default=text("'[]'")),
    Column("mail", Text, nullable=False),
    Column("language", String(2), nullable=False, server_default=text("'en'")),
    moment("created_at"),
)

pool = Table(
    "pool",
    metadata,
    key(),
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
    moment("created_at"),
)

number = Table(
    "number",
    metadata,
    key("e164", 20),
    Column("site_id", KEY, ForeignKey("site.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("pool_id", KEY, ForeignKey("pool.id")),
    Column("destination_id", KEY, ForeignKey("destination.id")),
    Column("channel", Text),
    Column("unattributed_calls", Integer, nullable=False),
    moment("free_at"),
    moment("created_at"),
    Index(None, "pool_id", "free_at"),
)

webhook = Table(
    "webhook",
    metadata,
    key(),
    Column("url", Text, nullable=False),
    Column("site_id", KEY, ForeignKey("site.id")),
    Column("active", Boolean, nullable=False),
    moment("created_at"),
)

connection = Table(
    "connection",
    metadata,
    key(),
    Column("kind", String(20), nullable=False),
    Column("address", Text, nullable=False),
    Column("site_id", KEY, ForeignKey("site.id")),
    Column("mode", String(10), nullable=False),
    Column("rules", Json, nullable=False),
    Column("options", Json, nullable=False),
    Column("active", Boolean, nullable=False),
    moment("created_at"),
)

# Health of a receiver, shared by all processes.
receiver_health = Table(
    "receiver_health",
    metadata,
    key("receiver_id"),
    moment("next_at"),
    Column("failures", Integer, nullable=False),  # in a row
    Column("refusals", Integer, nullable=False, server_default=text("0")),  # in a row
    moment("paused_until"),
    Column("reason", JsonOrNull),
)

token = Table(
    "token",
    metadata,
    key(),
    Column("name", Text, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scopes", Json, nullable=False),
    moment("created_at"),
)

person = Table(
    "person",
    metadata,
    key("login", 64),
    Column("password_hash", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("employee", Text),
    moment("created_at"),
    Column("phone", Text, nullable=False, server_default=text("''")),
    Column("scopes", Json, nullable=False, server_default=text("'[]'")),
)

saved_view = Table(
    "saved_view",
    metadata,
    key(),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("columns", Json, nullable=False),
    Column("author", String(64), index=True),
    Column("shared", Boolean, nullable=False),
    Column("is_default", Boolean, nullable=False),
    moment("created_at"),
    moment("changed_at"),
)

login_session = Table(
    "login_session",
    metadata,
    key("digest", 64),
    Column("login", String(64), nullable=False, index=True),
    moment("created_at"),
    moment("expires_at"),
)
