"""A caller, a site's calls and a real Tryton: what the tests of the Tryton account need.

What we do goes through `annotate` and the adapter, as in production. What came of it is read by
`telephony`, another user of that Tryton, who shares no code with the adapter.
"""

import itertools
from collections.abc import AsyncIterator, Callable, Container, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection, Mode, Rules
from router.receivers.http import Answer, HttpClient
from router.receivers.tryton.adapter import Tryton
from router.service.delivery.crm_fill import Annotated
from router.service.delivery.crm_update import annotate
from tests.support.crm_calls import call_event, connection
from tests.support.tryton_server import TrytonServer, tryton_server
from tests.support.tryton_template import DATABASE, FIELD

Row = dict[str, Any]
_numbers = itertools.count(1)


class World:
    """One test's caller, whose phone no other test has, and what Tryton holds since the test
    began.
    """

    def __init__(self, server: TrytonServer) -> None:
        self.server = server
        self.telephony = server.users["telephony"]
        self.new_caller()
        self._began = {
            model: self._last(model) for model in ("party.party", "sale.opportunity", "ir.note")
        }
        self._http = HttpClient(server.url, {})

    def new_caller(self) -> None:
        """A person without a visit calls from now on."""
        self.caller = f"+7912{next(_numbers):03}4567"

    def call(self, **fields: Any) -> CallEvent:
        """A call of the caller that has just ended."""
        now = datetime.now(UTC)
        values = {"caller": self.caller, "arrived_at": now - timedelta(seconds=30), "ended_at": now}
        return call_event(**{"id": f"pbx-{next(_numbers)}.7", **values, **fields})

    def connection(
        self, *, mode: Mode = Mode.OWN, rules: Rules | None = None, **options: str
    ) -> Connection:
        return connection(
            address=self.server.url,
            mode=mode,
            rules=rules or Rules(),
            options={"database": DATABASE, **options},
        )

    def crm(
        self,
        account: Connection | None = None,
        http: HttpClient | None = None,
        key: str = "ringtrace",
    ) -> Tryton:
        """Our adapter as a process that has just started has it."""
        token = {"key": self.server.keys.get(key, key)}
        return Tryton(account or self.connection(), token, http or self._http)

    async def tell(
        self,
        call: CallEvent,
        rules: Rules | None = None,
        http: HttpClient | None = None,
        **more: Any,
    ) -> Annotated:
        """Tell Tryton of a call, in mode `own`."""
        account = self.connection(rules=rules)
        return await annotate(
            self.crm(account, http), account, call, looks=0, now=datetime.now(UTC), **more
        )

    async def look(
        self,
        call: CallEvent,
        after: float,
        rules: Rules | None = None,
        http: HttpClient | None = None,
        **more: Any,
    ) -> Annotated:
        """Look `after` so many seconds from the call's end for what the telephony made of it."""
        account = self.connection(mode=Mode.TELEPHONY, rules=rules)
        now = call.ended_at + timedelta(seconds=after)
        return await annotate(self.crm(account, http), account, call, looks=0, now=now, **more)

    def mortal(self, last: int, methods: Container[str]) -> "Mortal":
        """A process that will be killed after so many requests of these methods."""
        return Mortal(self._http, last, methods)

    def meanwhile(self, act: Callable[[], None], *, after: str) -> "Meanwhile":
        """A process beside which another user acts when Tryton has answered its first look at
        `after`.
        """
        return Meanwhile(self._http, act, after)

    @property
    def parties(self) -> list[Row]:
        """Contacts and companies made since the test began."""
        return self._since(
            "party.party", "name", "create_uid", "contact_mechanisms.value_compact", FIELD
        )

    @property
    def opportunities(self) -> list[Row]:
        """Leads and deals made since the test began."""
        fields = (
            "description",
            "comment",
            "reference",
            "employee",
            "lost_reason",
            "create_uid",
            "party",
            FIELD,
        )
        return self._since("sale.opportunity", *fields)

    @property
    def notes(self) -> list[tuple[str, str]]:
        """Notes made since the test began: on what, and the text."""
        return [
            (row["resource"], row["message"])
            for row in self._since("ir.note", "resource", "message")
        ]

    @property
    def held(self) -> tuple[int, int, int]:
        """How many parties, opportunities and notes were made since the test began."""
        return len(self.parties), len(self.opportunities), len(self.notes)

    def forget(self) -> None:
        """Count from here."""
        self._began = {model: self._last(model) for model in self._began}

    async def close(self) -> None:
        await self._http.close()

    def _since(self, model: str, *fields: str) -> list[Row]:
        return self.telephony.find(model, [["id", ">", self._began[model]]], *fields)

    def _last(self, model: str) -> int:
        return self.telephony.last(model)


class Killed(BaseException):
    """The process ends here."""


class Mortal(HttpClient):
    """A process that is killed when its request number `last` has been carried out, before it hears
    the answer.

    That is the worst moment there is: killed a little earlier, it would not have asked; a little
    later, it would forget what it heard.
    """

    def __init__(self, http: HttpClient, last: int, methods: Container[str]) -> None:
        self._living, self._left, self._methods = http, last, methods

    async def ask(
        self, method: str, path: str, *, accept: frozenset[int] = frozenset(), **request: Any
    ) -> Answer:
        answer = await self._living.ask(method, path, accept=accept, **request)
        self._left -= method in self._methods
        if self._left == 0 and method in self._methods:
            raise Killed
        return answer


class Meanwhile(HttpClient):
    """See `World.meanwhile`: the other's deed falls between Tryton's answer and our hearing it."""

    def __init__(self, http: HttpClient, act: Callable[[], None], after: str) -> None:
        self._quiet, self._act, self._after, self.acted = http, act, after, False

    async def ask(
        self, method: str, path: str, *, accept: frozenset[int] = frozenset(), **request: Any
    ) -> Answer:
        answer = await self._quiet.ask(method, path, accept=accept, **request)
        if not self.acted and method == "GET" and path.endswith(f"/{self._after}"):
            self.acted = True
            self._act()
        return answer


def moved(call: CallEvent, by: timedelta) -> CallEvent:
    """The call at another time. Tryton's clock is the real one, so that a test moves the call, not
    Tryton.
    """
    return replace(call, arrived_at=call.arrived_at + by, ended_at=call.ended_at + by)


@pytest.fixture(scope="session")
def tryton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    """A running Tryton for all tests of this process."""
    with tryton_server(tmp_path_factory.mktemp("tryton")) as server:
        yield server


@pytest_asyncio.fixture
async def tryton_world(tryton: TrytonServer) -> AsyncIterator[World]:
    made = World(tryton)
    yield made
    await made.close()
