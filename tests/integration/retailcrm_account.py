"""A RetailCRM account on its contract server, for the tests that are common to CRMs."""

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from router.domain.delivery.entity import EntityKind, Ref
from tests.contracts.retailcrm import Account
from tests.contracts.serving import served
from tests.integration.crm_accounts import CrmAccount
from tests.support.builders import Clock

FIELD = "ga_client_id"
PATHS = {
    EntityKind.CONTACT: "customers",
    EntityKind.COMPANY: "customers-corporate",
    EntityKind.LEAD: "orders",
    EntityKind.DEAL: "orders",
}


class RetailCrmAccount(CrmAccount):
    """Leads and deals are orders; a note on an order is a paragraph of its comment."""

    name = "retailcrm"
    token: ClassVar = {"key": Account.key}
    wrong_token: ClassVar = {"key": "another-key"}
    options: ClassVar = {"site": "shop"}
    list_field = "source"
    no_place: ClassVar = {"method": "99"}

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.account = Account(clock)
        self.account.fields["order"].add("source")
        about = {"type": "dictionary", "dictionary": "sources"}
        self.account.described["order", "source"] = about
        self.account.dictionaries["sources"] = {"google": "Google"}

    def serve(self) -> AbstractAsyncContextManager[str]:
        return served(self.account.app)

    def add(self, kind: EntityKind, **given: Any) -> Ref:
        values: dict[str, Any] = {}
        if given.get("client_id"):
            values["customFields"] = {FIELD: given["client_id"]}
        if kind is EntityKind.CONTACT:
            values |= {"firstName": "Anna", "phones": [{"number": given.get("phone", "")}]}
        elif kind is EntityKind.COMPANY:
            values |= {"nickName": "Windows Ltd"}
        else:
            contact = int(given["contact"].id)
            person = self.account.rows["customers"][contact]
            values |= {"customer": {"id": contact, "type": "customer"}}
            values |= {"phone": person["phones"][0]["number"]}
            values |= {"status": "complete"} if given.get("closed") else {}
        return Ref(kind=kind, id=str(self.account.add(PATHS[kind], **values)))

    def row(self, ref: Ref) -> dict[str, Any]:
        return self.account.rows[PATHS[ref.kind]][int(ref.id)]

    def client_id(self, ref: Ref) -> str | None:
        return self.row(ref)["customFields"].get(FIELD) or None

    def count(self, kind: EntityKind) -> int:
        return len(self.account.rows[PATHS[kind]])

    def size(self) -> int:
        return sum(len(rows) for rows in self.account.rows.values())

    def notes(self, ref: Ref) -> list[str]:
        comment = self.row(ref).get("managerComment", "")
        return [part for part in comment.split("\n\n") if "[ringtrace-" in part]

    def delete(self, ref: Ref) -> None:
        del self.account.rows[PATHS[ref.kind]][int(ref.id)]

    def linked(self, deal: Ref) -> set[Ref]:
        row, found = self.row(deal), set[Ref]()
        buyer, contact = row.get("customer"), row.get("contact")
        if buyer:
            firm = buyer.get("type") == "customer_corporate"
            kind = EntityKind.COMPANY if firm else EntityKind.CONTACT
            found.add(Ref(kind=kind, id=str(buyer["id"])))
        if contact:
            found.add(Ref(kind=EntityKind.CONTACT, id=str(contact["id"])))
        return found

    def refuse_for_a_while(self, requests: int) -> None:
        self.account.busy = requests

    @property
    def violations(self) -> list[str]:
        return self.account.violations
