"""Mailboxes, and the mail that came."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from router.store.tables.columns import KEY, JsonOrNull, key, metadata, moment

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
    moment("since"),
    Column("uidvalidity", BigInteger),
    Column("uid", BigInteger, nullable=False),
    moment("due_at"),
    Column("failures", Integer, nullable=False),
    Column("error", JsonOrNull),
)

mail_channel = Table(
    "mail_channel",
    metadata,
    key(),
    Column("site_id", KEY, ForeignKey("site.id"), nullable=False),
    Column("tag", String(32), nullable=False),
    Column("channel", Text, nullable=False),
    moment("created_at"),
    Index(None, "site_id", "tag", unique=True),
)

# Mail outlives the site and the mailbox it came to, as calls do.
mail = Table(
    "mail",
    metadata,
    key(),
    Column("site_id", KEY, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("sender", Text),
    Column("address", Text, nullable=False),
    Column("tag", Text),
    Column("automatic", Boolean, nullable=False),
    moment("arrived_at"),
    Column("verdict", String(12), nullable=False),
    Column("visitor_id", KEY, index=True),
    Column("visit_id", KEY),
    Column("channel", Text),
    Index(None, "site_id", "message_id", unique=True),
    Index(None, "arrived_at", "id"),
)
