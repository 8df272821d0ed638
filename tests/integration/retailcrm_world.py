"""A RetailCRM account that behaves by the documents, calls to tell it of, and a process that can
die.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection, Mode, Rules
from router.receivers.http import Answer, HttpClient
from router.receivers.retailcrm.adapter import RetailCrm
from router.service.delivery.crm_fill import Annotated
from router.service.delivery.crm_update import annotate
from tests.contracts.retailcrm import Account
from tests.contracts.serving import served
from tests.support.builders import NOON, Clock, later

PHONE = "+79123456789"
CLIENT_ID = "1234567890.1700000000"
WRITTEN = [
    *(
        "+79123456789",
        "89123456789",
        "79123456789",
        "9123456789",
        "+7 (912) 345-67-89",
        "8 912 345 67 89",
    ),
    *("+79123456789, доб. 12", "89123456789#12"),
]


class Died(Exception):
    """The process is gone."""


class Dying(HttpClient):
    """Carries out this many requests more; after the last of them the process is gone, before it
    hears the answer.
    """

    lives = -1

    async def ask(self, method: str, path: str, **request: Any) -> Answer:
        answer = await super().ask(method, path, **request)
        self.lives -= 1
        if self.lives == 0:
            raise Died
        return answer


class World:
    """An account, its server and what speaks to it."""

    def __init__(self, account: Account, clock: Clock, http: Dying) -> None:
        self.account, self.clock, self.http = account, clock, http

    def connection(
        self, *, mode: Mode = Mode.OWN, options: dict[str, str] | None = None, **rules: Any
    ) -> Connection:
        options = {"site": "shop", **(options or {})}
        fields: dict[str, Any] = {
            "id": "retail",
            "kind": "retailcrm",
            "address": "",
            "created_at": NOON,
        }
        return Connection(**fields, mode=mode, rules=Rules(**rules), options=options)

    def crm(self, connection: Connection, key: str = Account.key) -> RetailCrm:
        return RetailCrm(connection, {"key": key}, self.http)

    async def tell(
        self, connection: Connection, call: CallEvent, *, after: float = 60, **more: Any
    ) -> Annotated:
        """Annotate at so many seconds after the call's end."""
        now = call.ended_at + timedelta(seconds=after)
        return await annotate(
            self.crm(connection), connection, call, **{"looks": 0, "now": now, **more}
        )

    def rows(self, kind: str) -> list[dict[str, Any]]:
        return list(self.account.rows[kind].values())

    def counts(self) -> dict[str, int]:
        return {kind: len(rows) for kind, rows in self.account.rows.items()}


@pytest_asyncio.fixture
async def retailcrm_world() -> AsyncIterator[World]:
    clock = Clock()
    account = Account(clock)
    async with served(account.app) as address:
        http = Dying(address, {})
        yield World(account, clock, http)
        await http.close()
    assert account.violations == []


def call(
    id: str = "call-1",  # noqa: A002
    caller: str | None = PHONE,
    *,
    answered: bool = True,
    **facts: str,
) -> CallEvent:
    known = {
        "client_id": CLIENT_ID,
        "source": "google",
        "medium": "cpc",
        "campaign": "spring",
        "term": "windows",
        "verdict": "exact",
        "probability": "0.98",
        "wait_seconds": "7",
        "talk_seconds": "53",
        "page": f"https://calls.example/calls/{id}",
        "call_id": id,
        "number": "+74950000001",
        **facts,
    }
    return CallEvent(
        id=id,
        site_id="shop",
        caller=caller,
        number="+74950000001",
        arrived_at=NOON,
        ended_at=later(60),
        answered=answered,
        talk_seconds=53.0 if answered else 0.0,
        destination_id="office",
        facts={name: value for name, value in known.items() if value},
    )


def telephony(world: World, **rules: Any) -> Connection:
    return world.connection(mode=Mode.TELEPHONY, **rules)
