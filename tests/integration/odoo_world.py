"""An Odoo database on its contract server, by JSON-2 and by the JSON-RPC of older versions."""

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.odoo.adapter import Odoo
from tests.contracts.odoo import DATABASE, KEY, LOGIN, Database
from tests.contracts.odoo_models import NO_ACCESS
from tests.contracts.serving import served
from tests.integration.crm_timelines import Shown, TimelineAccount
from tests.support.builders import NOON, Clock

FIELD = "x_ga_client_id"
PHONECALL = 2  # the type of activity
UID = Odoo.uid
PEOPLE = {EntityKind.CONTACT, EntityKind.COMPANY}


class OdooAccount(TimelineAccount):
    name = "odoo"
    token: ClassVar = {"key": KEY}
    wrong_token: ClassVar = {"key": "another-key"}
    list_field = "x_source"
    stage = "2"
    refused_user = str(NO_ACCESS)
    text_field = "x_campaign"
    longest = None
    new_field = "x_ringtrace_client_id"

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.database = Database(clock)
        for model in ("res.partner", "crm.lead"):
            for name in (FIELD, UID):
                self.database.add_field(model, name)
        self.database.add_field("crm.lead", "x_source", "google")
        self.database.add_field("crm.lead", "x_campaign")

    def serve(self) -> AbstractAsyncContextManager[str]:
        return served(self.database.app)

    def add(self, kind: EntityKind, **given: Any) -> Ref:
        values: dict[str, Any] = {FIELD: given.get("client_id", False), "name": "Windows"}
        if kind in PEOPLE:
            values |= {"phone": given.get("phone", False), "is_company": kind is EntityKind.COMPANY}
            return self._added(kind, "res.partner", values)
        values |= {"partner_id": int(given["contact"].id)}
        values |= {"type": "lead" if kind is EntityKind.LEAD else "opportunity"}
        values |= {"probability": 100.0} if given.get("closed") else {}
        return self._added(kind, "crm.lead", values)

    def _added(self, kind: EntityKind, model: str, values: dict[str, Any]) -> Ref:
        return Ref(kind=kind, id=str(self.database.add(model, **values)))

    def row(self, ref: Ref) -> dict[str, Any]:
        return self.database.rows[self.model(ref)][int(ref.id)]

    def model(self, ref: Ref) -> str:
        return "res.partner" if ref.kind in PEOPLE else "crm.lead"

    def client_id(self, ref: Ref) -> str | None:
        return self.row(ref)[FIELD] or None

    def count(self, kind: EntityKind) -> int:
        if kind in PEOPLE:
            rows = self.database.rows["res.partner"].values()
            return sum(row["is_company"] is (kind is EntityKind.COMPANY) for row in rows)
        rows = self.database.rows["crm.lead"].values()
        return sum((row["type"] == "lead") is (kind is EntityKind.LEAD) for row in rows)

    def size(self) -> int:
        return sum(len(rows) for rows in self.database.rows.values())

    def notes(self, ref: Ref) -> list[str]:
        place = (self.model(ref), int(ref.id))
        messages = self.database.rows["mail.message"].values()
        return [
            message["body"]
            for message in messages
            if (message["model"], message["res_id"]) == place
        ]

    def texts(self, ref: Ref) -> list[str]:
        return [*self.notes(ref), str(self.row(ref).get("description") or "")]

    def delete(self, ref: Ref) -> None:
        del self.database.rows[self.model(ref)][int(ref.id)]

    def linked(self, deal: Ref) -> set[Ref]:
        """The company is that of the contact."""
        found = set[Ref]()
        key = self.row(deal)["partner_id"]
        while key:
            partner = self.database.rows["res.partner"][key]
            kind = EntityKind.COMPANY if partner["is_company"] else EntityKind.CONTACT
            found.add(Ref(kind=kind, id=str(key)))
            key = partner["parent_id"]
        return found

    def text(self, deal: Ref) -> str:
        return str(self.row(deal)["x_campaign"])

    def hide_users(self) -> None:
        self.database.hidden.add("res.users")

    def give(self, ref: Ref, user: str) -> None:
        self.row(ref)["user_id"] = int(user)

    def responsible(self, ref: Ref) -> str | None:
        return str(self.row(ref)["user_id"] or "") or None

    def tasks(self, ref: Ref) -> list[Shown]:
        rows = self.database.rows["mail.activity"].values()
        place = (self.model(ref), int(ref.id))
        return [
            Shown(
                subject=row["summary"],
                text=row["note"],
                owner=str(row["user_id"] or "") or None,
                day=row["date_deadline"],
            )
            for row in rows
            if (row["res_model"], row["res_id"]) == place and row["activity_type_id"] == PHONECALL
        ]

    def calls(self, ref: Ref) -> list[Shown]:
        """They are messages."""
        texts = [text for text in self.notes(ref) if "/call]" in text]
        subjects = [text.partition("<br>")[0] for text in texts]
        day = f"{NOON:%Y-%m-%d}"
        return [
            Shown(subject=subject, text=text, owner=None, day=day)
            for subject, text in zip(subjects, texts, strict=True)
        ]

    def refuse_for_a_while(self, requests: int) -> None:
        self.database.busy = requests

    @property
    def violations(self) -> list[str]:
        return self.database.violations


class OldOdooAccount(OdooAccount):
    """A version before 19."""

    options: ClassVar = {"database": DATABASE, "login": LOGIN}
