"""Tables of the CEL log: cursors and open rows."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from router.store.tables.columns import KEY, Json, Moment, key, metadata, moment

# Cursors, and the counters that pages and the agent watch.
cursor = Table(
    "cursor",
    metadata,
    key("name"),
    Column("file", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("finished", Json, nullable=False),
)

counter = Table(
    "counter",
    metadata,
    key("name"),
    Column("value", BigInteger, nullable=False),
)

open_call = Table(
    "open_call",
    metadata,
    key("linkedid", 64),
    Column("cel_log", KEY, nullable=False, index=True),
    Column("rows", Json, nullable=False),
)

on_hold = Table(
    "on_hold",
    metadata,
    Column("linkedid", String(64), primary_key=True),
    Column("channel", String(80), primary_key=True),
    Column("started_at", Moment, primary_key=True),
    moment("ended_at", nullable=True),
)

# Keys that phones sent during a call.
pressed_key = Table(
    "pressed_key",
    metadata,
    Column("linkedid", String(64), primary_key=True),
    Column("channel", String(80), primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("key", String(1), nullable=False),
)

rejected_row = Table(
    "rejected_row",
    metadata,
    Column("file", String(80), primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("text", Text, nullable=False),
    Column("reason", Text, nullable=False),
    moment("at"),
)

# Route requests: the only data about a call if the CEL log could not be written.
route_request = Table(
    "route_request",
    metadata,
    key("linkedid", 64),
    Column("cel_log", KEY, nullable=False),
    Column("spool_name", String(80), nullable=False),
    Column("did", String(40), nullable=False),
    Column("trunk", String(64), nullable=False),
    Column("caller_number", Text, nullable=False),
    Column("caller_name", Text, nullable=False),
    Column("destination_id", KEY),
    moment("at"),
)

heartbeat = Table(
    "heartbeat",
    metadata,
    key("name"),
    moment("at"),
    Column("facts", Json, nullable=False),
)
