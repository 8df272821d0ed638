"""A Bitrix24 portal on its contract server, for the tests that are common to CRMs."""

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from router.domain.delivery.entity import EntityKind, Ref
from tests.contracts.bitrix24 import Bitrix24Server
from tests.contracts.bitrix24_portal import DEAL, TYPES, Problem, as_phone
from tests.contracts.serving import served
from tests.integration.crm_accounts import CrmAccount
from tests.support.builders import Clock

FIELD, SOURCE = "UF_CRM_GA_CLIENT_ID", "UF_CRM_SOURCE"
LINKS = {EntityKind.CONTACT: "contactId", EntityKind.COMPANY: "companyId"}


class Busy(Bitrix24Server):
    """A portal that may refuse the next requests."""

    busy = 0

    def _count(self) -> None:
        if self.busy:
            self.busy -= 1
            raise Problem(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")


class Bitrix24Account(CrmAccount):
    """Notes are comments of a timeline."""

    name = "bitrix24"
    token: ClassVar = {"webhook": "7/c0de"}
    wrong_token: ClassVar = {"webhook": "7/another"}
    list_field = SOURCE
    no_place: ClassVar = {"category": "99"}
    new_field = "UF_CRM_RINGTRACE"

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.server = Busy()
        self.portal = self.server.portal
        self.portal.clock = clock
        for fields in self.portal.user_fields.values():
            fields.add(FIELD)
        self.portal.user_fields[DEAL].add(SOURCE)
        options = [{"ID": "44", "VALUE": "Google"}]
        self.portal.described[DEAL, SOURCE] = {"type": "enumeration", "items": options}

    def serve(self) -> AbstractAsyncContextManager[str]:
        return served(self.server.app)

    def add(self, kind: EntityKind, **given: Any) -> Ref:
        values: dict[str, Any] = {"name": "Anna", "title": "Windows"}
        if "phone" in given:
            values["fm"] = as_phone(given["phone"])
        if "contact" in given:
            values["contactId"] = int(given["contact"].id)
        if "client_id" in given:
            values[FIELD] = given["client_id"]
        number = self.portal.add(TYPES[kind], values)
        ref = Ref(kind=kind, id=str(number))
        if given.get("closed"):
            self.row(ref).update(closed="Y", stageSemanticId="S")
        return ref

    def row(self, ref: Ref) -> dict[str, Any]:
        return self.portal.items[TYPES[ref.kind]][int(ref.id)]

    def client_id(self, ref: Ref) -> str | None:
        return self.row(ref).get(FIELD) or None

    def count(self, kind: EntityKind) -> int:
        return len(self.portal.items[TYPES[kind]])

    def size(self) -> int:
        return len(self.portal.comments) + sum(map(len, self.portal.items.values()))

    def notes(self, ref: Ref) -> list[str]:
        place = (TYPES[ref.kind], int(ref.id))
        mine = (
            comment
            for comment in self.portal.comments
            if (comment["kind"], comment["number"]) == place
        )
        return [comment["COMMENT"] for comment in mine]

    def texts(self, ref: Ref) -> list[str]:
        return [*self.notes(ref), self.row(ref).get("comments", "")]

    def delete(self, ref: Ref) -> None:
        del self.portal.items[TYPES[ref.kind]][int(ref.id)]

    def linked(self, deal: Ref) -> set[Ref]:
        row = self.row(deal)
        return {Ref(kind=kind, id=str(row[name])) for kind, name in LINKS.items() if row.get(name)}

    def refuse_for_a_while(self, requests: int) -> None:
        self.server.busy = requests

    @property
    def violations(self) -> list[str]:
        return self.server.breaches
