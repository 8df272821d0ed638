"""A Salesforce organization on its contract server."""

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.salesforce.adapter import Salesforce
from router.receivers.salesforce.api import OBJECTS
from tests.contracts.salesforce import GRANT, IVAN, OLGA, Organization
from tests.contracts.serving import served
from tests.integration.crm_timelines import Shown, TimelineAccount
from tests.support.builders import Clock

FIELD = "GA_Client_ID__c"
UID = Salesforce.uid


class SalesforceAccount(TimelineAccount):
    name = "salesforce"
    token: ClassVar = GRANT
    wrong_token: ClassVar = {**GRANT, "client_secret": "another-secret"}
    list_field = "Source__c"
    stage = "Closed Won"
    text_field = "Campaign__c"
    user, user_who_left, no_user = OLGA, IVAN, "005000000000099AAA"
    refused_user = IVAN
    adds_fields = False

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.account = Organization(clock)
        for name in OBJECTS.values():
            self.account.fields[name] |= {FIELD: "string", UID: "string"}
            self.account.unique.add((name, UID))
        self.account.fields["Opportunity"] |= {"Source__c": "picklist", "Campaign__c": "string"}
        self.account.options["Source__c"] = ("google",)

    def serve(self) -> AbstractAsyncContextManager[str]:
        return served(self.account.app)

    def add(self, kind: EntityKind, **given: Any) -> Ref:
        values: dict[str, Any] = {FIELD: given.get("client_id")}
        if kind is EntityKind.DEAL:
            stage = "Closed Won" if given.get("closed") else "Prospecting"
            values |= {"Name": "Windows", "StageName": stage, "ContactId": given["contact"].id}
        else:
            values |= {"Phone": given.get("phone"), "LastName": "Anna"}
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
        return [task["Description"] for task in self._tasks(ref) if "ActivityDate" not in task]

    def texts(self, ref: Ref) -> list[str]:
        return [*self.notes(ref), str(self.row(ref).get("Description") or "")]

    def delete(self, ref: Ref) -> None:
        del self.account.rows[OBJECTS[ref.kind]][ref.id]

    def linked(self, deal: Ref) -> set[Ref]:
        names = {EntityKind.CONTACT: "ContactId", EntityKind.COMPANY: "AccountId"}
        row = self.row(deal)
        return {Ref(kind=kind, id=row[name]) for kind, name in names.items() if name in row}

    def text(self, deal: Ref) -> str:
        return str(self.row(deal)["Campaign__c"])

    def hide_users(self) -> None:
        self.account.hidden.add("User")

    def give(self, ref: Ref, user: str) -> None:
        self.row(ref)["OwnerId"] = user

    def responsible(self, ref: Ref) -> str | None:
        return str(self.row(ref)["OwnerId"])

    def tasks(self, ref: Ref) -> list[Shown]:
        return [_shown(task) for task in self._tasks(ref) if task.get("Status") != "Completed"]

    def calls(self, ref: Ref) -> list[Shown]:
        kinds = {"TaskSubtype": "Call", "CallType": "Inbound", "Status": "Completed"}
        return [_shown(task) for task in self._tasks(ref) if kinds.items() <= task.items()]

    def _tasks(self, ref: Ref) -> list[dict[str, Any]]:
        tasks = self.account.rows["Task"].values()
        return [task for task in tasks if ref.id in {task.get("WhatId"), task.get("WhoId")}]

    def refuse_for_a_while(self, requests: int) -> None:
        self.account.busy = requests

    @property
    def violations(self) -> list[str]:
        return self.account.violations


def _shown(task: dict[str, Any]) -> Shown:
    return Shown(
        subject=task["Subject"],
        text=task["Description"],
        owner=task["OwnerId"],
        day=task["ActivityDate"],
        seconds=task.get("CallDurationInSeconds"),
    )
