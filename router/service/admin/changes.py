"""Logs every change of the set-up, made by command, page or API."""

from collections.abc import Sequence
from typing import Any

import structlog
from structlog.contextvars import get_contextvars

from router.domain.access import Person, Token
from router.domain.calls.transcript import TranscriptionRule
from router.domain.calls.word_list import WordList
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Webhook
from router.domain.mail import Mailbox, MailChannel
from router.domain.setup_change import CHANGED, SetupChange, compare, key_of
from router.domain.visitors.site import Destination, Pool, Site, TrackingNumber

log = structlog.get_logger()

# Records of the database that are set up. The store notes each one that a transaction writes, and
# logs it after the commit.
SET_UP: frozenset[type[Any]] = frozenset(
    {
        Site,
        Destination,
        Pool,
        TrackingNumber,
        Webhook,
        Connection,
        Person,
        Token,
        Mailbox,
        MailChannel,
        TranscriptionRule,
        WordList,
    }
)


class Changes:
    """The set-up changes of one transaction; logged after the commit."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, str], SetupChange] = {}

    def note(self, before: Any | None, after: Any | None) -> None:
        """A record that was added (`before` is None), changed, or removed (`after` is None)."""
        if found := compare(before, after):
            self._keep(found)

    def note_added(self, records: Sequence[Any]) -> None:
        """Records of one kind; many at once, such as an import of numbers, are one change."""
        if len(records) == 1:
            return self.note(None, records[0])
        kind, key = type(records[0]).__name__, f"{key_of(records[0])} …"
        self._keep(
            SetupChange(action="added", kind=kind, key=key, fields={"count": str(len(records))})
        )
        return None

    def note_secret(self, record: Any, name: str) -> None:
        """Note that a secret of a record changed, without its value."""
        kind, key = type(record).__name__, key_of(record)
        self._keep(SetupChange(action="changed", kind=kind, key=key, fields={name: CHANGED}))

    def log(self) -> None:
        """Log the noted changes after the commit."""
        for change in self._noted.values():
            log_change(change)

    def _keep(self, change: SetupChange) -> None:
        known = self._noted.get((change.kind, change.key))
        if known is None:
            self._noted[change.kind, change.key] = change
            return
        both = {**known.fields, **change.fields}
        merged = SetupChange(action=known.action, kind=known.kind, key=known.key, fields=both)
        self._noted[change.kind, change.key] = merged


def log_changed(before: Any | None, after: Any | None, *, secret: str | None = None) -> None:
    """Log a change outside the database, such as a trunk, with the name of a replaced secret."""
    changes = Changes()
    changes.note(before, after)
    if secret is not None and after is not None:
        changes.note_secret(after, secret)
    changes.log()


def log_change(change: SetupChange) -> None:
    """One line: what changed, from what to what, and who did it."""
    log.info(
        "configuration_changed",
        action=change.action,
        kind=change.kind,
        key=change.key,
        who=who(),
        fields=dict(change.fields),
    )


def who() -> str:
    """The author: the request's token or user, otherwise a command."""
    bound = get_contextvars()
    if "token" in bound:
        return f"token {bound['token']}"
    if "login" in bound:
        return f"user {bound['login']}"
    return "cli"
