"""What commands say of connections that are kept: their rules, what waits for them, their
status.
"""

import inspect
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from router.cli import crm_rules
from router.cli.doctor import setup, storage
from router.cli.doctor.finding import Case, Level
from router.config import Settings
from router.domain.calls.call import Call
from router.domain.delivery.call_event import FACTS
from router.domain.delivery.connection import Connection, ReceiverHealth
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState, new_delivery
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.delivery.outcome import Outcome
from router.receivers.registry import KINDS
from router.store.engine import SqlStore
from tests.integration.crm_world import ANNA, Books, connected, keep, kept_tokens
from tests.support.builders import NOON, furnish
from tests.support.command_line import ringtrace

pytest_plugins = ["tests.integration.crm_world"]


def test_rules_are_changed_one_by_one_and_shown_by_mode(home: Path, books: Books) -> None:
    connected()
    ringtrace(
        "crm",
        "rules",
        "main",
        "--scenario",
        "lead",
        "--missed",
        "skip",
        "--ignore",
        "8 916 123-45-67",
    )
    ringtrace(
        "crm",
        "rules",
        "main",
        "--responsible",
        "office=17",
        "--field",
        "campaign=F1",
        "--field",
        "page=F2",
    )
    ringtrace(
        "crm",
        "rules",
        "main",
        "--field",
        "page=",
        "--shortest-talk",
        "5",
        "--ignore",
        "+74950000000",
    )
    rules = ringtrace("crm", "rules", "main", "--unignore", "+74950000000", "--json").json
    assert (rules["scenario"], rules["missed"], rules["repeat"], rules["shortest_talk"]) == (
        "lead",
        "skip",
        "note",
        5,
    )
    assert (rules["ignored"], rules["responsible"], rules["fields"]) == (
        [ANNA],
        {"office": "17"},
        {"campaign": "F1"},
    )
    assert ringtrace("crm", "rules", "main", "--json").json == rules
    shown = ringtrace("crm", "rules", "main").out
    assert "overwrite" not in shown
    assert re.findall(r"(recordings|recording days|task|shortest talk)  +(\w.*?) *\n", shown) == [
        ("shortest talk", "5 s"),
        ("recordings", "no"),
        ("recording days", "90 days"),
        ("task", "no"),
    ]
    ringtrace("crm", "change", "main", "--mode", "telephony")
    said = ringtrace(
        "crm", "rules", "main", "--target", "lead", "--target", "contact", "--wait", "3600"
    ).out
    assert "lead, contact" in said
    assert "3600 s" in said
    assert "scenario" not in said


def test_a_phone_may_be_responsible_and_a_name_that_no_employee_has_is_pointed_out(
    home: Path, books: Books
) -> None:
    connected()
    said = ringtrace(
        "crm", "rules", "main", "--responsible", "company=17", "--responsible", "ofice=5"
    )
    assert "'ofice'" in said.err
    assert "'company'" not in said.err
    assert ringtrace("crm", "rules", "main", "--json").json["responsible"] == {
        "company": "17",
        "ofice": "5",
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--field", "shoe_size=F1"), ", ".join(FACTS)),
        (("--wait", "5"), "must be in ascending order"),
        (("--settle", "-1"), "settle is a time"),
        (("--wait", "nan"), "wait is a time"),
        (("--target", "deal", "--target", "deal"), "each once"),
        (("--ignore", "nonsense"), "not a phone number"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(
    home: Path, books: Books, arguments: Sequence[str], said: str
) -> None:
    connected()
    before = ringtrace("crm", "rules", "main", "--json").json
    assert said in ringtrace("crm", "rules", "main", *arguments, status=1).err
    assert ringtrace("crm", "rules", "main", "--json").json == before


# What waits


def a_delivery(id: str, state: DeliveryState, **fields: Any) -> Delivery:  # noqa: A002
    receiver = Connection(id="main", kind="stub", address="https://crm.example", created_at=NOON)
    made = new_delivery(receiver, DeliveryKind.CALL_ENDED, id, {}, id=f"delivery-{id}", now=NOON)
    return replace(made, call_id=None, state=state, **fields)


def test_removing_a_connection_gives_up_what_waits_and_forgets_the_token(
    home: Path, books: Books
) -> None:
    connected()
    states = (DeliveryState.PENDING, DeliveryState.NEEDS_REVIEW, DeliveryState.DONE)
    keep(home, *(a_delivery(state, state) for state in states))
    refused = ringtrace("crm", "remove", "main", status=1).err
    assert "would fail: 2. Nothing was removed." in refused
    assert "--force" in refused
    assert kept_tokens(home).keys() == {"main"}
    assert ringtrace("crm", "remove", "main", "--force", "--json").json == {
        "removed": "main",
        "given_up": 2,
    }
    found = {delivery["id"]: delivery for delivery in ringtrace("delivery", "list", "--json").json}
    assert found["delivery-done"]["state"] == "done"
    for waited in ("delivery-pending", "delivery-needs_review"):
        assert found[waited]["state"] == "failed"
        assert found[waited]["last_error"]["text"] == "the connection 'main' was removed"
    assert kept_tokens(home) == {}
    assert "no connection 'main'" in ringtrace("crm", "remove", "main", status=1).err


def test_a_person_sees_the_candidates_and_says_which_entity_is_the_calls(home: Path) -> None:
    deals = [
        Found(
            ref=Ref(kind=EntityKind.DEAL, id=key),
            title=f"Deal {key}",
            phones=(ANNA,),
            created_at=NOON,
        )
        for key in ("7", "8")
    ]
    needs_review = a_delivery(
        "1",
        DeliveryState.NEEDS_REVIEW,
        candidates=tuple(deals),
        last_error=Outcome.of(CrmCode.SEVERAL_ENTITIES),
    )
    keep(home, needs_review, a_delivery("2", DeliveryState.DONE))
    shown = ringtrace("delivery", "show", needs_review.id)
    assert "Deal 7" in shown.out
    assert "Deal 8" in shown.out
    assert f"choose {needs_review.id}" in shown.err
    assert (
        "it needs no review"
        in ringtrace("delivery", "choose", "delivery-2", "deal", "8", status=1).err
    )
    ringtrace("delivery", "choose", needs_review.id, "planet", "8", status=2)
    ringtrace("delivery", "choose", needs_review.id, "deal", "8/../../users", status=2)
    chosen = ringtrace("delivery", "choose", needs_review.id, "deal", "8", "--json").json
    assert (chosen["state"], chosen["chosen"]) == ("pending", {"kind": "deal", "id": "8"})
    assert "deal 8" in ringtrace("delivery", "show", needs_review.id).out


def test_a_connection_gets_nothing_while_it_is_inactive(home: Path, books: Books) -> None:
    connected()
    assert "resend --failed" in ringtrace("crm", "change", "main", "--inactive").err
    assert ringtrace("crm", "show", "main", "--json").json["active"] is False
    changed = ringtrace(
        "crm", "change", "main", "--active", "--site", "shop", "--option", "stage=4", "--json"
    ).json
    assert (changed["active"], changed["site_id"], changed["options"]) == (
        True,
        "shop",
        {"stage": "4"},
    )
    assert "cannot use" in ringtrace("crm", "change", "main", "--option", "stage=x", status=1).err
    assert (
        ringtrace("crm", "change", "main", "--no-site", "--option", "stage=", "--json").json[
            "options"
        ]
        == {}
    )


def test_the_documentation_names_every_kind_every_rule_and_every_fact() -> None:
    text = (Path(__file__).parents[2] / "docs/crm.md").read_text()
    rules = [
        option
        for option in inspect.signature(crm_rules.rules).parameters
        if option not in {"name", "as_json"}
    ]
    missing = [name for name in (*KINDS, *FACTS) if f"`{name}`" not in text]
    assert missing + [rule for rule in rules if f"`--{rule.replace('_', '-')}`" not in text] == []


@pytest.mark.usefixtures("home")
def test_every_kind_says_what_it_needs() -> None:
    kinds = ringtrace("crm", "kinds", "--json").json
    assert kinds.keys() == KINDS.keys()
    assert all(kind["token"] for kind in kinds.values())
    said = ringtrace("crm", "kinds").out
    assert all(f"{name}: {kind.title}" in said for name, kind in KINDS.items())


# What doctor says


async def test_doctor_names_connections_that_rest_and_counts_what_waits_for_a_person(
    store: SqlStore,
) -> None:
    case = Case(settings=Settings(), store=store, secrets=None)
    assert [finding.level for finding in await setup.connections(case)] == [Level.OK]
    rest = datetime.now(UTC) + timedelta(minutes=5)
    await furnish(
        store,
        *(
            Connection(id=name, kind="tryton", address="http://a", created_at=NOON)
            for name in ("erp", "spare")
        ),
        ReceiverHealth(
            receiver_id="erp",
            next_at=NOON,
            failures=3,
            paused_until=rest,
            reason=Outcome.text("503 Try later"),
        ),
        ReceiverHealth(receiver_id="spare", next_at=NOON, paused_until=NOON),
        replace(a_delivery("1", DeliveryState.PENDING), receiver_id="erp"),
    )
    (found,) = await setup.connections(case)
    assert (found.name, found.level) == ("connection erp", Level.WARN)
    assert "503 Try later" in found.found
    assert "crm check erp" in found.fix
    assert (
        await storage.deliveries(case)
    ).level is Level.OK  # due for long, but its receiver rests
    async with store.write() as session:
        await session.add(a_delivery("2", DeliveryState.NEEDS_REVIEW))
    waiting = await storage.deliveries(case)
    assert (waiting.level, "1 need review" in waiting.found) == (Level.WARN, True)
    assert "--state needs_review" in waiting.fix


def test_texts_are_templates_in_a_language_and_are_previewed_before_they_hold(
    home: Path, books: Books, call: Call
) -> None:
    connected()
    tried = ringtrace(
        *("crm", "preview", "main", "--call", call.id, "--language", "ru", "--json"),
        *("--template", "contact={caller}\\n({source})"),
    ).json
    assert tried["title"] == f"Звонок {ANNA}"
    assert tried["contact"].startswith(ANNA)
    assert ringtrace("crm", "preview", "main", "--call", call.id, "--json").json["title"] == (
        f"Call {ANNA}"
    )
    rules = ("crm", "rules", "main")
    ringtrace(*rules, "--language", "ru", "--template", "title={call}: {caller}")
    assert f"Звонок: {ANNA}" in ringtrace("crm", "preview", "main", "--call", call.id).out
    assert (
        "there is no {nothing}" in ringtrace(*rules, "--template", "note={nothing}", status=1).err
    )
    assert "has no template" in ringtrace(*rules, "--template", "subject=x", status=1).err
    kept = ringtrace(*rules, "--template", "title=", "--json").json
    assert (kept["language"], kept["templates"]) == ("ru", {})
