"""What lists filter calls by, in one narrow table in the order of arrival."""

import sqlalchemy as sa
from alembic import op

from router.store.migrations.building import build_indexes
from router.store.tables import Moment

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_TEXTS = (
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
_FIGURES = ("wait", "talk", "silence", "talk_over", "probability", "score")
_FLAGS = ("first", "reviewed", "recorded", "commented")
_INDEXES = {
    "ix_call_facet_call_id": ["call_id"],
    "ix_call_facet_site": ["site_id", "arrived_at", "call_id", "verdict", "ending"],
    "ix_call_facet_ending": ["ending", "arrived_at", "call_id", "site_id", "verdict"],
    "ix_call_facet_verdict": ["verdict", "arrived_at", "call_id", "site_id", "ending"],
    **{
        f"ix_call_facet_{name}": [name, "arrived_at", "call_id"]
        for name in (
            "number",
            "caller",
            "visitor_id",
            "state",
            "source",
            "campaign",
            "term",
        )
    },
}
_FILL = """
INSERT INTO call_facet (
    arrived_at, call_id, site_id, number, caller, visitor_id, state, ending, verdict, source,
    campaign, term, channel, destination_id, answered_by, last_answered_by, wait, talk, silence,
    talk_over, probability, first, reviewed, recorded, commented
)
SELECT
    c.arrived_at, c.id, coalesce(c.site_id, ''), coalesce(c.number, ''), coalesce(c.caller, ''),
    coalesce(c.visitor_id, ''), c.state, coalesce(c.ending, ''), coalesce(c.verdict, ''),
    coalesce(v.source, c.source, ''), coalesce(v.campaign, ''), coalesce(v.term, ''),
    coalesce(v.channel, c.channel, ''), coalesce(c.destination_id, ''),
    coalesce(c.answered_by, ''), coalesce(c.last_answered_by, ''), c.wait_seconds, c.talk_seconds,
    CASE WHEN r.caller_longest_silence_seconds < r.company_longest_silence_seconds
        THEN r.caller_longest_silence_seconds ELSE r.company_longest_silence_seconds END,
    r.talk_over_seconds, c.probability,
    c.caller IS NOT NULL AND c.arrived_at = min(c.arrived_at) OVER (
        PARTITION BY c.caller, c.site_id
    ),
    false, coalesce(r.state = 'stored', false), false
FROM call c
LEFT JOIN visit v ON v.id = c.visit_id
LEFT JOIN recording r ON r.call_id = c.id
ORDER BY c.arrived_at, c.id
"""


def upgrade() -> None:
    """Write the rows of the calls there are, then index them."""
    op.create_table(
        "call_facet",
        sa.Column("arrived_at", Moment, nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in _TEXTS),
        *(sa.Column(name, sa.Float) for name in _FIGURES),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in _FLAGS),
        sa.PrimaryKeyConstraint("arrived_at", "call_id", name="pk_call_facet"),
        sqlite_with_rowid=False,
    )
    op.execute(_FILL)
    build_indexes("call_facet", _INDEXES)
    build_indexes("call", {"ix_call_site_id_arrived_at": ["site_id", "arrived_at"]})
    for name in ("site", "ending", "verdict"):
        op.drop_index(f"ix_call_{name}", "call")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ANALYZE call_facet")


def downgrade() -> None:
    """Without them."""
    op.drop_table("call_facet")
    op.drop_index("ix_call_site_id_arrived_at", "call")
    build_indexes(
        "call",
        {
            "ix_call_site": ["site_id", "arrived_at", "id", "verdict", "ending"],
            "ix_call_ending": ["ending", "arrived_at", "id", "site_id", "verdict"],
            "ix_call_verdict": ["verdict", "arrived_at", "id", "site_id", "ending"],
        },
    )
