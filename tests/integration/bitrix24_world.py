"""A portal, a process of ours beside it, and calls: what the tests of the Bitrix24 account
need.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from router.domain.delivery.connection import Connection, Mode
from router.domain.delivery.outcome import Outcome
from router.receivers.bitrix24.adapter import Bitrix24
from router.receivers.http import Answer, HttpClient
from router.service.delivery.crm_fill import Annotated
from router.service.delivery.crm_update import annotate
from router.service.delivery.outcomes import ReceiverUnavailable
from tests.contracts.bitrix24 import Bitrix24Server
from tests.contracts.bitrix24_portal import CONTACT, as_phone
from tests.contracts.serving import served
from tests.support.builders import later
from tests.support.crm_calls import ANNA, call_event, connection

FIELD = "UF_CRM_GA_CLIENT_ID"
OWN = connection("bitrix24")
TELEPHONY = connection("bitrix24", mode=Mode.TELEPHONY)
SHAPES: list[Callable[[str], str]] = [
    lambda ten: f"+7{ten}",
    lambda ten: f"7{ten}",
    lambda ten: f"8{ten}",
    lambda ten: ten,
    lambda ten: f"8 ({ten[:3]}) {ten[3:6]}-{ten[6:8]}-{ten[8:]}",
    lambda ten: f"+7 {ten[:3]} {ten[3:]}, 104",
]


class Breaking(HttpClient):
    """Its line breaks after so many requests, each of which was carried out."""

    left = 0

    async def ask(
        self, method: str, path: str, *, accept: frozenset[int] = frozenset(), **request: Any
    ) -> Answer:
        answer = await super().ask(method, path, accept=accept, **request)
        self.left -= 1
        if self.left == 0:
            raise ReceiverUnavailable(Outcome.text("the line broke"))
        return answer


class World:
    """A portal with its fields, and our way to it; `renew` is cheaper than another server."""

    address: str
    line: Breaking

    def renew(self, breaks_after: int = 0) -> None:
        """An empty portal, and a line that breaks after so many requests."""
        self.server = Bitrix24Server()
        self.portal = self.server.portal
        for kind in self.portal.user_fields:
            self.portal.user_fields[kind].add(FIELD)
        self.line.left = breaks_after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.server.app(scope, receive, send)

    async def tell_until_done(self, account: Connection = OWN, **more: Any) -> bool:
        """Tell, and if the line breaks tell once more. Whether it broke."""
        try:
            await self.tell(account, **more)
        except ReceiverUnavailable:
            await self.tell(account, **more)
            return True
        return False

    def crm(self, account: Connection = OWN, webhook: str = "7/c0de") -> Bitrix24:
        return Bitrix24(account, {"webhook": webhook}, self.line)

    async def tell(
        self, account: Connection = OWN, call: Any = None, after: float = 75, **more: Any
    ) -> Annotated:
        """Annotate so many seconds after noon; the call ended at 60."""
        call, more = call or call_event(), {"looks": 0, **more}
        return await annotate(self.crm(account), account, call, now=later(after), **more)

    def all(self, kind: int) -> list[dict[str, Any]]:
        return list(self.portal.items[kind].values())

    def person(self, phone: str = ANNA, kind: int = CONTACT, **more: Any) -> int:
        return self.portal.add(
            kind, {"name": "Anna", "title": "Anna", "fm": as_phone(phone)}, **more
        )


@pytest.fixture
async def bitrix24_world() -> AsyncIterator[World]:
    made = World()
    async with served(made) as address:
        made.line, made.address = Breaking(address, {}), address.removeprefix("http://")
        made.renew()
        yield made
        await made.line.close()
    assert not made.server.breaches
