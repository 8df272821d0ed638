"""A HubSpot account on its contract server, for the tests that are common to CRMs."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.hubspot import api
from tests.contracts.hubspot import TOKEN, Hubspot
from tests.contracts.serving import served
from tests.integration.crm_accounts import CrmAccount
from tests.support.builders import Clock

TYPES = {
    EntityKind.CONTACT: "contacts",
    EntityKind.COMPANY: "companies",
    EntityKind.LEAD: "leads",
    EntityKind.DEAL: "deals",
}
FIELD, CALL = "ga_client_id", "ct_call_uid"
NAMES = {EntityKind.CONTACT: "firstname", EntityKind.COMPANY: "name"}
NAMES |= {EntityKind.LEAD: "hs_lead_name", EntityKind.DEAL: "dealname"}
SLOWER = {"policyName": "TEN_SECONDLY_ROLLING", "message": "slower"}


class Timed(Hubspot):
    """An account that knows the time."""

    def __init__(self, time: Clock) -> None:
        super().__init__(time())
        self.time, self.unknown = time, list[str]()

    async def _answer(self, request: Request) -> Response:
        self.account.now = self.time()
        answer = await super()._answer(request)
        if isinstance(answer, HTMLResponse):
            self.unknown.append(f"{request.method} {request.url.path}")
        return answer


class HubspotAccount(CrmAccount):
    """Links are associations; what people add was there long enough for the search."""

    name = "hubspot"
    token: ClassVar = {"token": TOKEN}
    wrong_token: ClassVar = {"token": "another-token"}
    list_field = "source"
    no_place: ClassVar = {"stage": "99"}

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.hub = Timed(clock)
        self.account = self.hub.account
        for kind in TYPES.values():
            for name in (FIELD, CALL):
                unique = {"hasUniqueValue": name == CALL, "readOnly": False}
                self.account.properties[kind][name] = {"name": name, **unique}
        options = {"type": "enumeration", "options": [{"label": "Google", "value": "google"}]}
        about = {"name": "source", "hasUniqueValue": False, "readOnly": False, **options}
        self.account.properties["deals"]["source"] = about

    def serve(self) -> AbstractAsyncContextManager[str]:
        return self._serve()

    @asynccontextmanager
    async def _serve(self) -> AsyncIterator[str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(api, "SEARCHES_PER_SECOND", 1e6)
            async with served(self.hub.app) as address:
                yield address

    def add(self, kind: EntityKind, **given: Any) -> Ref:
        self.account.now = self.clock()
        values = {NAMES[kind]: "Anna", **({"phone": given["phone"]} if "phone" in given else {})}
        if kind in {EntityKind.DEAL, EntityKind.LEAD}:
            values.pop("phone", None)
        if kind is EntityKind.DEAL:
            stage = "closedwon" if given.get("closed") else "appointmentscheduled"
            values |= {"pipeline": "default", "dealstage": stage}
        if "client_id" in given:
            values[FIELD] = given["client_id"]
        links = [("contacts", given["contact"].id)] if "contact" in given else []
        made = self.account.create(TYPES[kind], values, "telephony", links)
        made.seen = [(self.clock(), shown) for _, shown in made.seen]
        return Ref(kind=kind, id=made.id)

    def client_id(self, ref: Ref) -> str | None:
        return self.account.objects[TYPES[ref.kind]][ref.id].properties.get(FIELD) or None

    def count(self, kind: EntityKind) -> int:
        return len(self.account.objects[TYPES[kind]])

    def size(self) -> int:
        return sum(map(len, self.account.objects.values()))

    def notes(self, ref: Ref) -> list[str]:
        ids = self.account.linked(TYPES[ref.kind], ref.id, "notes")
        return [self.account.objects["notes"][id_].properties["hs_note_body"] for id_ in ids]

    def texts(self, ref: Ref) -> list[str]:
        row = self.account.objects[TYPES[ref.kind]][ref.id]
        return [*self.notes(ref), row.properties.get("description", "")]

    def delete(self, ref: Ref) -> None:
        kind = TYPES[ref.kind]
        del self.account.objects[kind][ref.id]
        mine = (kind, ref.id)
        self.account.links = {
            link for link in self.account.links if mine not in (link[:2], link[2:])
        }

    def linked(self, deal: Ref) -> set[Ref]:
        return {
            Ref(kind=kind, id=id_)
            for kind in (EntityKind.CONTACT, EntityKind.COMPANY)
            for id_ in self.account.linked(TYPES[deal.kind], deal.id, TYPES[kind])
        }

    def refuse_for_a_while(self, requests: int) -> None:
        self.hub.instead.extend(JSONResponse(SLOWER, 429) for _ in range(requests))

    @property
    def violations(self) -> list[str]:
        """Requests for what HubSpot does not have; what it refuses is an error of the adapter."""
        return self.hub.unknown
