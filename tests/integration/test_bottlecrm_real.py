"""What each CRM must do alike, and what BottleCRM alone has, on a real BottleCRM.

The common tests run here once more: they show that the contract server behaves as `django-crm`.
Skipped where it is not installed, see `tests.support.bottlecrm_server`.
"""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import pytest_asyncio

from router.domain.delivery.connection import Scenario
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.receivers.bottlecrm.api import LINKS, PATHS
from router.service.delivery.outcomes import EntityGone
from tests.integration.bottlecrm_world import FIELD, UID, BottleCrmAccount
from tests.integration.crm_accounts import Line
from tests.integration.crm_timelines import Shown
from tests.integration.test_every_crm import (  # noqa: F401
    test_a_call_of_another_visitor_changes_what_we_created,
    test_a_client_id_is_taken_back,
    test_a_closed_deal_is_followed_by_a_new_one,
    test_a_created_lead_is_found_where_leads_are_wanted,
    test_a_deleted_entity_is_gone_and_the_other_gets_what_is_known,
    test_a_hidden_number_becomes_a_contact_each_time,
    test_a_known_caller_is_found_however_the_phone_is_written,
    test_a_new_caller_becomes_what_the_scenario_says_with_the_client_id_on_each,
    test_a_process_that_dies_after_any_request_that_writes_leaves_each_entity_once,
    test_a_repeat_call_is_one_note_on_the_open_deal_and_fills_its_field,
    test_by_rule_a_repeat_call_is_a_second_deal,
    test_of_two_new_deals_a_person_chooses,
    test_what_the_telephony_created_gets_the_client_id,
)
from tests.integration.test_every_crm_timelines import (  # noqa: F401
    test_a_missed_call_is_a_task_of_the_contacts_own_responsible_once,
    test_a_new_callers_task_is_on_what_was_created,
    test_a_recording_is_a_call_of_the_deal_with_its_link_once,
    test_a_responsible_whom_the_crm_refuses_gives_way_to_the_connections,
    test_a_stage_that_is_there_is_used,
    test_users_and_stages_of_the_rules_are_checked,
)
from tests.integration.test_every_crm_troubles import (  # noqa: F401
    test_a_fact_that_a_list_refuses_is_left_out_and_named,
    test_a_wrong_token_waits_for_a_person_and_the_check_says_so,
    test_the_fields_of_the_account_say_beforehand_what_a_list_refuses,
    test_what_is_prepared_passes_the_check,
)
from tests.integration.test_taken_back import boris, kept_of
from tests.support.bottlecrm_server import TABLES, BottleServer, bottlecrm_server
from tests.support.builders import Clock, later
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

CONTACT, COMPANY = EntityKind.CONTACT, EntityKind.COMPANY
LEAD, DEAL = EntityKind.LEAD, EntityKind.DEAL
_TABLES = {CONTACT: "contacts", COMPANY: "accounts", LEAD: "lead", DEAL: "opportunity"}
_NEW = {CONTACT: {"first_name": "Anna", "last_name": "-"}, LEAD: {"last_name": "Anna"}}


class RealAccount(BottleCrmAccount):
    """The same account in a real BottleCRM: other programs use its API, and the tests look into its
    database.
    """

    violations: Any = ()  # it refuses, but remembers nothing
    stage = "NEGOTIATION"

    def __init__(self, server: BottleServer) -> None:
        super().__init__(Clock(later(70)))
        self.server, self.token = server, {"token": server.seeded["token"]}  # type: ignore[misc]
        self.user, self.user_who_left = server.seeded["olga"], server.seeded["ivan"]
        self.refused_user, self.made = self.user_who_left, 0
        server.sql(f"TRUNCATE {TABLES} CASCADE")
        for model in ("Contact", "Account", "Lead", "Opportunity"):
            for key in (FIELD, UID):
                self.define(model, key)
        self.define("Opportunity", "campaign")
        google = [{"label": "Google", "value": "Google"}]
        self.define("Opportunity", "source", field_type="dropdown", options=google)

    def define(self, model: str, key: str, **more: Any) -> None:
        values = {"target_model": model, "key": key, "label": key, "field_type": "text", **more}
        self.server.ask("POST", "custom-fields", **values)

    def add(self, kind: EntityKind, **given: Any) -> Ref:
        self.made += 1
        values: dict[str, Any] = {**_NEW.get(kind, {"name": f"Windows {self.made}"})}
        values["custom_fields"] = {FIELD: given.get("client_id")}
        if "phone" in given:  # BottleCRM takes no words there
            values["phone"] = given["phone"].removeprefix("tel. ")
        if "contact" in given and kind is DEAL:
            values["contacts"] = [given["contact"].id]
        if given.get("closed"):
            values |= {"stage": "CLOSED_LOST", "closed_on": "2026-11-30"}
        values |= given.get("values", {})
        ref = Ref(kind=kind, id=self.server.ask("POST", PATHS[kind], **values)["id"])
        at = self.clock().isoformat()
        self.server.sql(f"UPDATE {_TABLES[kind]} SET created_at='{at}' WHERE id='{ref.id}'")
        return ref

    def row(self, ref: Ref) -> dict[str, Any]:
        asked = f"SELECT to_jsonb(one) FROM {_TABLES[ref.kind]} one WHERE id='{ref.id}'"
        (found,) = self.server.sql(asked)
        row: dict[str, Any] = json.loads(found)
        return row

    def count(self, kind: EntityKind) -> int:
        return self.counted(_TABLES[kind])

    def counted(self, table: str) -> int:
        return int(self.server.sql(f"SELECT count(*) FROM {table}")[0])

    def size(self) -> int:
        return sum(map(self.counted, (*_TABLES.values(), "task", "interaction", "comment")))

    def notes(self, ref: Ref) -> list[str]:
        asked = f"SELECT to_jsonb(comment) FROM comment WHERE object_id='{ref.id}'"
        return [json.loads(one) for one in self.server.sql(asked)]

    def delete(self, ref: Ref) -> None:
        self.server.ask("DELETE", f"{PATHS[ref.kind]}/{ref.id}")

    def linked(self, deal: Ref) -> set[Ref]:
        table, column = _TABLES[deal.kind], {LEAD: "lead_id", DEAL: "opportunity_id"}[deal.kind]
        asked = f"SELECT contact_id FROM {table}_contacts WHERE {column}='{deal.id}'"
        found = {Ref(kind=CONTACT, id=key) for key in self.server.sql(asked)}
        account = self.row(deal).get("account_id")
        return found | ({Ref(kind=COMPANY, id=account)} if account else set())

    def give(self, ref: Ref, user: str) -> None:
        column = LINKS[ref.kind]
        table = f"{_TABLES[ref.kind]}_assigned_to"
        asked = f"INSERT INTO {table} ({column}_id, profile_id) VALUES ('{ref.id}', '{user}')"
        self.server.sql(asked)

    def tasks(self, ref: Ref) -> list[Shown]:
        owner = "(SELECT profile_id FROM task_assigned_to WHERE task_id=one.id)"
        return self.shown(ref, "task", "title", "description", "due_date", owner)

    def calls(self, ref: Ref) -> list[Shown]:
        names = ("subject", "body", "occurred_at", "NULL")
        return self.shown(ref, "interaction", *names)

    def shown(self, ref: Ref, table: str, *names: str) -> list[Shown]:
        keys = ("subject", "text", "day", "owner")
        pairs = ", ".join(f"'{key}', {name}" for key, name in zip(keys, names, strict=True))
        where = f"{LINKS[ref.kind]}_id='{ref.id}'"
        asked = f"SELECT jsonb_build_object({pairs}) FROM {table} one WHERE {where}"
        rows = [json.loads(one) for one in self.server.sql(asked)]
        return [Shown(**{**row, "day": row["day"][:10]}) for row in rows]


@pytest.fixture(scope="module")
def server() -> Iterator[BottleServer]:
    # PostgreSQL, which runs as another user, may not enter pytest's directories
    with TemporaryDirectory(prefix="bottlecrm-") as home, bottlecrm_server(Path(home)) as running:
        yield running


@pytest_asyncio.fixture
async def crm(server: BottleServer) -> AsyncIterator[RealAccount]:
    account = RealAccount(server)
    account.line = Line(server.url, {})
    yield account
    await account.line.close()


async def test_a_company_that_is_known_by_its_phone_gets_no_second_contact(
    crm: RealAccount,
) -> None:
    company = crm.add(COMPANY, phone="8 (912) 345-67-89")
    deal = crm.add(DEAL, values={"account": company.id})
    done = await crm.tell(call_event())
    assert (deal, CreatedBy.NOTE) in done.entities
    assert (crm.count(CONTACT), crm.count(DEAL)) == (0, 1)
    assert crm.client_id(deal) == CLIENT_ID


async def test_a_contact_that_was_merged_away_gives_way_to_the_one_that_is_left(
    crm: RealAccount,
) -> None:
    call = call_event()
    kept = kept_of(await crm.tell(call), call)
    (old,) = (one.ref for one in kept if one.kind is CONTACT)
    (deal,) = (one.ref for one in kept if one.kind is DEAL)
    anna = crm.add(CONTACT, phone=ANNA)
    anna_too = crm.add(CONTACT, phone=ANNA)
    crm.server.ask("POST", f"contacts/{anna_too.id}/merge", merge_id=old.id)
    crm.server.ask("POST", f"contacts/{anna.id}/merge", merge_id=anna_too.id)
    with pytest.raises(EntityGone):
        await crm.crm(crm.connection()).read(old, [FIELD])
    await crm.tell(boris(call), kept=kept, before=[call])
    assert {crm.client_id(deal), crm.client_id(anna)} == {"777.888"}


async def test_a_field_that_became_required_is_asked_for_and_its_default_is_written(
    crm: RealAccount,
) -> None:
    crm.define("Opportunity", "city", is_required=True)
    done = await crm.tell(call_event(), crm.connection(defaults={"city": "Tver"}))
    (deal,) = (ref for ref, _ in done.entities if ref.kind is DEAL)
    assert crm.row(deal)["custom_fields"] == {
        "city": "Tver",
        FIELD: CLIENT_ID,
        UID: call_event().id,
    }


async def test_a_converted_lead_keeps_its_client_id_and_is_followed_by_a_new_one(
    crm: RealAccount,
) -> None:
    to = crm.connection(scenario=Scenario.LEAD)
    call = call_event()
    kept = kept_of(await crm.tell(call, to), call)
    lead = kept[0].ref
    converted = {"status": "converted", "email": "anna@example.com"}
    crm.server.ask("PATCH", f"leads/{lead.id}", **converted)
    await crm.tell(call_event("call-2"), to)
    assert crm.count(LEAD) == 2
    await crm.tell(boris(call), to, kept=kept, before=[call])
    assert crm.client_id(lead) == "777.888"
