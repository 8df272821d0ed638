"""An EspoCRM on its contract server."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, ClassVar

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.espocrm.adapter import EspoCrm
from router.receivers.espocrm.api import OBJECTS
from tests.contracts.espocrm import IVAN, KEY, OLGA, Installation
from tests.contracts.serving import served
from tests.integration.crm_timelines import Shown, TimelineAccount
from tests.support.builders import Clock

FIELD, UID = EspoCrm.usual_field, EspoCrm.uid


class EspoCrmAccount(TimelineAccount):
    name = "espocrm"
    token: ClassVar = {"key": KEY}
    wrong_token: ClassVar = {"key": "another-key"}
    list_field = "cSource"
    stage = "Closed Won"
    text_field = "cCampaign"
    user, user_who_left, no_user = OLGA, IVAN, "65a0c0ffee0000009"
    refused_user = IVAN
    adds_fields = False

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.account = Installation(clock)
        for name in OBJECTS.values():
            self.account.fields[name] |= {name: {"type": "varchar"} for name in (FIELD, UID)}
        deals = self.account.fields["Opportunity"]
        deals["cCampaign"] = {"type": "varchar"}
        deals["cSource"] = {"type": "enum", "options": ["", "Google"]}

    def serve(self) -> AbstractAsyncContextManager[str]:
        return served(self.account.app)

    def add(self, kind: EntityKind, **given: Any) -> Ref:
        values: dict[str, Any] = {FIELD: given.get("client_id")}
        if kind is EntityKind.DEAL:
            stage = "Closed Lost" if given.get("closed") else "Prospecting"
            values |= {"name": "Windows", "stage": stage, "contactsIds": [given["contact"].id]}
        else:
            values |= {"phoneNumber": given.get("phone"), "lastName": "Anna"}
        return Ref(kind=kind, id=self.account.add(OBJECTS[kind], **values))

    def row(self, ref: Ref) -> dict[str, Any]:
        return self.account.rows[OBJECTS[ref.kind]][ref.id]

    def client_id(self, ref: Ref) -> str | None:
        value: str | None = self.row(ref).get(FIELD)
        return value

    def count(self, kind: EntityKind) -> int:
        return len(self.account.rows[OBJECTS[kind]])

    def size(self) -> int:
        return sum(len(rows) for rows in self.account.rows.values())

    def notes(self, ref: Ref) -> list[str]:
        notes = self.account.rows["Note"].values()
        return [note["post"] for note in notes if note["parentId"] == ref.id]

    def texts(self, ref: Ref) -> list[str]:
        return [*self.notes(ref), str(self.row(ref).get("description") or "")]

    def delete(self, ref: Ref) -> None:
        del self.account.rows[OBJECTS[ref.kind]][ref.id]

    def linked(self, deal: Ref) -> set[Ref]:
        row = self.row(deal)
        found = {Ref(kind=EntityKind.CONTACT, id=key) for key in row.get("contactsIds", ())}
        if "accountId" in row:
            found.add(Ref(kind=EntityKind.COMPANY, id=row["accountId"]))
        return found

    def text(self, deal: Ref) -> str:
        return str(self.row(deal)["cCampaign"])

    def hide_users(self) -> None:
        self.account.role["User"]["read"] = "own"

    def give(self, ref: Ref, user: str) -> None:
        self.row(ref)["assignedUserId"] = user

    def responsible(self, ref: Ref) -> str | None:
        return self.row(ref).get("assignedUserId")

    def tasks(self, ref: Ref) -> list[Shown]:
        return [_shown(task) for task in self._of(ref, "Task") if task["status"] == "Not Started"]

    def calls(self, ref: Ref) -> list[Shown]:
        kinds = {"status": "Held", "direction": "Inbound"}
        return [_shown(call) for call in self._of(ref, "Call") if kinds.items() <= call.items()]

    def _of(self, ref: Ref, name: str) -> list[dict[str, Any]]:
        return [row for row in self.account.rows[name].values() if row["parentId"] == ref.id]

    def refuse_for_a_while(self, requests: int) -> None:
        self.account.busy = requests

    @property
    def violations(self) -> list[str]:
        return self.account.violations


def _shown(row: dict[str, Any]) -> Shown:
    ends = datetime.fromisoformat(row["dateEnd"])
    starts = datetime.fromisoformat(row.get("dateStart") or row["dateEnd"])
    return Shown(
        subject=row["name"],
        text=row["description"],
        owner=row["assignedUserId"],
        day=f"{starts:%Y-%m-%d}",
        seconds=round((ends - starts).total_seconds()) or None,
    )
