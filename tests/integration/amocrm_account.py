"""An amoCRM account on its contract server, for the tests that are common to CRMs."""

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from router.domain.delivery.entity import EntityKind, Ref
from tests.contracts.amocrm import PAGE_FORPEOPLE, AmoAccount
from tests.contracts.amocrm_book import WON
from tests.contracts.serving import served
from tests.integration.crm_accounts import CrmAccount
from tests.support.builders import Clock

PATHS = {
    EntityKind.CONTACT: "contacts",
    EntityKind.COMPANY: "companies",
    EntityKind.LEAD: "leads",
    EntityKind.DEAL: "leads",
}
FIELDS = {"contacts": "GA_CLIENT_ID", "companies": "GA_CLIENT_ID", "leads": "GCLIENTID"}
CALL, TEXT = "RINGTRACE_CALL_ID", "RINGTRACE_CALL"


class Timed(AmoAccount):
    """An account that knows the time, and may be busy."""

    def __init__(self, time: Clock) -> None:
        super().__init__()
        self.time, self.busy = time, 0

    def _guard(self, request: Request) -> Response | None:
        self.now = int(self.time().timestamp())
        if self.busy:
            self.busy -= 1
            return HTMLResponse(PAGE_FORPEOPLE, 429)
        return super()._guard(request)


class AmoCrmAccount(CrmAccount):
    """Deals are leads there, and leads are unsorted ones."""

    name = "amocrm"
    token: ClassVar = {"token": AmoAccount.token}
    wrong_token: ClassVar = {"token": "another-token"}
    list_field = "Source"
    no_place: ClassVar = {"status": "99"}
    new_field = "GA_CLIENT_ID"

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.account = Timed(clock)
        for path, name in FIELDS.items():
            if path != "leads":
                self.account.add_field(path, type="text", name=name, code=name)
            self.account.add_field(path, type="text", name=CALL, code=CALL)
        self.account.add_field("leads", type="textarea", name=TEXT, code=TEXT)
        enums = [{"id": 1, "value": "Google"}]
        self.account.add_field("leads", type="select", name="Source", enums=enums)

    def serve(self) -> AbstractAsyncContextManager[str]:
        return served(self.account.app)

    def add(self, kind: EntityKind, **given: Any) -> Ref:
        path, values = PATHS[kind], []
        self.account.now = int(self.clock().timestamp())
        if given.get("client_id"):
            values.append({"field_code": FIELDS[path], "values": [{"value": given["client_id"]}]})
        if kind is EntityKind.CONTACT:
            phone = {"value": given.get("phone", ""), "enum_code": "WORK"}
            values.append({"field_code": "PHONE", "values": [phone]})
        row: dict[str, Any] = {"name": "Anna", "custom_fields_values": values}
        linked = {"contacts": [{"id": int(given["contact"].id)}]} if "contact" in given else {}
        if kind is EntityKind.LEAD:
            return self._waits(given["phone"], linked)
        row |= {"_embedded": linked, **({"status_id": WON} if given.get("closed") else {})}
        return Ref(kind=kind, id=str(self.account.put(path, **row)["id"]))

    def _waits(self, phone: str, linked: dict[str, Any]) -> Ref:
        """The telephony puts a call among the unsorted ones."""
        about = {"from": "office", "phone": phone, "called_at": self.account.now, "duration": 50}
        about |= {"uniq": "pbx-7", "link": "https://pbx.example/7.mp3", "service_code": "pbx"}
        row = {"source_name": "PBX", "source_uid": "pbx", "metadata": about, "_embedded": linked}
        (lead,) = self.account.take_call(row)["_embedded"]["leads"]
        return Ref(kind=EntityKind.LEAD, id=str(lead["id"]))

    def client_id(self, ref: Ref) -> str | None:
        path = PATHS[ref.kind]
        return self.account.value(path, ref.id, FIELDS[path])

    def count(self, kind: EntityKind) -> int:
        unsorted = kind is EntityKind.LEAD
        rows = self.account.those(PATHS[kind])
        if kind in (EntityKind.LEAD, EntityKind.DEAL):
            rows = [row for row in rows if bool(row.get("unsorted")) is unsorted]
        return len(rows)

    def size(self) -> int:
        held = [*self.account.entities.values(), *self.account.notes.values()]
        return sum(map(len, held))

    def notes(self, ref: Ref) -> list[str]:
        rows = self.account.notes[PATHS[ref.kind]]
        mine = (row for row in rows if str(row["entity_id"]) == ref.id)
        return [row["params"]["text"] for row in mine if row["note_type"] == "common"]

    def texts(self, ref: Ref) -> list[str]:
        text = self.account.value(PATHS[ref.kind], ref.id, TEXT)
        return [*self.notes(ref), *([text] if text else [])]

    def delete(self, ref: Ref) -> None:
        del self.account.entities[PATHS[ref.kind]][int(ref.id)]

    def linked(self, deal: Ref) -> set[Ref]:
        links = self.account.entities["leads"][int(deal.id)]["_embedded"]
        kinds = (EntityKind.CONTACT, EntityKind.COMPANY)
        return {Ref(kind=kind, id=str(link["id"])) for kind in kinds for link in links[PATHS[kind]]}

    def refuse_for_a_while(self, requests: int) -> None:
        self.account.busy = requests

    @property
    def violations(self) -> list[str]:
        expected = ("Unauthorized", "NotSupportedChoice")  # tests ask for these
        return [one for one in self.account.complaints if not any(word in one for word in expected)]
