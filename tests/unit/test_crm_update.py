"""A call becomes entities in a CRM: the client ID first, then each fact; what is gone or refused
costs nothing else.

The CRM here is strict: it refuses what a test says, and has no entity that was deleted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Mode, Overwrite, Rules
from router.domain.delivery.entity import CreatedBy, Entity, EntityKind, Found, Ref
from router.domain.delivery.outcome import Outcome
from router.service.delivery.crm_fill import Annotated
from router.service.delivery.crm_update import annotate
from router.service.delivery.outcomes import EntityGone, Refused
from router.service.delivery.ports import Check, Draft
from tests.support.builders import NOON, later
from tests.support.crm_calls import call_event, connection

CONTACT = Ref(kind=EntityKind.CONTACT, id="1")
DEAL = Ref(kind=EntityKind.DEAL, id="2")
ANNA, BORIS = "1.2", "3.4"


@dataclass
class Books:
    """A CRM's entities: fields by entity, and what it refuses."""

    entities: dict[Ref, dict[str, str]] = field(default_factory=dict)
    open: set[Ref] = field(default_factory=set)
    notes: list[Ref] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)  # fields, "responsible"
    required: set[str] = field(default_factory=set)
    refuses_of: set[Ref] = field(default_factory=set)  # entities without the field of the client ID
    keeps_empty: bool = False  # an empty value changes nothing
    saves: Callable[[str], str] = str  # what becomes of a client ID
    unsearched: set[Ref] = field(default_factory=set)  # which a search does not find yet

    def client_id_field(self, kind: EntityKind) -> str:
        return "cid"

    async def made_for(self, call_id: str) -> Sequence[Ref]:
        return []

    async def contacts(self, phone: str) -> Sequence[Found]:
        return [Found(ref=ref) for ref in self.entities if ref.kind is EntityKind.CONTACT]

    async def deals(self, contacts: Sequence[Ref], phone: str) -> Sequence[Found]:
        deals = [
            ref for ref in self.entities.keys() - self.unsearched if ref.kind is EntityKind.DEAL
        ]
        return [Found(ref=ref, open=ref in self.open) for ref in deals]

    async def appeared(self, call: CallEvent, since: Any, until: Any) -> Sequence[Found]:
        return [Found(ref=ref, exact=True) for ref in self.entities]

    async def create(self, draft: Draft) -> Ref:
        if draft.responsible and "responsible" in self.refuses:
            raise Refused(Outcome.text(f"user {draft.responsible} has left"))
        if draft.kind is EntityKind.DEAL and draft.placed and "stage" in self.refuses:
            raise Refused(Outcome.text("no such stage"))
        self._judge(draft.values)
        if missing := self.required - draft.values.keys():
            raise Refused(Outcome.text(f"{missing.pop()} is required"))
        ref = Ref(kind=draft.kind, id=str(10 + len(self.entities)))
        self.entities[ref] = self._saved(draft.values)
        self.open.add(ref)
        return ref

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        if ref not in self.entities:
            raise EntityGone(ref)
        self.notes.append(ref)

    async def read(self, ref: Ref, fields: Sequence[str]) -> Mapping[str, str]:
        if ref not in self.entities:
            raise EntityGone(ref)
        return {name: text for name, text in self.entities[ref].items() if name in fields and text}

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        if ref not in self.entities:
            raise EntityGone(ref)
        if ref in self.refuses_of:
            raise Refused(Outcome.text(f"{ref.kind} {ref.id} has no such field"))
        self._judge(values)
        written = {name: text for name, text in values.items() if text or not self.keeps_empty}
        written = self._saved(written)
        self.entities[ref].update(written)

    def _saved(self, values: Mapping[str, str]) -> dict[str, str]:
        own = {"cid": self.saves(values["cid"])} if "cid" in values else {}
        return {**values, **own}

    def _judge(self, values: Mapping[str, str]) -> None:
        for name in values:
            if name in self.refuses:
                raise Refused(Outcome.text(f"{name} takes no '{values[name]}'"))

    async def check(self) -> Sequence[Check]:
        return []

    async def prepare(self) -> Sequence[str]:
        return []


def call_of(client_id: str | None) -> CallEvent:
    """The same call, of a visitor with this client ID, or of an unknown one."""
    call = call_event()
    facts = {**call.facts, "campaign": "spring", "client_id": client_id or ""}
    return replace(call, facts={name: text for name, text in facts.items() if text})


async def update(
    books: Books, call: CallEvent, rules: Rules | None = None, **more: Any
) -> Annotated:
    mode = more.pop("mode", Mode.OWN)
    return await annotate(
        books, connection(rules=rules or Rules(), mode=mode), call, looks=0, now=later(100), **more
    )


def kept(ref: Ref, client_id: str = ANNA, created_by: CreatedBy = CreatedBy.US) -> Entity:
    return Entity(
        id=f"e-{ref.kind}-{ref.id}",
        call_id="pbx-1",
        connection_id="c",
        kind=ref.kind,
        external_id=ref.id,
        created_by=created_by,
        client_id=client_id,
        at=NOON,
    )


# a caller who is known


async def test_a_call_on_an_open_deal_fills_the_empty_client_id_of_deal_and_contact() -> None:
    books = Books(entities={CONTACT: {}, DEAL: {"cid": ""}}, open={DEAL})
    done = await update(books, call_of(ANNA))
    assert books.entities == {CONTACT: {"cid": ANNA}, DEAL: {"cid": ANNA}}
    assert books.notes == [DEAL]
    assert dict(done.entities) == {DEAL: CreatedBy.NOTE, CONTACT: CreatedBy.NOTE}
    assert (done.client_id, done.without) == (ANNA, frozenset())


async def test_a_client_id_that_is_there_stays_and_is_named() -> None:
    books = Books(entities={CONTACT: {}, DEAL: {"cid": BORIS}}, open={DEAL})
    done = await update(books, call_of(ANNA))
    assert books.entities == {CONTACT: {"cid": ANNA}, DEAL: {"cid": BORIS}}
    assert f"deal 2 keeps {BORIS}" in str(done.said)
    assert done.without == {DEAL}


async def test_or_is_replaced_by_rule() -> None:
    books = Books(entities={DEAL: {"cid": BORIS}}, open={DEAL})
    await update(books, call_of(ANNA), Rules(overwrite=Overwrite.ALWAYS))
    assert books.entities[DEAL] == {"cid": ANNA}


async def test_a_known_contact_gets_the_client_id_with_its_new_deal() -> None:
    books = Books(entities={CONTACT: {}})
    done = await update(books, call_of(ANNA))
    assert books.entities[CONTACT] == {"cid": ANNA}
    assert {created_by for _, created_by in done.entities} == {CreatedBy.US, CreatedBy.NOTE}


async def test_a_known_contact_that_takes_no_client_id_stops_neither_deal_nor_note() -> None:
    books = Books(entities={CONTACT: {}}, refuses_of={CONTACT})
    done = await update(books, call_of(ANNA))
    assert [values for ref, values in books.entities.items() if ref != CONTACT] == [{"cid": ANNA}]
    assert done.client_id == ANNA
    assert "contact 1 has no such field" in str(done.said)
    assert CONTACT in done.without

    books = Books(entities={DEAL: {}}, open={DEAL}, refuses_of={DEAL})
    done = await update(books, call_of(ANNA))
    assert books.notes == [DEAL]
    assert "deal 2 has no such field" in str(done.said)


async def test_a_deal_that_is_known_later_gets_the_client_id_later() -> None:
    books = Books(entities={DEAL: {}}, open={DEAL})
    first = await update(books, call_of(None))
    assert books.entities[DEAL] == {}
    assert first.entities == ((DEAL, CreatedBy.NOTE),)
    await update(books, call_of(ANNA), kept=[kept(DEAL, created_by=CreatedBy.NOTE)])
    assert books.entities[DEAL] == {"cid": ANNA}
    assert books.notes == [DEAL]


# what is gone


async def test_a_remembered_deal_that_was_deleted_is_not_believed() -> None:
    books = Books()
    done = await update(books, call_of(ANNA), recent=[CONTACT, DEAL])
    assert {ref.kind for ref in books.entities} == {EntityKind.CONTACT, EntityKind.DEAL}
    assert all(values == {"cid": ANNA} for values in books.entities.values())
    assert "created" in str(done.said)


async def test_a_remembered_deal_that_is_there_is_used() -> None:
    books = Books(entities={DEAL: {}}, unsearched={DEAL})
    await update(books, call_of(ANNA), recent=[DEAL])
    assert books.notes == [DEAL]


@pytest.mark.parametrize("order", [(CONTACT, DEAL), (DEAL, CONTACT)])
async def test_one_entity_that_is_gone_keeps_nothing_from_the_others(
    order: tuple[Ref, ...],
) -> None:
    books = Books(entities={DEAL: {"cid": ANNA}}, open={DEAL})
    done = await update(
        books, call_of(BORIS), kept=[kept(ref) for ref in order], before=[call_of(ANNA)]
    )
    assert books.entities[DEAL] == {"cid": BORIS}
    assert "contact 1 is gone" in str(done.said)
    assert done.entities == ((DEAL, CreatedBy.US),)


async def test_the_contact_that_another_was_merged_into_gets_the_client_id() -> None:
    merged = Ref(kind=EntityKind.CONTACT, id="9")
    books = Books(entities={merged: {}, DEAL: {"cid": ANNA}})
    done = await update(
        books, call_of(BORIS), kept=[kept(CONTACT), kept(DEAL)], before=[call_of(ANNA)]
    )
    assert books.entities == {merged: {"cid": BORIS}, DEAL: {"cid": BORIS}}
    assert dict(done.entities) == {DEAL: CreatedBy.US, merged: CreatedBy.NOTE}


async def test_where_all_is_gone_the_receipt_says_so() -> None:
    done = await update(Books(), call_of(ANNA), kept=[kept(DEAL)])
    assert (str(done.said), done.entities) == ("deal 2 is gone from the CRM", ())


# what is refused


@pytest.mark.parametrize("refuses", [{"src"}, {"responsible"}, {"src", "responsible"}])
async def test_what_a_crm_refuses_is_left_out_and_named(refuses: set[str]) -> None:
    books = Books(refuses=refuses)
    rules = Rules(fields={"source": "src", "campaign": "camp"}, responsible={"office": "17"})
    done = await update(books, call_of(ANNA), rules)
    expected = {"cid": ANNA, "src": "google", "camp": "spring"}
    wanted = {name: text for name, text in expected.items() if name not in refuses}
    assert list(books.entities.values()) == [wanted, wanted]
    for name in refuses:
        assert f"without {name}" in str(done.said)
    assert done.client_id == ANNA


async def test_without_a_required_field_nothing_is_created_and_the_reason_is_the_crms() -> None:
    with pytest.raises(Refused, match="city is required"):
        await update(Books(required={"city"}), call_of(ANNA))


async def test_a_required_field_has_a_default() -> None:
    books = Books(required={"city"})
    await update(books, call_of(ANNA), Rules(defaults={"city": "Moscow"}))
    assert list(books.entities.values()) == [{"cid": ANNA, "city": "Moscow"}] * 2


async def test_beside_a_telephony_the_client_id_is_written_whatever_else_is_refused() -> None:
    books = Books(entities={DEAL: {}}, refuses={"src"})
    rules = Rules(fields={"source": "src"}, settle=0, prefer=0)
    done = await update(books, call_of(ANNA), rules, mode=Mode.TELEPHONY)
    assert books.entities[DEAL] == {"cid": ANNA}
    assert "without src: src takes no 'google'" in str(done.said)


async def test_a_client_id_that_the_crm_does_not_let_go_of_is_said() -> None:
    books = Books(entities={DEAL: {"cid": ANNA}}, keeps_empty=True)
    with pytest.raises(Refused, match="could not be removed"):
        await update(books, call_of(None), kept=[kept(DEAL)], before=[call_of(ANNA)])
