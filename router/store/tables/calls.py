"""Tables of calls, their data and deliveries."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
    text,
)

from router.store.tables.columns import (
    E164,
    KEY,
    Json,
    JsonOrNull,
    Moment,
    key,
    metadata,
    moment,
)

_WITH_CODE = text("code IS NOT NULL")

call = Table(
    "call",
    metadata,
    key(length=64),
    Column("direction", String(10), nullable=False, server_default=text("'incoming'")),
    Column("call_back_id", KEY),
    Column("answers_call_id", String(64)),
    Column("started_by", String(64)),
    Column("did", String(40), nullable=False),
    Column("trunk", String(64), nullable=False),
    Column("number", E164),
    Column("site_id", KEY),
    Column("caller", E164),
    Column("caller_raw", Text, nullable=False),
    Column("caller_name", Text, nullable=False),
    Column("withheld", Boolean, nullable=False, server_default=false()),
    Column("forwarded_to", Text),
    moment("arrived_at"),
    moment("answered_at", nullable=True),
    moment("ended_at", nullable=True),
    Column("state", String(10), nullable=False),
    Column("disposition", String(12)),
    Column("ending", String(20)),
    Column("wait_seconds", Float, nullable=False),
    Column("talk_seconds", Float, nullable=False),
    Column("hold_seconds", Float, nullable=False),
    Column("transfer_seconds", Float, nullable=False, server_default=text("0")),
    Column("destination_id", KEY),
    Column("answered_by", Text),
    Column("last_answered_by", Text),
    Column("routed_by", String(10)),
    Column("transfers", Json, nullable=False),
    Column("periods", Json, nullable=False, server_default=text("'[]'")),
    Column("legs", Json, nullable=False),
    Column("spool_name", String(80)),
    Column("clock_stepped", Boolean, nullable=False, server_default=false()),
    moment("steady_at", nullable=True),  # of missed callers: `RungCall`
    Column("verdict", String(12)),
    Column("probability", Float),
    Column("candidates", Json, nullable=False),
    Column("origins", Json, nullable=False),
    Column("lease_id", KEY),
    Column("visitor_id", KEY),
    Column("visit_id", KEY),
    *(Column(name, Text) for name in ("source", "channel")),
    Column("code", String(12)),
    *(Column(name, Text) for name in ("caller_region", "caller_operator")),
    Column("keys", Text, nullable=False, server_default=text("''")),
    Column("revision", BigInteger, nullable=False),
    Index(None, "arrived_at", "id"),
    Index(None, "revision"),
    Index(None, "number", "arrived_at"),
    Index(None, "caller", "arrived_at"),
    Index(None, "visitor_id", "arrived_at"),
    Index(None, "site_id", "arrived_at"),
    Index(None, "state", "arrived_at", "id"),
    Index(
        "ix_call_code", "arrived_at", "code", sqlite_where=_WITH_CODE, postgresql_where=_WITH_CODE
    ),
)

# What a call is found by (`router.domain.calls.search`). Migrations alone index its trigrams, for
# each database has its own way: SQLite the virtual table `call_search_index`, PostgreSQL an index
# over `ringtrace_trigrams(text || comments)`.
call_search = Table(
    "call_search",
    metadata,
    # SQLite's index names rows by it
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("call_id", String(64), nullable=False),
    moment("arrived_at"),
    Column("text", Text, nullable=False),
    # of what everyone may read; only if `text` says so, for `text` is in the index of the list
    Column("comments", Text, nullable=False, server_default=text("''")),
    Index(None, "call_id", unique=True),
    Index("ix_call_search_newest", "arrived_at", "call_id", "text"),
)

# What lists filter calls by, in the order of arrival, without the wide columns of a call. Rewritten
# with each change of the call (`router.store.call_facets`). Unknown texts are empty.
call_facet = Table(
    "call_facet",
    metadata,
    Column("arrived_at", Moment, primary_key=True),
    Column("call_id", String(64), primary_key=True),
    *(
        Column(name, Text, nullable=False)
        for name in (
            "site_id",
            "number",
            "caller",
            "visitor_id",
            "state",
            "ending",
            "verdict",
            "source",
            "campaign",
            "term",
            "channel",
            "destination_id",
            "answered_by",
            "last_answered_by",
        )
    ),
    Column("scored", Text, nullable=False, server_default=text("''")),
    *(
        Column(name, Float)
        for name in ("wait", "talk", "silence", "talk_over", "probability", "score")
    ),
    *(
        Column(name, Boolean, nullable=False)
        for name in ("first", "reviewed", "recorded", "commented")
    ),
    Column("direction", Text, nullable=False, server_default=text("'incoming'")),
    *(
        Column(name, Boolean, nullable=False, server_default=false())
        for name in ("target", "spam", "to_review")
    ),
    Column("keys", Text, nullable=False, server_default=text("''")),
    Index("ix_call_facet_call_id", "call_id"),
    Index("ix_call_facet_site", "site_id", "arrived_at", "call_id", "verdict", "ending"),
    Index("ix_call_facet_ending", "ending", "arrived_at", "call_id", "site_id", "verdict"),
    Index("ix_call_facet_verdict", "verdict", "arrived_at", "call_id", "site_id", "ending"),
    *(
        Index(f"ix_call_facet_{name}", name, "arrived_at", "call_id")
        for name in (
            "number",
            "caller",
            "visitor_id",
            "state",
            "source",
            "campaign",
            "term",
            "scored",
            "channel",
            "answered_by",
            "last_answered_by",
        )
    ),
    Index("ix_call_facet_destination", "destination_id", "arrived_at", "call_id"),
    *(
        Index(f"ix_call_facet_by_{name}", name, "arrived_at", "call_id")
        for name in ("wait", "talk", "silence", "talk_over", "probability", "score")
    ),
    *(  # of calls that have it
        Index(
            f"ix_call_facet_{name}",
            "arrived_at",
            "call_id",
            name,
            sqlite_where=text(f"{name} IS 1"),
            postgresql_where=text(f"{name} IS true"),
        )
        for name in ("reviewed", "commented", "target", "spam", "to_review")
    ),
    sqlite_with_rowid=False,
)

tag = Table(
    "tag",
    metadata,
    Column("call_id", String(64), ForeignKey("call.id"), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("author", String(64), nullable=False),
    moment("at"),
    Column("at_seconds", Float),
    moment("arrived_at"),  # its call
    Index(None, "name", "arrived_at", "call_id"),
)

recording = Table(
    "recording",
    metadata,
    Column("call_id", String(64), ForeignKey("call.id"), primary_key=True),
    Column("spool_name", String(80), nullable=False),
    Column("state", String(10), nullable=False),
    Column("expected_seconds", Float, nullable=False),
    moment("due_at"),
    Column("attempts", Integer, nullable=False),
    Column("reason", JsonOrNull),
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
    *(Column(f"{side}_longest_silence_seconds", Float) for side in ("caller", "company")),
    *(Column(f"{side}_level_dbfs", Float) for side in ("caller", "company")),
    Column("shared_silence_seconds", Float),
    Column("spans", JsonOrNull),
    Column("peaks", Json, nullable=False),
    Column("warnings", Json, nullable=False),
    moment("stored_at", nullable=True),
    Index(None, "state", "due_at"),
    Column("links_revoked", Integer, nullable=False, server_default=text("0")),
)

delivery = Table(
    "delivery",
    metadata,
    key(),
    Column("key", String(120), nullable=False),
    Column("receiver_id", KEY, nullable=False),
    Column("call_id", String(64), index=True),
    Column("kind", String(20), nullable=False),
    Column("payload", Json, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    moment("due_at"),
    moment("deadline_at"),
    moment("created_at"),
    moment("done_at", nullable=True),
    Column("last_error", JsonOrNull),
    Column("receipt", JsonOrNull),
    Column("stream", String(80)),
    moment("event_at", nullable=True),
    moment("claimed_until", nullable=True),
    Column("revision", Integer, nullable=False),
    Column("candidates", Json, nullable=False),
    Column("chosen", Json),
    Index(None, "state", "receiver_id", "due_at"),
    Index(None, "receiver_id", "stream", "state", "event_at"),
    Index(None, "created_at"),
    Index(None, "state", "created_at"),
    Index(None, "receiver_id", "created_at"),
    Index(None, "receiver_id", "state", "created_at", "id"),
    Index(None, "key", "receiver_id", unique=True),
)

# CRM records of calls: never deleted, because revenue is matched by them.
entity = Table(
    "entity",
    metadata,
    key(),
    Column("call_id", String(64), ForeignKey("call.id"), nullable=False),
    Column("connection_id", KEY),
    Column("kind", String(10), nullable=False),
    Column("external_id", String(80), nullable=False),
    Column("created_by", String(10), nullable=False),
    Column("client_id", Text),
    moment("at"),
    Index(None, "call_id"),
    Index(None, "connection_id", "kind", "external_id"),
    Index(None, "external_id"),
)

sale = Table(
    "sale",
    metadata,
    key(length=100),
    Column(
        "call_id", String(64), ForeignKey("call.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("value", Float, nullable=False),
    Column("currency", String(3), nullable=False),
    moment("at"),
    moment("created_at"),
)
