"""Rules that supervisors write, what calls count as, and keys pressed during a call."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Moment

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

_FACETS = ("target", "spam", "to_review")
_LAST = "~"  # after every id
_NAME, _QUERY = "Target calls", "direction=incoming&talk_from=60"


def upgrade() -> None:
    """One rule: a minute of talk makes a target call, from now on."""
    rule = _rule()
    _of_calls()
    _pressed_keys()
    op.add_column("call", _keys())
    op.add_column("call_facet", _keys())
    for name in _FACETS:
        flag = sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())
        op.add_column("call_facet", flag)

    known = "SELECT 'calls', value, :last FROM counter WHERE name = 'calls'"
    op.execute(sa.text(f"INSERT INTO qualified_to {known}").bindparams(last=_LAST))
    now = datetime.now(UTC)
    values = {"id": "target", "name": _NAME, "query": _QUERY, "target": True, "spam": False}
    values |= {"review": False, "state": "active", "author": "Ringtrace"}
    values |= {"created_at": now, "since": now, "past_id": "", "past_calls": 0, "past_done": 0}
    op.bulk_insert(rule, [values])


def _rule() -> sa.Table:
    rule = op.create_table(
        "rule",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("tag", sa.String(40)),
        sa.Column("target", sa.Boolean, nullable=False),
        sa.Column("spam", sa.Boolean, nullable=False),
        sa.Column("review", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("author", sa.String(70), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("past_at", Moment),
        sa.Column("past_id", sa.String(64), nullable=False),
        sa.Column("past_calls", sa.Integer, nullable=False),
        sa.Column("past_done", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rule"),
    )
    op.create_table(
        "rule_match",
        sa.Column("rule_id", sa.String(40), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "call_id", name="pk_rule_match"),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["rule.id"], name=op.f("fk_rule_match_rule_id"), ondelete="CASCADE"
        ),
        _call("rule_match"),
    )
    op.create_index("ix_rule_match_call_id", "rule_match", ["call_id"])
    return rule


def _of_calls() -> None:
    op.create_table(
        "decision",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(10), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("wanted", sa.Boolean, nullable=False),
        sa.Column("author", sa.String(70), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("call_id", "subject", "name", name="pk_decision"),
        _call("decision"),
    )
    op.create_index("ix_decision_name", "decision", ["name"])
    op.create_table(
        "qualification",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("target", sa.Boolean, nullable=False),
        sa.Column("spam", sa.Boolean, nullable=False),
        sa.Column("to_review", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_qualification"),
        _call("qualification"),
    )
    op.create_table(
        "qualified_to",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_qualified_to"),
    )


def _pressed_keys() -> None:
    op.create_table(
        "pressed_key",
        sa.Column("linkedid", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(80), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("key", sa.String(1), nullable=False),
        sa.PrimaryKeyConstraint("linkedid", "channel", "at", name="pk_pressed_key"),
    )


def _call(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_call_id")
    return sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=name, ondelete="CASCADE")


def _keys() -> sa.Column[str]:
    return sa.Column("keys", sa.Text, nullable=False, server_default=sa.text("''"))


def downgrade() -> None:
    """Without rules; tags that they set stay."""
    for name in (*_FACETS, "keys"):
        op.drop_column("call_facet", name)
    op.drop_column("call", "keys")
    for table in ("pressed_key", "qualified_to", "qualification", "decision", "rule_match", "rule"):
        op.drop_table(table)
