"""A Pipedrive account on its contract server."""

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.pipedrive.adapter import Pipedrive
from tests.contracts.pipedrive import TOKEN, Account
from tests.contracts.serving import served
from tests.integration.crm_timelines import Shown, TimelineAccount
from tests.support.builders import Clock

PATHS = {
    EntityKind.CONTACT: "persons",
    EntityKind.COMPANY: "organizations",
    EntityKind.DEAL: "deals",
    EntityKind.LEAD: "leads",
}
FIELD = "GA client ID"
UID = Pipedrive.uid


class PipedriveAccount(TimelineAccount):
    name = "pipedrive"
    token: ClassVar = {"token": TOKEN}
    wrong_token: ClassVar = {"token": "another-token"}
    list_field = "Source"
    stage = "5"
    text_field = "Campaign"

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.account = Account(clock)
        for of in self.account.fields:
            for name in (FIELD, UID):
                self.account.add_field(of, name)
        self.account.add_field("deal", "Source", "enum", "google")
        self.account.add_field("deal", "Campaign")

    def serve(self) -> AbstractAsyncContextManager[str]:
        return served(self.account.app)

    def add(self, kind: EntityKind, **given: Any) -> Ref:
        values: dict[str, Any] = {"custom": {}}
        if given.get("client_id"):
            values["custom"] = {FIELD: given["client_id"]}
        if kind is EntityKind.CONTACT:
            values |= {"name": "Anna", "phones": [{"value": given.get("phone", "")}]}
            values |= {"org_id": int(given["company"].id)} if "company" in given else {}
        elif kind is EntityKind.COMPANY:
            values["name"] = "Windows Ltd"
        else:
            values["title"] = "Windows"
            values["person_id"] = int(given["contact"].id)
            values |= {"status": "won"} if given.get("closed") else {}
        return Ref(kind=kind, id=self.account.add(PATHS[kind], **values))

    def row(self, ref: Ref) -> dict[str, Any]:
        return self.account.rows[PATHS[ref.kind]][ref.id]

    def client_id(self, ref: Ref) -> str | None:
        code = self.account.code(PATHS[ref.kind], FIELD)
        value: str | None = self.row(ref)["custom_fields"].get(code)
        return value

    def count(self, kind: EntityKind) -> int:
        return len(self.account.rows[PATHS[kind]])

    def size(self) -> int:
        return (
            len(self.account.notes)
            + len(self.account.activities.rows)
            + sum(len(rows) for rows in self.account.rows.values())
        )

    def notes(self, ref: Ref) -> list[str]:
        key = f"{PATHS[ref.kind][:-1].replace('organization', 'org')}_id"
        return [note["content"] for note in self.account.notes if str(note.get(key)) == ref.id]

    def delete(self, ref: Ref) -> None:
        if ref.kind is EntityKind.LEAD:
            del self.account.rows["leads"][ref.id]
        else:
            self.row(ref)["is_deleted"] = True

    def linked(self, deal: Ref) -> set[Ref]:
        row, found = self.row(deal), set()
        for kind, key in {EntityKind.CONTACT: "person_id", EntityKind.COMPANY: "org_id"}.items():
            if row.get(key):
                found.add(Ref(kind=kind, id=str(row[key])))
        return found

    def text(self, deal: Ref) -> str:
        return str(self.row(deal)["custom_fields"][self.account.code("deals", "Campaign")])

    def hide_users(self) -> None:
        self.account.activities.users_hidden = True

    def give(self, ref: Ref, user: str) -> None:
        self.row(ref)["owner_id"] = int(user)

    def responsible(self, ref: Ref) -> str | None:
        return str(self.row(ref)["owner_id"])

    def tasks(self, ref: Ref) -> list[Shown]:
        return self._activities(ref, done=False)

    def calls(self, ref: Ref) -> list[Shown]:
        return self._activities(ref, done=True)

    def _activities(self, ref: Ref, *, done: bool) -> list[Shown]:
        place = f"{PATHS[ref.kind][:-1].replace('organization', 'org')}_id"
        return [
            Shown(
                subject=activity["subject"],
                text=activity["note"],
                owner=str(activity["owner_id"]),
                day=activity["due_date"],
                seconds=_seconds(activity.get("duration")),
            )
            for activity in self.account.activities.of(place, ref.id)
            if activity["done"] is done and activity["type"] == "call"
        ]

    def refuse_for_a_while(self, requests: int) -> None:
        self.account.busy = requests

    @property
    def violations(self) -> list[str]:
        return self.account.violations


def _seconds(clock: str | None) -> int | None:
    if clock is None:
        return None
    hours, minutes, seconds = map(int, clock.split(":"))
    return (hours * 60 + minutes) * 60 + seconds
