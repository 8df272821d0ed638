"""A HubSpot account behind its contract server, the adapter that speaks to it, and calls to tell it
of.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection, Mode, Rules, Scenario
from router.receivers.http import Answer, HttpClient
from router.receivers.hubspot import api
from router.receivers.hubspot.adapter import Hubspot
from router.service.delivery.crm_fill import Annotated
from router.service.delivery.crm_update import annotate
from router.service.delivery.outcomes import NotYet
from tests.contracts import hubspot as contract
from tests.contracts.hubspot_objects import Account, Object
from tests.contracts.serving import served
from tests.support.builders import NOON, later

CALLER, CLIENT_ID = "+79123456789", "111.222"


class Died(Exception):
    """The process was killed."""


class Dying:
    """Requests of a process that is killed when the last of `left` has been carried out."""

    def __init__(self, http: HttpClient, left: int) -> None:
        self._http, self.left, self.clock_ahead = http, left, http.clock_ahead

    async def ask(self, method: str, path: str, **request: Any) -> Answer:
        answer = await self._http.ask(method, path, **request)
        self.left -= 1
        if self.left == 0:
            raise Died
        return answer


class World:
    """The account, empty but for our properties, and a way to start a process that tells it of a
    call.
    """

    def __init__(self, hub: contract.Hubspot, address: str, http: HttpClient) -> None:
        self.hub, self.address, self.http = hub, address, http
        self._empty = deepcopy(hub.account)

    def empty(self) -> None:
        """Forget everything but properties."""
        self.hub.account = deepcopy(self._empty)

    def adapter(self, rules: Rules | None = None, *, dies_after: int = 0, **fields: Any) -> Hubspot:
        """As a process that has just started has it."""
        http: Any = Dying(self.http, dies_after) if dies_after else self.http
        return Hubspot(connection(rules, **fields), {"token": contract.TOKEN}, http)

    async def tell(
        self,
        call: CallEvent,
        rules: Rules | None = None,
        *,
        dies_after: int = 0,
        mode: Mode = Mode.OWN,
        **more: Any,
    ) -> Annotated:
        """One attempt at a delivery."""
        crm = self.adapter(rules, dies_after=dies_after, mode=mode)
        asked = {"looks": 0, "now": self.hub.account.now, **more}
        return await annotate(crm, connection(rules, mode=mode), call, **asked)

    async def tell_until(
        self,
        call: CallEvent,
        rules: Rules | None = None,
        meanwhile: Mapping[int, Callable[[], None]] | None = None,
    ) -> Annotated:
        """Existing telephony: attempts, each when the last one asked for it; `meanwhile` happens
        before one of them.
        """
        for looks in range(100):
            (meanwhile or {}).get(looks, lambda: None)()
            try:
                return await self.tell(call, rules, mode=Mode.TELEPHONY, looks=looks)
            except NotYet as wait:
                self.hub.account.pass_time(wait.pause.total_seconds())
        raise AssertionError("it waits for ever")

    def put(self, kind: str, values: Mapping[str, str], *links: tuple[str, str]) -> Object:
        """Another user creates an object."""
        return self.hub.account.create(kind, dict(values), "telephony", list(links))

    def logged(self, phone: str, *links: tuple[str, str], at: datetime = NOON) -> Object:
        """The telephony logs a call."""
        values = {
            "hs_timestamp": at.isoformat(),
            "hs_call_direction": "INBOUND",
            "hs_call_from_number": phone,
        }
        return self.put("calls", values, *links)

    def all(self, kind: str) -> list[Object]:
        return list(self.hub.account.objects[kind].values())

    def counts(self) -> dict[str, int]:
        return {kind: len(there) for kind, there in self.hub.account.objects.items() if there}


@asynccontextmanager
async def account(**fields: Any) -> AsyncIterator[World]:
    """A prepared account. Where its search has no limit, none is kept."""
    hub = contract.Hubspot(later(60), **fields)
    async with served(hub.app) as address:
        http = HttpClient(address, {})
        if not _prepared:
            await _prepare(http)
            _prepared.append(deepcopy(hub.account))
        hub.account = deepcopy(_prepared[0])
        with pytest.MonkeyPatch.context() as patch:
            if hub.searches_per_second is None:
                patch.setattr(api, "SEARCHES_PER_SECOND", 1e6)
            yield World(hub, address, http)
        await http.close()


_prepared: list[Account] = []


async def _prepare(http: HttpClient) -> None:
    """Let every way to use the adapter create its properties."""
    for account in (
        connection(mode=Mode.TELEPHONY),
        *(connection(Rules(scenario=scenario)) for scenario in Scenario),
    ):
        await Hubspot(account, {"token": contract.TOKEN}, http).prepare()


def connection(rules: Rules | None = None, **fields: Any) -> Connection:
    values = {"id": "hub", "kind": "hubspot", "address": "http://127.0.0.1", "created_at": NOON}
    return Connection(**{**values, "rules": rules or Rules(), **fields})


def call_event(call_id: str = "pbx-1", caller: str | None = CALLER, **fields: Any) -> CallEvent:
    """An answered call from noon to a minute later."""
    facts = {
        "client_id": CLIENT_ID,
        "source": "google",
        "wait_seconds": "3",
        "talk_seconds": "57",
        "page": "http://our/1",
    }
    facts |= {"call_id": call_id, **({"caller": caller} if caller else {})}
    times = {"arrived_at": NOON, "ended_at": later(60), "answered": True, "talk_seconds": 57.0}
    where = {
        "id": call_id,
        "site_id": "shop",
        "caller": caller,
        "number": "+74950000001",
        "destination_id": "office",
    }
    return CallEvent(**{**where, **times, "facts": facts, **fields})
