"""What the common tests of CRMs need of an account: each CRM's `…_world.py` is one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection, Rules
from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.http import Answer, HttpClient
from router.receivers.kept_tokens import TokenInMemory
from router.receivers.registry import KINDS, login_of
from router.service.delivery.crm_fill import Annotated
from router.service.delivery.crm_update import annotate
from router.service.delivery.ports import Crm
from tests.support.builders import Clock
from tests.support.crm_calls import connection


class Died(Exception):
    """The process is gone."""


class Line(HttpClient):
    """Carries out `left` requests more; after the last the process is gone, before it hears the
    answer.
    """

    left = 0
    after: Callable[[], None] = staticmethod(lambda: None)
    ahead = timedelta()  # by how much the server's clock is wrong
    sent = 0
    instead: Answer | None = None  # comes in place of the answer to the request `at`
    at = 0

    async def _send(self, *given: Any) -> Answer:
        answer = await super()._send(*given)
        self.sent += 1
        if self.instead and self.sent == self.at:
            return self.instead
        date = format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)
        return replace(answer, headers={**answer.headers, "date": date})

    async def ask(self, method: str, path: str, **request: Any) -> Answer:
        answer = await super().ask(method, path, **request)
        self.after()
        self.left -= 1
        if self.left == 0:
            raise Died
        return answer


class CrmAccount(ABC):
    """An account that behaves by the documents, and the adapter that speaks to it."""

    name: str  # of the kind of receiver
    token: ClassVar[Mapping[str, str]]
    wrong_token: ClassVar[Mapping[str, str]]
    options: ClassVar[Mapping[str, str]] = {}
    list_field: str  # of deals; people see its only option as Google
    no_place: ClassVar[Mapping[str, str]] = {"stage": "99"}  # options: a stage that is not there
    adds_fields = True  # else an administrator does
    new_field = "ringtrace_client_id"  # a name that a field of ours may have

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.line = Line("http://127.0.0.1:9", {})

    # What other programs and people see and do

    @abstractmethod
    def serve(self) -> AbstractAsyncContextManager[str]:
        """A server of this account; its address."""

    @abstractmethod
    def add(self, kind: EntityKind, **given: Any) -> Ref:
        """An entity by another program: `phone`, `client_id`, `contact` (of a deal or lead),
        `closed`.
        """

    @abstractmethod
    def client_id(self, ref: Ref) -> str | None:
        """What is in the client ID's field."""

    @abstractmethod
    def count(self, kind: EntityKind) -> int:
        """How many there are."""

    @abstractmethod
    def size(self) -> int:
        """How many entities and notes there are together."""

    @abstractmethod
    def notes(self, ref: Ref) -> list[str]:
        """The texts of its notes."""

    def texts(self, ref: Ref) -> list[str]:
        """Its notes, and its description where the CRM has one."""
        return self.notes(ref)

    @abstractmethod
    def delete(self, ref: Ref) -> None:
        """A person deletes it."""

    @abstractmethod
    def linked(self, deal: Ref) -> set[Ref]:
        """The contact and the company of a deal or lead."""

    @abstractmethod
    def refuse_for_a_while(self, requests: int) -> None:
        """Too many requests: the next ones are refused with the CRM's words."""

    @property
    @abstractmethod
    def violations(self) -> list[str]:
        """Requests that the documents do not allow."""

    # What we do

    def connection(self, *, options: Mapping[str, str] | None = None, **fields: Any) -> Connection:
        rules = {name: fields.pop(name) for name in list(fields) if name in Rules.__slots__}
        given = {"options": {**self.options, **(options or {})}, **fields}
        return connection(self.name, rules=Rules(**rules), **given)

    def crm(self, to: Connection, token: Mapping[str, str] | None = None) -> Crm:
        """The adapter as a process has it that has just started."""
        kind, kept = KINDS[self.name], TokenInMemory(token or self.token)
        self.line.login = login_of(kind, replace(to, address=self.line.address), kept, self.clock)
        made: Crm = kind.adapter(to, kept.read(), self.line)
        return made

    async def tell(
        self, call: CallEvent, to: Connection | None = None, *, after: float = 100, **more: Any
    ) -> Annotated:
        """One attempt at a delivery, so many seconds after the call's end."""
        to = to or self.connection()
        now = call.ended_at + timedelta(seconds=after)
        return await annotate(self.crm(to), to, call, **{"looks": 0, "now": now, **more})
