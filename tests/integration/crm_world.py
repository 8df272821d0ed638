"""An installation, and a made-up CRM that commands connect: `home`, `books`, `call`."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Call, State
from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.delivery.outcome import Outcome
from router.receivers.declaration import Declaration
from router.receivers.http import HttpClient
from router.receivers.registry import KINDS, RECEIVER_KINDS
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check, Draft
from router.store.engine import SqlStore
from tests.support.builders import furnish, later, visit, visitor
from tests.support.command_line import Ran, ringtrace
from tests.support.crm_calls import annas_call

KEY = "a very secret key"
ANNA = "+79161234567"
PLACE = ("crm", "connect", "main", "--kind", "stub", "--address", "https://crm.example")
Result = TypeVar("Result")


@dataclass
class Books:
    """What a made-up CRM holds, between commands."""

    fields: set[str] = field(default_factory=set)
    known: list[Found] = field(default_factory=list)
    stands: dict[Ref, dict[str, str]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)


class Stub:
    """A `Crm` over `Books`."""

    def __init__(self, books: Books, options: Mapping[str, str], key: str) -> None:
        self._books, self._key, self._stage = books, key, int(options.get("stage", "1"))

    def client_id_field(self, _kind: EntityKind) -> str:
        return "cid"

    async def made_for(self, call_id: str) -> Sequence[Ref]:
        return []

    async def contacts(self, phone: str) -> Sequence[Found]:
        return [known for known in self._books.known if known.ref.kind is EntityKind.CONTACT]

    async def deals(self, contacts: Sequence[Ref], phone: str) -> Sequence[Found]:
        return [known for known in self._books.known if known.ref.kind is EntityKind.DEAL]

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> Sequence[Found]:
        return self._books.known

    async def read(self, ref: Ref, fields: Sequence[str]) -> Mapping[str, str]:
        assert ref in self._books.stands, "what was never created is never read"
        return self._books.stands[ref]

    async def create(self, draft: Draft) -> Ref:
        self._books.changed.append("create")
        return Ref(kind=draft.kind, id="1")

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        self._books.changed.append("note")

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        self._books.changed.append("write")

    async def check(self) -> Sequence[Check]:
        if self._key == "gone":
            raise Refused(Outcome.text("this account was closed"))
        if self._key != KEY:
            raise ReceiverUnavailable(Outcome.text("the token is refused or lacks a right: 401"))
        return [
            Check(what=Outcome.text("the token"), well=True),
            Check(
                what=Outcome.text("the field cid"),
                well="cid" in self._books.fields,
                fix=Outcome.text("add a field cid"),
            ),
        ]

    async def prepare(self) -> Sequence[str]:
        self._books.fields.add("cid")
        return ["the field cid"]


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Books:
    """A kind of CRM of our own."""
    made = Books()

    def adapter(connection: Connection, token: Mapping[str, str], _http: HttpClient) -> Stub:
        return Stub(made, connection.options, token["key"])

    kind = Declaration(
        name="stub",
        title="Stub",
        adapter=adapter,
        token={"key": "the key"},
        options={"stage": "number"},
        per_second=99,
        burst=99,
    )
    monkeypatch.setitem(KINDS, "stub", kind)
    return made


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    shutil.copy(sqlite_template, path / "ringtrace.db")
    monkeypatch.setenv("RINGTRACE_HOME", str(path))
    on(path, furnish)
    return path


def on(home: Path, work: Callable[[SqlStore], Awaitable[Result]]) -> Result:
    """Do `work` on the database of this home, as another process would."""

    async def run() -> Result:
        url = f"sqlite+aiosqlite:///{home / 'ringtrace.db'}"
        store = SqlStore(url, receiver_kinds=RECEIVER_KINDS)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def keep(home: Path, *records: Any) -> None:
    async def work(store: SqlStore) -> None:
        async with store.write() as session:
            await session.add(*records)

    on(home, work)


@pytest.fixture
def call(home: Path) -> Call:
    """Anna's call, and a later one of an unknown person."""
    anna = annas_call(
        caller=ANNA,
        destination_id="office",
        verdict=Verdict.EXACT,
        probability=0.97,
        visitor_id="anna",
        visit_id="anna-1",
    )
    nobody = Call(
        id="rt1-2.0",
        did="1",
        trunk="t",
        site_id="shop",
        arrived_at=later(90),
        ended_at=later(99),
        state=State.ENDED,
    )

    async def work(store: SqlStore) -> None:
        async with store.write() as session:
            await session.add(visitor(), visit())
            await session.calls.save([anna, nobody])

    on(home, work)
    return anna


def connected(*more: str) -> Ran:
    return ringtrace(*PLACE, *more, "--yes", "--token-file", "-", stdin=json.dumps({"key": KEY}))


def kept_tokens(home: Path) -> dict[str, Any]:
    tokens: dict[str, Any] = json.loads((home / "secrets.json").read_text())["tokens"]
    return tokens
