"""Converts domain records to table rows and back. Rows are validated: invalid values raise here."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Select, Table, bindparam, select

from router.domain.access import LoginSession, Person, Token
from router.domain.attribution.late_evidence import LateEvidence
from router.domain.calls.call import Call, Recording, Tag
from router.domain.calls.call_back import CallBack
from router.domain.calls.comment import Comment
from router.domain.calls.listening import Listening
from router.domain.calls.missed import MissedCaller
from router.domain.calls.qualification import Decision, FoundSign, Qualification
from router.domain.calls.review import Review
from router.domain.calls.rules import Rule
from router.domain.calls.sampling import Sample
from router.domain.calls.saved_view import SavedView
from router.domain.calls.score_card import ScoreCard
from router.domain.calls.scoring import Dispute, Score
from router.domain.calls.spam import BlockedCaller
from router.domain.calls.tagging import RegisteredTag
from router.domain.calls.transcript import Segment, Transcript, TranscriptionRule
from router.domain.calls.word_list import WordList
from router.domain.delivery.connection import Connection, ReceiverHealth
from router.domain.delivery.delivery import Delivery, Webhook
from router.domain.delivery.entity import Entity
from router.domain.delivery.sale import Sale
from router.domain.mail import Mail, Mailbox, MailChannel
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import (
    Destination,
    Pool,
    RefusedOrigin,
    Site,
    TrackingNumber,
    UnchangedPage,
)
from router.domain.visitors.visit import Fallback, Form, PageView, Tap, Visit, Visitor
from router.store import tables

Record = TypeVar("Record")
MOST_KEYS = 500  # in one query

TABLES: dict[type[Any], Table] = {
    ReceiverHealth: tables.receiver_health,
    BlockedCaller: tables.blocked_caller,
    Call: tables.call,
    FoundSign: tables.spam_sign,
    CallBack: tables.call_back,
    Comment: tables.comment,
    Connection: tables.connection,
    Decision: tables.decision,
    Delivery: tables.delivery,
    Destination: tables.destination,
    Dispute: tables.dispute,
    Entity: tables.entity,
    Form: tables.form,
    LateEvidence: tables.late_evidence,
    Lease: tables.lease,
    Listening: tables.listening,
    LoginSession: tables.login_session,
    Mail: tables.mail,
    MailChannel: tables.mail_channel,
    Mailbox: tables.mailbox,
    MissedCaller: tables.missed_caller,
    PageView: tables.page_view,
    Person: tables.person,
    Pool: tables.pool,
    Qualification: tables.qualification,
    Recording: tables.recording,
    RefusedOrigin: tables.refused_origin,
    RegisteredTag: tables.registered_tag,
    Review: tables.review,
    Rule: tables.rule,
    UnchangedPage: tables.unchanged_page,
    Sale: tables.sale,
    Sample: tables.sample,
    SavedView: tables.saved_view,
    Score: tables.score,
    ScoreCard: tables.score_card,
    Segment: tables.transcript_segment,
    Fallback: tables.fallback,
    Site: tables.site,
    Tag: tables.tag,
    Tap: tables.tap,
    Token: tables.token,
    TrackingNumber: tables.number,
    Transcript: tables.transcript,
    TranscriptionRule: tables.transcription_rule,
    Visit: tables.visit,
    Visitor: tables.visitor,
    Webhook: tables.webhook,
    WordList: tables.word_list,
}

# Columns that no record has: they repeat what another table says, so that one index holds both, or
# are written apart.
DERIVED: dict[Table, dict[str, Any]] = {
    tables.call: {"steady_at": None},
    tables.tag: {
        "arrived_at": select(tables.call.c.arrived_at)
        .where(tables.call.c.id == bindparam("of_call", type_=tables.call.c.id.type))
        .scalar_subquery()
    },
    tables.visit: {
        "site_id": select(tables.visitor.c.site_id)
        .where(tables.visitor.c.id == bindparam("of_visitor", type_=tables.visitor.c.id.type))
        .scalar_subquery()
    },
}
_OWNERS = {Tag: ("of_call", "call_id"), Visit: ("of_visitor", "visitor_id")}

_ADAPTERS = {kind: TypeAdapter(kind) for kind in TABLES}
_FIELDS = {
    kind: tuple(f.name for f in fields(kind) if f.name in table.c) for kind, table in TABLES.items()
}
_JSON = {
    kind: [c.name for c in table.c if isinstance(c.type, type(tables.Json))]
    for kind, table in TABLES.items()
}


def to_row(record: Any) -> dict[str, Any]:
    """The record's columns and values; nested values of JSON columns become plain JSON."""
    kind = type(record)
    values = {name: getattr(record, name) for name in _FIELDS[kind]}
    if any(values[name] for name in _JSON[kind]):
        plain = _ADAPTERS[kind].dump_python(record, mode="json", include=set(_JSON[kind]))
        values.update(plain)
    return values


def to_rows(records: Iterable[Any]) -> list[dict[str, Any]]:
    """The columns and values of these records."""
    return [to_row(record) for record in records]


def to_new_row(record: Any) -> dict[str, Any]:
    """The values that a new row is written from: `to_row`, and what its derived columns are looked
    up by.
    """
    values = to_row(record)
    if owner := _OWNERS.get(type(record)):
        name, field = owner
        values[name] = values[field]
    return values


def from_row(kind: type[Record], row: Any) -> Record:
    """The record of a row. Raises pydantic's ValidationError for a row that no version of ours
    wrote.
    """
    record: Record = _ADAPTERS[kind].validate_python(dict(row._mapping))
    return record


def from_rows(kind: type[Record], rows: Iterable[Any]) -> list[Record]:
    """The records of these rows, in their order."""
    return [from_row(kind, row) for row in rows]


def from_any_row(kind: type[Record], row: Any) -> Record | None:
    """The record of a row that a query may not have found."""
    if row is None:
        return None
    return from_row(kind, row)


def from_rows_by(column: str, kind: type[Record], rows: Iterable[Any]) -> dict[Any, Record]:
    """The records of these rows, by their values in one column."""
    return {getattr(row, column): from_row(kind, row) for row in rows}


def key_column(table: Table) -> Any:
    """The column of a record's key."""
    return next(iter(table.primary_key.columns))


@cache
def rows_among(table: Table, column: str) -> Select[Any]:
    """Rows whose `column` is one of `keys`. Built once: building a statement costs more than
    executing it.
    """
    return select(table).where(table.c[column].in_(bindparam("keys", expanding=True)))


def batched(items: Collection[str], size: int) -> Iterator[list[str]]:
    """`items` in lists of at most `size`."""
    ordered = list(items)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
