"""amoCRM as tests of its adapter meet it: a contract server, our adapter, and the company's own
telephony beside it.
"""

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
from starlette.types import Receive, Scope, Send

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection
from router.receivers.http import Answer, HttpClient
from router.receivers.registry import KINDS
from router.service.delivery.crm_fill import Annotated
from router.service.delivery.crm_update import annotate
from router.service.delivery.ports import Crm
from tests.contracts.amocrm import AmoAccount
from tests.contracts.serving import served
from tests.support.builders import NOON
from tests.support.crm_calls import ANNA, call_event, connection


class Died(Exception):
    """Our process was killed."""


class Mortal:
    """What a process dies of when so many requests have been carried out."""

    def __init__(self, http: HttpClient, left: int) -> None:
        self._http, self._left, self.clock_ahead = http, left, http.clock_ahead

    async def ask(self, method: str, path: str, **request: Any) -> Answer:
        answer = await self._http.ask(method, path, **request)
        self._left -= 1
        if self._left == 0:
            raise Died
        return answer


class World:
    """One account at a time; `fresh` gives another, with our fields in it."""

    def __init__(self) -> None:
        self.account = AmoAccount()
        self.address = ""
        self._fields = copy.deepcopy(self.account.fields)
        self._clients: dict[str, HttpClient] = {}  # one for each address: they are slow to open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.account.app(scope, receive, send)

    def fresh(self) -> AmoAccount:
        self.account = AmoAccount()
        self.account.fields = copy.deepcopy(self._fields)
        return self.account

    async def prepare(self, **fields: Any) -> list[str]:
        made = [*await self.crm(self.connection(**fields)).prepare()]
        self._fields = copy.deepcopy(self.account.fields)
        return made

    def connection(self, **fields: Any) -> Connection:
        return connection("amocrm", **{"address": self.address, **fields})

    def crm(
        self, to: Connection, *, dies_after: int | None = None, token: str = AmoAccount.token
    ) -> Crm:
        """As a process opens it that has just begun."""
        if to.address not in self._clients:
            self._clients[to.address] = HttpClient(to.address, {})
        http = self._clients[to.address]
        way = http if dies_after is None else Mortal(http, dies_after)
        opened: Crm = KINDS["amocrm"].adapter(to, {"token": token}, way)  # type: ignore[arg-type]
        return opened

    async def annotate(
        self,
        to: Connection,
        call: CallEvent | None = None,
        *,
        after: float = 100,
        dies_after: int | None = None,
    ) -> Annotated:
        """`after` so many seconds since the call's end."""
        call = call or call_event()
        now = call.ended_at + timedelta(seconds=after)
        return await annotate(self.crm(to, dies_after=dies_after), to, call, looks=0, now=now)

    # The company's telephony

    async def telephony(self, path: str, *rows: dict[str, Any], at: datetime = NOON) -> Any:
        """It tells amoCRM over HTTP as we do, at that moment."""
        self.account.now = int(at.timestamp())
        async with httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self.account.token}"}
        ) as client:
            answer = await client.post(f"{self.address}/api/v4/{path}", json=rows)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rings(self, phone: str = ANNA, at: datetime = NOON) -> int:
        """It creates a contact and a lead; the lead's number."""
        field = {"field_code": "PHONE", "values": [{"value": phone, "enum_code": "WORK"}]}
        contact = {"name": "Anna", "custom_fields_values": [field]}
        made = await self.telephony(
            "leads/complex", {"name": "Call", "_embedded": {"contacts": [contact]}}, at=at
        )
        lead: int = made[0]["id"]
        return lead

    async def waits(self, at: datetime = NOON, **said: Any) -> int:
        """It puts a call among the unsorted ones; the lead's number."""
        words = {
            "from": "office",
            "phone": ANNA,
            "called_at": int(at.timestamp()),
            "duration": 50,
            "uniq": "pbx-7",
        }
        words |= {"link": "https://pbx.example/7.mp3", "service_code": "pbx", **said}
        row = {"source_name": "PBX", "source_uid": "pbx", "metadata": words}
        made = await self.telephony("leads/unsorted/sip", row, at=at)
        lead: int = made["_embedded"]["unsorted"][0]["_embedded"]["leads"][0]["id"]
        return lead

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()


@asynccontextmanager
async def amocrm_world() -> AsyncIterator[World]:
    """A world whose account must have had nothing to complain of."""
    world = World()
    async with served(world) as world.address:
        yield world
        await world.close()
    assert world.account.complaints == []


def contact(world: World, phone: str, *, name: str = "Anna", at: datetime = NOON) -> int:
    """A contact who is known there."""
    return owner(world, "contacts", phone, name=name, at=at)


def owner(world: World, path: str, phone: str, *, name: str = "Anna", at: datetime = NOON) -> int:
    """A contact or a company that is known there."""
    field = {"field_code": "PHONE", "values": [{"value": phone}]}
    created = int(at.timestamp())
    put: int = world.account.put(path, name=name, custom_fields_values=[field], created_at=created)[
        "id"
    ]
    return put
