"""Tables of rules that supervisors write, and of what calls count as."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from router.store.tables.columns import KEY, Json, key, metadata, moment

_FLAGS = ("target", "spam")


def _of_call() -> Column[str]:
    return Column(
        "call_id", String(64), ForeignKey("call.id", ondelete="CASCADE"), primary_key=True
    )


rule = Table(
    "rule",
    metadata,
    key(),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("tag", String(40)),
    *(Column(name, Boolean, nullable=False) for name in (*_FLAGS, "review")),
    Column("state", String(10), nullable=False),
    Column("author", String(70), nullable=False),
    moment("created_at"),
    moment("since"),
    moment("past_at", nullable=True),
    Column("past_id", String(64), nullable=False),
    Column("past_calls", Integer, nullable=False),
    Column("past_done", Integer, nullable=False),
)

# The calls that match a rule.
rule_match = Table(
    "rule_match",
    metadata,
    Column("rule_id", KEY, ForeignKey("rule.id", ondelete="CASCADE"), primary_key=True),
    _of_call(),
    Index(None, "call_id"),
)

decision = Table(
    "decision",
    metadata,
    _of_call(),
    Column("subject", String(10), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("wanted", Boolean, nullable=False),
    Column("author", String(70), nullable=False),
    moment("at"),
    Index(None, "name"),
)

# What follows from rules, signs and decisions; a call without a row is nothing of it.
qualification = Table(
    "qualification",
    metadata,
    _of_call(),
    *(Column(name, Boolean, nullable=False) for name in (*_FLAGS, "to_review")),
    Index(
        "ix_qualification_spam",
        "call_id",
        sqlite_where=text("spam = 1"),
        postgresql_where=text("spam"),
    ),
)

# Up to which change of a call rules have looked at calls.
qualified_to = Table(
    "qualified_to",
    metadata,
    key("name"),
    Column("revision", BigInteger, nullable=False),
    Column("call_id", String(64), nullable=False),
)

spam_sign = Table(
    "spam_sign",
    metadata,
    _of_call(),
    Column("sign", String(20), primary_key=True),
    Column("facts", Json, nullable=False),
    Index(None, "sign"),
)

# Callers for whom a person undid a sign; the caller * is everyone.
sign_exemption = Table(
    "sign_exemption",
    metadata,
    Column("caller", String(16), primary_key=True),
    Column("sign", String(20), primary_key=True),
    Column("call_id", String(64), nullable=False),
    Column("author", String(70), nullable=False),
    moment("at"),
    Index(None, "call_id"),
)

blocked_caller = Table(
    "blocked_caller",
    metadata,
    key(),
    Column("note", Text, nullable=False),
    Column("author", String(70), nullable=False),
    moment("created_at"),
    Index(None, "created_at"),
)
