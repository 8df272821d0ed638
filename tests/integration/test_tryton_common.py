"""What each CRM must do alike, on a real Tryton: its clock is the real one, so that tests of a
telephony are in `test_tryton_telephony`.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

import pytest_asyncio

from router.domain.delivery.entity import EntityKind, Ref
from tests.integration.crm_accounts import CrmAccount, Line
from tests.integration.test_every_crm import (  # noqa: F401
    test_a_call_of_another_visitor_changes_what_we_created,
    test_a_closed_deal_is_followed_by_a_new_one,
    test_a_deleted_entity_is_gone_and_the_other_gets_what_is_known,
    test_a_hidden_number_becomes_a_contact_each_time,
    test_a_repeat_call_is_one_note_on_the_open_deal_and_fills_its_field,
    test_by_rule_a_repeat_call_is_a_second_deal,
)
from tests.integration.test_every_crm_troubles import (  # noqa: F401
    test_a_wrong_token_waits_for_a_person_and_the_check_says_so,
    test_the_catalogue_has_the_field_of_the_client_id,
)
from tests.support.builders import Clock, later
from tests.support.tryton_server import TrytonServer
from tests.support.tryton_template import DATABASE, FIELD

pytest_plugins = ["tests.integration.tryton_world"]
PARTY, OPPORTUNITY = "party.party", "sale.opportunity"
_MODELS = {EntityKind.LEAD: OPPORTUNITY, EntityKind.DEAL: OPPORTUNITY}


class TrytonAccount(CrmAccount):
    """What the tests see of it they ask as another user, who shares no code with the adapter."""

    name = "tryton"
    wrong_token: ClassVar = {"key": "another"}
    options: ClassVar = {"database": DATABASE}
    violations: Any = ()  # it refuses, but remembers nothing

    def __init__(self, server: TrytonServer) -> None:
        super().__init__(Clock(later(70)))
        self.user = server.users["telephony"]
        self.token = {"key": server.keys["ringtrace"]}  # type: ignore[misc]
        self.before = {model: self.user.last(model) for model in (OPPORTUNITY, PARTY, "ir.note")}
        self.forget()

    def forget(self) -> None:
        """Hide what earlier tests left: they have the same phone and the same call."""
        for row in self.user.find(PARTY, [["name", "like", "%9%"]], "id"):
            self.user.write(PARTY, row["id"], active=False)
        for row in self.user.find(OPPORTUNITY, [["reference", "!=", None]], "id"):
            self.user.write(OPPORTUNITY, row["id"], reference=None)

    def serve(self) -> AbstractAsyncContextManager[str]:
        raise NotImplementedError  # it is running

    def add(self, kind: EntityKind, **given: Any) -> Ref:
        values = {FIELD: given["client_id"]} if "client_id" in given else {}
        if kind is EntityKind.DEAL:
            key = self.user.opportunity(int(given["contact"].id), **values)
            if given.get("closed"):
                self.end(key, "lost")
        else:
            key = self.user.party("Anna 9", given["phone"], **values)
        return Ref(kind=kind, id=str(key))

    def end(self, deal: int, button: str) -> None:
        """Tryton wants to know whose deal ends."""
        (emma,) = self.user.find("company.employee", [["party.name", "=", "Emma"]], "id")
        self.user.write(OPPORTUNITY, deal, employee=emma["id"])
        self.user.press(OPPORTUNITY, deal, button)

    def client_id(self, ref: Ref) -> str | None:
        (row,) = self.user.find(self.model(ref.kind), [["id", "=", int(ref.id)]], FIELD)
        value: str | None = row[FIELD]
        return value

    def model(self, kind: EntityKind) -> str:
        return _MODELS.get(kind, PARTY)

    def count(self, kind: EntityKind) -> int:
        return len(self.since(self.model(kind)))

    def since(self, model: str, *fields: str) -> list[dict[str, Any]]:
        return self.user.find(model, [["id", ">", self.before[model]]], *(fields or ("id",)))

    def size(self) -> int:
        return sum(len(self.since(model)) for model in self.before)

    def notes(self, ref: Ref) -> list[str]:
        rows, place = (
            self.since("ir.note", "resource", "message"),
            f"{self.model(ref.kind)},{ref.id}",
        )
        return [row["message"] for row in rows if row["resource"] == place]

    def delete(self, ref: Ref) -> None:
        model, key = self.model(ref.kind), int(ref.id)
        if model == OPPORTUNITY:
            self.end(key, "cancel")
        self.user.delete(model, key)

    def linked(self, deal: Ref) -> set[Ref]:
        (row,) = self.user.find(OPPORTUNITY, [["id", "=", int(deal.id)]], "party")
        return {Ref(kind=EntityKind.CONTACT, id=str(row["party"]))} if row["party"] else set()

    def refuse_for_a_while(self, requests: int) -> None:
        raise NotImplementedError


@pytest_asyncio.fixture
async def crm(tryton: TrytonServer) -> AsyncIterator[TrytonAccount]:
    account = TrytonAccount(tryton)
    account.line = Line(tryton.url, {})
    yield account
    await account.line.close()
