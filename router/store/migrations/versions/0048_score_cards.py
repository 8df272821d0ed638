"""Score cards, scores of calls, and the employee that an account belongs to."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Json, Moment

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No call has a score."""
    _add_cards()
    _add_scores()
    op.add_column("person", sa.Column("employee", sa.Text))
    scored = sa.Column("scored", sa.Text, nullable=False, server_default=sa.text("''"))
    op.add_column("call_facet", scored)
    op.create_index("ix_call_facet_scored", "call_facet", ["scored", "arrived_at", "call_id"])


def downgrade() -> None:
    """Without scores; calls stay reviewed, and accounts of employees, which earlier versions do
    not know, are removed.
    """
    op.drop_index("ix_call_facet_scored", "call_facet")
    op.drop_column("call_facet", "scored")
    op.execute("UPDATE call_facet SET score = NULL WHERE score IS NOT NULL")
    op.execute(
        "DELETE FROM login_session WHERE login IN"
        " (SELECT login FROM person WHERE role = 'employee')"
    )
    op.execute("DELETE FROM person WHERE role = 'employee'")
    op.drop_column("person", "employee")
    for table in ("dispute", "score_answer", "score", "score_card"):
        op.drop_table(table)


def _add_cards() -> None:
    op.create_table(
        "score_card",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("card_id", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("questions", Json, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("author", sa.String(70), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("edited_at", Moment, nullable=False),
        sa.Column("published_at", Moment),
        sa.Column("archived_at", Moment),
        sa.PrimaryKeyConstraint("id", name="pk_score_card"),
        sa.UniqueConstraint("card_id", "version", name="uq_score_card_card_id_version"),
    )


def _add_scores() -> None:
    op.create_table(
        "score",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("card_id", sa.String(40), nullable=False),
        sa.Column("scorer", sa.String(70), nullable=False),
        sa.Column("by", sa.String(10), nullable=False),
        sa.Column("employee", sa.Text, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("submitted_at", Moment),
        sa.PrimaryKeyConstraint("id", name="pk_score"),
        sa.UniqueConstraint("call_id", "scorer", name="uq_score_call_id_scorer"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call.id"], name="fk_score_call_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["card_id"], ["score_card.id"], name="fk_score_card_id"),
    )
    op.create_index("ix_score_employee_submitted_at", "score", ["employee", "submitted_at"])
    op.create_index("ix_score_card_id", "score", ["card_id"])
    op.create_table(
        "score_answer",
        sa.Column("score_id", sa.String(40), nullable=False),
        sa.Column("question_id", sa.String(40), nullable=False),
        sa.Column("value", sa.String(10), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("at_seconds", sa.Float),
        sa.PrimaryKeyConstraint("score_id", "question_id", name="pk_score_answer"),
        sa.ForeignKeyConstraint(
            ["score_id"], ["score.id"], name="fk_score_answer_score_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "dispute",
        sa.Column("score_id", sa.String(40), nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("settlement", sa.String(10)),
        sa.Column("settled_by", sa.String(64)),
        sa.Column("settled_at", Moment),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("score_before", sa.Float),
        sa.Column("changes", Json, nullable=False),
        sa.PrimaryKeyConstraint("score_id", name="pk_dispute"),
        sa.ForeignKeyConstraint(
            ["score_id"], ["score.id"], name="fk_dispute_score_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_dispute_settled_at", "dispute", ["settled_at"])
