"""A BottleCRM on its contract server."""

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.bottlecrm.adapter import BottleCrm
from router.receivers.bottlecrm.api import LINKS, PATHS
from tests.contracts.bottlecrm import IVAN, MODELS, NOBODY, OLGA, TOKEN, Organization
from tests.contracts.serving import served
from tests.integration.crm_timelines import Shown, TimelineAccount
from tests.support.builders import Clock

FIELD, UID = BottleCrm.usual_field, BottleCrm.uid


class BottleCrmAccount(TimelineAccount):
    name = "bottlecrm"
    token: ClassVar = {"token": TOKEN}
    wrong_token: ClassVar = {"token": "bcrm_pat_another"}
    list_field, text_field, longest = "source", "campaign", None
    stage = "CLOSED_WON"
    user, user_who_left, no_user, refused_user = OLGA, IVAN, NOBODY, IVAN

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.account = Organization(clock)
        for model in MODELS.values():
            for key in (FIELD, UID):
                self.account.define(model, key)
        self.account.define("Opportunity", "campaign")
        google = [{"label": "Google", "value": "Google"}]
        self.account.define("Opportunity", "source", "dropdown", options=google)

    def serve(self) -> AbstractAsyncContextManager[str]:
        return served(self.account.app)

    def add(self, kind: EntityKind, **given: Any) -> Ref:
        values: dict[str, Any] = {"custom_fields": {FIELD: given.get("client_id")}}
        if kind is EntityKind.DEAL:
            stage = "CLOSED_LOST" if given.get("closed") else "PROSPECTING"
            values |= {"name": "Windows", "stage": stage, "contacts": [given["contact"].id]}
        else:
            values |= {"phone": given.get("phone"), "first_name": "Anna"}
        return Ref(kind=kind, id=self.account.add(PATHS[kind], **values))

    def row(self, ref: Ref) -> dict[str, Any]:
        return self.account.rows[PATHS[ref.kind]][ref.id]

    def client_id(self, ref: Ref) -> str | None:
        value: str | None = self.row(ref)["custom_fields"].get(FIELD)
        return value

    def count(self, kind: EntityKind) -> int:
        return len(self.account.rows[PATHS[kind]])

    def size(self) -> int:
        return len(self.account.comments) + sum(map(len, self.account.rows.values()))

    def notes(self, ref: Ref) -> list[str]:
        return [one["comment"] for one in self.account.comments if one["of"] == ref.id]

    def texts(self, ref: Ref) -> list[str]:
        return [*self.notes(ref), str(self.row(ref).get("description") or "")]

    def delete(self, ref: Ref) -> None:
        del self.account.rows[PATHS[ref.kind]][ref.id]

    def linked(self, deal: Ref) -> set[Ref]:
        row = self.row(deal)
        found = {Ref(kind=EntityKind.CONTACT, id=key) for key in row.get("contacts", ())}
        if "account" in row:
            found.add(Ref(kind=EntityKind.COMPANY, id=row["account"]))
        return found

    def text(self, deal: Ref) -> str:
        return str(self.row(deal)["custom_fields"]["campaign"])

    def hide_users(self) -> None:
        self.account.admin = False

    def give(self, ref: Ref, user: str) -> None:
        self.row(ref)["assigned_to"] = [user]

    def responsible(self, ref: Ref) -> str | None:
        return next(iter(self.row(ref).get("assigned_to", ())), None)

    def tasks(self, ref: Ref) -> list[Shown]:
        return [_shown(one, "title", "description", "due_date") for one in self._of(ref, "tasks")]

    def calls(self, ref: Ref) -> list[Shown]:
        calls = self._of(ref, "interactions")
        return [_shown(one, "subject", "body", "occurred_at") for one in calls]

    def _of(self, ref: Ref, name: str) -> list[dict[str, Any]]:
        rows = self.account.rows[name].values()
        return [one for one in rows if one.get(LINKS[ref.kind]) == ref.id]

    def refuse_for_a_while(self, requests: int) -> None:
        self.account.busy = requests

    @property
    def violations(self) -> list[str]:
        return self.account.violations


def _shown(one: dict[str, Any], subject: str, text: str, day: str) -> Shown:
    owner = next(iter(one.get("assigned_to", ())), None)
    return Shown(subject=one[subject], text=one[text], owner=owner, day=one[day][:10])
