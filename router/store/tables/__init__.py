"""The tables. A column bears the name of the field it keeps; values are parsed into domain records on the way out."""

from router.store.tables.calls import call, delivery, entity, recording, tag
from router.store.tables.columns import E164, KEY, Json, Moment, metadata
from router.store.tables.journal import counter, cursor, on_hold, open_call, rejected_row
from router.store.tables.mails import mail, mail_channel, mailbox
from router.store.tables.setup import (
    account,
    connection,
    destination,
    login_session,
    number,
    person,
    pool,
    site,
    token,
    webhook,
)
from router.store.tables.visits import (
    form,
    late_evidence,
    lease,
    model,
    page_view,
    showing,
    tap,
    visit,
    visitor,
)

__all__ = [
    "E164",
    "KEY",
    "Json",
    "Moment",
    "account",
    "call",
    "connection",
    "counter",
    "cursor",
    "delivery",
    "destination",
    "entity",
    "form",
    "late_evidence",
    "lease",
    "login_session",
    "mail",
    "mail_channel",
    "mailbox",
    "metadata",
    "model",
    "number",
    "on_hold",
    "open_call",
    "page_view",
    "person",
    "pool",
    "recording",
    "rejected_row",
    "showing",
    "site",
    "tag",
    "tap",
    "token",
    "visit",
    "visitor",
    "webhook",
]
