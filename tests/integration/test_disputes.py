"""Disputes in the store: once for each score, answered with a trace."""

import pytest

from router.domain.access import Role
from router.domain.calls.call_filter import CallFilter, Range
from router.domain.calls.scoring import Change, Settlement
from router.errors import Conflict, InvalidInput, NotAllowed, NotFound
from router.service.calls import disputes as service
from router.service.calls.browse import find_calls
from router.service.calls.scoring import remove_score
from router.store.engine import SqlStore
from tests.integration.scores_world import ANNA, BORIS, GOOD, MARIA, ROOT, a_card, person, scored
from tests.integration.store_calls import call, save
from tests.support.builders import NOON

CALL = "rt1-1.0"


@pytest.fixture
async def score_id(store: SqlStore) -> str:
    await save(store, call(CALL, answered_by="PJSIP/maria"))
    return await scored(store, CALL, await a_card(store), ANNA, help="1")


async def test_the_judged_employee_reads_and_disputes_their_score_once(
    store: SqlStore, score_id: str
) -> None:
    (own,) = await service.own_scores(store, MARIA)
    assert own.sheet.score.id == score_id
    dispute = await service.dispute_score(
        store, score_id, " I <b>did</b>\r\n", person=MARIA, now=NOON
    )
    assert dispute.text == "I <b>did</b>"
    with pytest.raises(Conflict):
        await service.dispute_score(store, score_id, "again", person=MARIA, now=NOON)
    (listed,) = await service.list_disputes(store, settled=False)
    assert listed.sheet.dispute == dispute


async def test_no_other_employee_reads_or_disputes_it(store: SqlStore, score_id: str) -> None:
    other = person("ivan", Role.EMPLOYEE, "PJSIP/ivan")
    assert await service.own_scores(store, other) == []
    assert await service.is_own_call(store, CALL, MARIA)
    assert not await service.is_own_call(store, CALL, other)
    assert not await service.is_own_call(store, CALL, person("x", Role.EMPLOYEE))
    with pytest.raises(NotFound):
        await service.show_score(store, score_id, other)
    for who in (other, BORIS, ROOT):
        with pytest.raises(NotAllowed):
            await service.dispute_score(store, score_id, "no", person=who, now=NOON)
    with pytest.raises(NotAllowed, match="hidden"):
        await service.show_score(store, score_id, BORIS)


async def test_a_settled_dispute_that_changes_the_score_keeps_what_was_before(
    store: SqlStore, score_id: str
) -> None:
    await service.dispute_score(store, score_id, "I did", person=MARIA, now=NOON)
    settled = await service.settle_dispute(store, score_id, "Right", GOOD, person=ANNA, now=NOON)
    assert settled.settlement is Settlement.CHANGED
    assert settled.score_before == 40.0
    assert settled.changes == (Change(question_id="help", before="1", after="5"),)
    found = await service.show_score(store, score_id, MARIA)
    assert (found.sheet.score.score, found.sheet.dispute) == (100.0, settled)
    page = await find_calls(store, CallFilter(score=Range(100)))
    assert [line.call.id for line in page.lines] == [CALL]
    with pytest.raises(Conflict):
        await service.settle_dispute(store, score_id, "Again", GOOD, person=ROOT, now=NOON)
    assert await service.list_disputes(store, settled=False) == []


async def test_a_dispute_whose_answers_stay_keeps_the_score(store: SqlStore, score_id: str) -> None:
    with pytest.raises(NotFound):
        await service.settle_dispute(store, score_id, "?", {}, person=ANNA, now=NOON)
    await service.dispute_score(store, score_id, "I did", person=MARIA, now=NOON)
    same = GOOD | {"help": "1"}
    settled = await service.settle_dispute(store, score_id, "No", same, person=ROOT, now=NOON)
    assert (settled.settlement, settled.changes) == (Settlement.KEPT, ())
    assert (await service.show_score(store, score_id, MARIA)).sheet.score.score == 40.0


async def test_only_the_scorer_and_administrators_settle_and_never_their_own(
    store: SqlStore, score_id: str
) -> None:
    await service.dispute_score(store, score_id, "I did", person=MARIA, now=NOON)
    own = person("chief", Role.ADMINISTRATOR, "PJSIP/maria")
    for who in (BORIS, MARIA, own):
        with pytest.raises(NotAllowed):
            await service.settle_dispute(store, score_id, "no", GOOD, person=who, now=NOON)
    for values in ({"help": "9"}, {"gone": "yes"}, {"help": ""}, dict.fromkeys(GOOD, "skip")):
        with pytest.raises(InvalidInput):
            await service.settle_dispute(store, score_id, "no", values, person=ANNA, now=NOON)
    assert (await service.show_score(store, score_id, MARIA)).sheet.score.score == 40.0


async def test_administrators_remove_a_score_with_its_dispute(
    store: SqlStore, score_id: str
) -> None:
    await service.dispute_score(store, score_id, "I did", person=MARIA, now=NOON)
    with pytest.raises(NotAllowed):
        await remove_score(store, score_id, ANNA)
    assert await remove_score(store, score_id, ROOT) == CALL
    assert await service.own_scores(store, MARIA) == []
    assert await service.list_disputes(store, settled=False) == []
    assert (await find_calls(store, CallFilter(score=Range(0)))).lines == ()
