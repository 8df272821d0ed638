"""A Zoho CRM organization on its contract server."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.zoho.adapter import Zoho
from tests.contracts.serving import served
from tests.contracts.zoho import GRANT, Organization
from tests.integration.crm_timelines import Shown, TimelineAccount
from tests.support.builders import Clock

MODULES = {
    EntityKind.CONTACT: "Contacts",
    EntityKind.COMPANY: "Accounts",
    EntityKind.LEAD: "Leads",
    EntityKind.DEAL: "Deals",
}
FIELD = "GA_Client_ID"
UID = Zoho.uid


class ZohoAccount(TimelineAccount):
    name = "zoho"
    token: ClassVar = GRANT
    wrong_token: ClassVar = {**GRANT, "refresh_token": "1000.ANOTHER"}
    list_field = "Source"
    stage = "Closed Won"
    text_field = "Campaign"

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.account = Organization(clock)
        for module in MODULES.values():
            self.account.fields[module] |= {FIELD: "text", UID: "text"}
            self.account.unique.add((module, UID))
        self.account.fields["Deals"] |= {"Source": "picklist", "Campaign": "text"}
        self.account.options["Source"] = ("google",)

    def serve(self) -> AbstractAsyncContextManager[str]:
        return served(self.account.app)

    def connection(self, *, options: Mapping[str, str] | None = None, **fields: Any) -> Connection:
        return super().connection(
            options={"accounts": self.line.address, **(options or {})}, **fields
        )

    def add(self, kind: EntityKind, **given: Any) -> Ref:
        values: dict[str, Any] = {FIELD: given.get("client_id")}
        if kind is EntityKind.DEAL:
            stage = "Closed Won" if given.get("closed") else "Qualification"
            values |= {"Deal_Name": "Windows", "Stage": stage}
            values["Contact_Name"] = {"id": given["contact"].id}
        else:
            values |= {"Phone": given.get("phone"), "Last_Name": "Anna"}
        return Ref(kind=kind, id=self.account.add(MODULES[kind], **values))

    def row(self, ref: Ref) -> dict[str, Any]:
        return self.account.rows[MODULES[ref.kind]][ref.id]

    def client_id(self, ref: Ref) -> str | None:
        value: str | None = self.row(ref).get(FIELD)
        return value

    def count(self, kind: EntityKind) -> int:
        return len(self.account.rows[MODULES[kind]])

    def size(self) -> int:
        return sum(
            len(rows) for rows in [*self.account.rows.values(), *self.account.notes.values()]
        )

    def notes(self, ref: Ref) -> list[str]:
        notes = self.account.notes.get((MODULES[ref.kind], ref.id), [])
        return [note["Note_Content"] for note in notes]

    def texts(self, ref: Ref) -> list[str]:
        return [*self.notes(ref), str(self.row(ref).get("Description") or "")]

    def delete(self, ref: Ref) -> None:
        del self.account.rows[MODULES[ref.kind]][ref.id]

    def linked(self, deal: Ref) -> set[Ref]:
        names = {EntityKind.CONTACT: "Contact_Name", EntityKind.COMPANY: "Account_Name"}
        row = self.row(deal)
        return {Ref(kind=kind, id=row[name]["id"]) for kind, name in names.items() if name in row}

    def text(self, deal: Ref) -> str:
        return str(self.row(deal)["Campaign"])

    def hide_users(self) -> None:
        self.account.users_hidden = True

    def give(self, ref: Ref, user: str) -> None:
        self.row(ref)["Owner"] = {"id": user}

    def responsible(self, ref: Ref) -> str | None:
        return str(self.row(ref)["Owner"]["id"])

    def tasks(self, ref: Ref) -> list[Shown]:
        return [
            Shown(
                subject=task["Subject"],
                text=task["Description"],
                owner=task["Owner"]["id"],
                day=task["Due_Date"],
            )
            for task in self._of("Tasks", ref)
        ]

    def calls(self, ref: Ref) -> list[Shown]:
        return [
            Shown(
                subject=call["Subject"],
                text=call["Description"],
                owner=call["Owner"]["id"],
                day=call["Call_Start_Time"][:10],
                seconds=_seconds(call["Call_Duration"]),
            )
            for call in self._of("Calls", ref)
        ]

    def _of(self, module: str, ref: Ref) -> list[dict[str, Any]]:
        place = "Who_Id" if ref.kind is EntityKind.CONTACT else "What_Id"
        rows = self.account.rows[module].values()
        return [row for row in rows if row.get(place) == {"id": ref.id}]

    def refuse_for_a_while(self, requests: int) -> None:
        self.account.busy = requests

    @property
    def violations(self) -> list[str]:
        return self.account.violations


def _seconds(clock: str) -> int:
    minutes, seconds = map(int, clock.split(":"))
    return minutes * 60 + seconds
