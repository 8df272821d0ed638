"""Why a mailbox cannot be read, as a code; older sentences become `text`."""

from router.store.migrations.sentences import to_outcomes, to_sentences

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Sentences become outcomes."""
    to_outcomes("mailbox", "error")


def downgrade() -> None:
    """Outcomes become sentences."""
    to_sentences("mailbox", "error")
