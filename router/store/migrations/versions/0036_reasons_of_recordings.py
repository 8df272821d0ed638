"""Why there is no recording, as a code; older sentences become `text`."""

from router.store.migrations.sentences import to_outcomes, to_sentences

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Sentences become outcomes."""
    to_outcomes("recording", "reason")


def downgrade() -> None:
    """Outcomes become sentences."""
    to_sentences("recording", "reason")
