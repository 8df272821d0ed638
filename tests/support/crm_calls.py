"""Calls and entities for tests of CRMs: harmless defaults around what a test is about."""

from datetime import datetime
from typing import Any

from router.domain.calls.call import Call, State
from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind, Found, Ref
from tests.support.builders import NOON, later

ANNA = "+79123456789"
CLIENT_ID = "123456789.1700000000"


def call_event(
    id: str = "rt1-1.0",  # noqa: A002
    *,
    talk: float = 50.0,
    answered: bool = True,
    **fields: Any,
) -> CallEvent:
    """A call of Anna's that began at noon and ended a minute later."""
    facts = {
        "client_id": CLIENT_ID,
        "source": "google",
        "medium": "cpc",
        "verdict": "exact",
        "probability": "0.97",
        "wait_seconds": "10",
        "talk_seconds": f"{talk:.0f}",
        "page": f"http://pages/calls/{id}",
        "call_id": id,
    }
    values: dict[str, Any] = {
        "id": id,
        "site_id": "shop",
        "caller": ANNA,
        "number": "+74950000001",
        "arrived_at": NOON,
        "ended_at": later(60),
        "answered": answered,
        "talk_seconds": talk,
        "destination_id": "office",
        "facts": facts,
    }
    return CallEvent(**{**values, **fields})


def annas_call(**fields: Any) -> Call:
    """The same call, as the database has it."""
    values: dict[str, Any] = {
        "id": "rt1-1.0",
        "did": "1",
        "trunk": "t",
        "site_id": "shop",
        "number": "+74950000001",
        "caller": ANNA,
        "arrived_at": NOON,
        "answered_at": later(10),
        "ended_at": later(60),
        "talk_seconds": 50.0,
        "state": State.ENDED,
    }
    return Call(**{**values, **fields})


def connection(kind: str = "tryton", **fields: Any) -> Connection:
    return Connection(
        **{"id": kind, "kind": kind, "address": "http://127.0.0.1:9", "created_at": NOON, **fields}
    )


def found(
    kind: EntityKind = EntityKind.DEAL,
    id: str = "1",  # noqa: A002
    at: datetime = NOON,
    phones: tuple[str, ...] = (ANNA,),
    **fields: Any,
) -> Found:
    return Found(ref=Ref(kind=kind, id=id), created_at=at, phones=phones, **fields)
