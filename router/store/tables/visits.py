"""Tables of visits, leases, and trained models."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, true

from router.store.tables.columns import E164, KEY, Json, Moment, key, metadata, moment

visitor = Table(
    "visitor",
    metadata,
    key(),
    Column("site_id", KEY, ForeignKey("site.id"), nullable=False),
    Column("ga_client_id", String(64)),
    Column("ga_session_id", String(64)),
    Column("ym_client_id", String(64)),
    moment("created_at"),
)

visit = Table(
    "visit",
    metadata,
    key(),
    Column("visitor_id", KEY, ForeignKey("visitor.id"), nullable=False, index=True),
    Column("site_id", KEY),  # its visitor's
    moment("started_at"),
    moment("seen_at", nullable=True),
    *(
        Column(name, Text)
        for name in ("landing", "referrer", "source", "medium", "campaign", "term", "content")
    ),
    Column("channel", Text),
    Column("click_ids", Json, nullable=False),
    Column("ga_session_id", String(64)),
    Column("code", String(12), index=True),
    Column("device", String(10)),
    *(Column(name, Text) for name in ("browser", "system")),
    Column("country", String(2)),
    *(Column(name, Text) for name in ("region", "city")),
    Column("parameters", Json, nullable=False),
    Column("client", KEY, index=True),
    Index("ix_visit_arrivals", "site_id", "started_at", "country", "region", "city"),
)

page_view = Table(
    "page_view",
    metadata,
    key(),
    Column("visit_id", KEY, ForeignKey("visit.id"), nullable=False, index=True),
    moment("at"),
    Column("path", Text, nullable=False),
)

tap = Table(
    "tap",
    metadata,
    key(),
    Column("visit_id", KEY, ForeignKey("visit.id"), nullable=False),
    Column("number", E164, nullable=False),
    moment("at"),
    Index(None, "visit_id", "number", "at"),
    Index(None, "number", "at"),
    Index("ix_tap_newest", "at", "number", "visit_id"),
)

form = Table(
    "form",
    metadata,
    key(),
    Column("visit_id", KEY, ForeignKey("visit.id"), nullable=False, index=True),
    Column("phone", E164, nullable=False),
    moment("at"),
    Index(None, "phone", "at"),
    Index("ix_form_newest", "at", "phone", "visit_id"),
)

fallback = Table(
    "fallback",
    metadata,
    key(),
    Column("visit_id", KEY, ForeignKey("visit.id"), index=True),
    Column("pool_id", KEY, nullable=False),
    Column("level", String(10), nullable=False),
    Column("reason", String(12), nullable=False),
    Column("number", E164),
    moment("at"),
    Index(None, "pool_id", "at"),
)

# Leases outlive the numbers and pools they were taken from, so they name them without a foreign
# key.
lease = Table(
    "lease",
    metadata,
    key(),
    Column("number", E164, nullable=False),
    Column("pool_id", KEY, nullable=False),
    Column("visitor_id", KEY, ForeignKey("visitor.id"), nullable=False),
    Column("visit_id", KEY, ForeignKey("visit.id"), nullable=False, index=True),
    moment("started_at"),
    moment("seen_at"),
    moment("frozen_at"),
    moment("ends_at"),
    Column("shown", Boolean, nullable=False, server_default=true()),
    Index(None, "number", "started_at"),
    Index(None, "visitor_id", "started_at"),
    Index(None, "pool_id", "started_at"),
)

# Late evidence: one row for each subject, removed when processed.
late_evidence = Table(
    "late_evidence",
    metadata,
    key(length=80),
    Column("kind", String(10), nullable=False),
    Column("subject", KEY, nullable=False),
    Column("site_id", KEY),
    moment("at"),
    moment("due_at"),
    Index(None, "due_at"),
)

# Pages that got no number, because their site does not list them.
refused_origin = Table(
    "refused_origin",
    metadata,
    key(length=250),
    Column("site_id", KEY, nullable=False),
    Column("origin", String(200), nullable=False),
    Column("count", Integer, nullable=False),
    moment("last_at"),
)

unchanged_page = Table(
    "unchanged_page",
    metadata,
    key(length=250),
    Column("site_id", KEY, nullable=False),
    Column("path", String(200), nullable=False),
    Column("count", Integer, nullable=False),
    moment("last_at"),
)

# Network of a number's holder: overwritten by the next holder, removed a day after the lease.
holding = Table(
    "holding",
    metadata,
    Column("e164", E164, primary_key=True),
    Column("client_key", KEY, nullable=False),  # a keyed hash
    Column("network", String(50), nullable=False),  # the network's own address, e.g. 203.0.113.0/24
    moment("at"),
)

# Trained models: one row for each site.
model = Table(
    "model",
    metadata,
    key("site_id"),
    Column("trained_at", Moment, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("values", Json, nullable=False),
)
