"""Scores in the store: blind, saved answer by answer, and counting for filters and reviews."""

import asyncio
from datetime import UTC, timedelta

import pytest

from router.domain.calls.call_filter import CallFilter, Range
from router.domain.calls.scoring import Answer, ScoredBy
from router.errors import Conflict, InvalidInput, NotAllowed, NotFound
from router.service.calls import score_answers as answers
from router.service.calls import score_figures as figures
from router.service.calls import scoring as service
from router.service.calls.browse import find_calls
from router.service.calls.samples import Wanted, draw_sample, list_samples
from router.service.calls.score_cards import archive_card, draft_next, publish_card
from router.store.engine import SqlStore
from tests.integration.scores_world import ANNA, BORIS, GOOD, a_card, person, scored
from tests.integration.store_calls import call, save
from tests.support.builders import NOON

CALL = "rt1-1.0"


@pytest.fixture(autouse=True)
async def _calls(store: SqlStore) -> None:
    answered = {"answered_by": "PJSIP/front", "last_answered_by": "PJSIP/maria"}
    await save(
        store,
        call(CALL, **answered),
        call("rt1-2.0", arrived_at=NOON - timedelta(days=7), **answered),
        call("rt1-3.0", answered_by="PJSIP/ivan"),
        call("rt1-missed.0"),
    )


async def found(store: SqlStore, **wanted: object) -> list[tuple[str, float | None]]:
    page = await find_calls(store, CallFilter(**wanted))  # type: ignore[arg-type]
    return [(line.call.id, line.facets.score) for line in page.lines]


async def test_a_submitted_score_counts_for_lists_reviews_and_samples(store: SqlStore) -> None:
    card = await a_card(store)
    wanted = Wanted(per_employee=5, since=NOON.date())
    await draw_sample(store, wanted, zone=UTC, author="anna", now=NOON)
    await service.begin_score(store, CALL, card.id, ANNA, NOON)
    await answers.answer_question(store, CALL, "help", "3", login="anna")
    assert await found(store, score=Range(0)) == []
    with pytest.raises(InvalidInput, match="has no answer"):
        await answers.submit_score(store, CALL, login="anna", now=NOON)
    for question_id in ("greet", "rude"):
        await answers.answer_question(store, CALL, question_id, "yes", login="anna")
    await answers.submit_score(store, CALL, login="anna", now=NOON)

    assert await found(store, score=Range(70, 70)) == [(CALL, 70.0)]
    assert await found(store, scored="PJSIP/maria") == [(CALL, 70.0)]
    assert await found(store, scored="PJSIP/front") == []
    page = await find_calls(store, CallFilter(reviewed=True))
    assert [(line.call.id, line.review and line.review.person) for line in page.lines] == [
        (CALL, "anna")
    ]
    assert [progress.reviewed for progress in await list_samples(store)] == [1]
    with pytest.raises(Conflict):
        await answers.answer_question(store, CALL, "help", "5", login="anna")


async def test_others_scores_are_hidden_until_ones_own_is_submitted(store: SqlStore) -> None:
    card = await a_card(store)
    await scored(store, CALL, card, ANNA, help="1")
    before = await service.show_scoring(store, CALL, BORIS)
    assert (before.sheets, before.hidden) == ((), ("anna",))
    await service.begin_score(store, CALL, card.id, BORIS, NOON)
    assert (await service.show_scoring(store, CALL, BORIS)).sheets == ()

    await scored(store, CALL, card, BORIS)
    after = await service.show_scoring(store, CALL, BORIS)
    assert after.hidden == ()
    assert sorted((sheet.score.scorer, sheet.score.score) for sheet in after.sheets) == [
        ("anna", 40.0),
        ("boris", 100.0),
    ]
    assert await found(store, score=Range(0)) == [(CALL, 70.0)]


async def test_who_waives_a_score_sees_the_others_and_scores_the_call_no_more(
    store: SqlStore,
) -> None:
    card = await a_card(store)
    with pytest.raises(NotFound):
        await service.waive_score(store, CALL, BORIS, NOON)
    await scored(store, CALL, card, ANNA)
    await service.begin_score(store, CALL, card.id, BORIS, NOON)
    await service.waive_score(store, CALL, BORIS, NOON)
    assert len((await service.show_scoring(store, CALL, BORIS)).sheets) == 1
    with pytest.raises(Conflict):
        await service.begin_score(store, CALL, card.id, BORIS, NOON)
    assert await found(store, score=Range(0)) == [(CALL, 100.0)]


async def test_two_people_and_two_tabs_lose_no_answer(
    store: SqlStore, other_store: SqlStore
) -> None:
    card = await a_card(store)
    begun = await asyncio.gather(
        *(
            service.begin_score(place, CALL, card.id, who, NOON)
            for place in (store, other_store)
            for who in (ANNA, BORIS)
        )
    )
    assert len({score.id for score in begun}) == 2
    await asyncio.gather(
        *(
            answers.answer_question(place, CALL, question_id, value, login=who.login)
            for place, who in ((store, ANNA), (other_store, BORIS))
            for question_id, value in GOOD.items()
        ),
        answers.comment_question(
            other_store, CALL, "help", "at once <b>", login="anna", at_seconds=7.5
        ),
    )
    own = (await service.show_scoring(store, CALL, ANNA)).own
    assert own
    assert own.values == GOOD
    assert own.answers["help"] == Answer(
        question_id="help", value="5", comment="at once <b>", at_seconds=7.5
    )
    await asyncio.gather(
        answers.submit_score(store, CALL, login="anna", now=NOON),
        answers.submit_score(other_store, CALL, login="boris", now=NOON),
    )
    assert await found(store, score=Range(0)) == [(CALL, 100.0)]


async def test_a_rules_score_counts_until_a_person_scores_the_call(store: SqlStore) -> None:
    card = await a_card(store)
    given = [Answer(question_id=name, value="skip") for name in ("greet", "rude")]
    for value, score in (("2", 25.0), ("3", 50.0)):
        sheet = [*given, Answer(question_id="help", value=value)]
        added = await answers.add_score(store, CALL, card.id, sheet, scorer="rule:1", now=NOON)
        assert (added.by, await found(store, score=Range(0))) == (
            ScoredBy.RULE,
            [(CALL, score)],
        )
    before = await service.show_scoring(store, CALL, ANNA)
    assert (len(before.sheets), before.hidden) == (1, ())  # a rule's score is no secret
    assert (await find_calls(store, CallFilter(reviewed=True))).lines == ()
    await scored(store, CALL, card, ANNA)
    assert await found(store, score=Range(0)) == [(CALL, 100.0)]


async def test_old_scores_stay_when_the_card_changes(store: SqlStore) -> None:
    first = await a_card(store)
    await scored(store, CALL, first, ANNA, help="3")
    await service.begin_score(store, "rt1-3.0", first.id, ANNA, NOON)
    second = await draft_next(store, first.id, author="anna", now=NOON)
    await publish_card(store, second.id, NOON)
    (sheet,) = (await service.show_scoring(store, CALL, ANNA)).sheets
    assert (sheet.card.version, sheet.score.score) == (1, 70.0)
    await scored(store, "rt1-3.0", first, ANNA)  # goes on by the version it was begun with
    with pytest.raises(Conflict):
        await service.begin_score(store, "rt1-2.0", first.id, ANNA, NOON)


async def test_cards_are_offered_for_the_calls_they_are_for(store: SqlStore) -> None:
    ivan = await a_card(store, "Ivan's", "employee=PJSIP%2Fivan")
    every = await a_card(store, "all")
    gone = await a_card(store, "gone")
    await archive_card(store, gone.id, NOON)
    offered = {
        call_id: [card.id for card in (await service.show_scoring(store, call_id, ANNA)).cards]
        for call_id in (CALL, "rt1-3.0", "rt1-missed.0")
    }
    assert offered == {CALL: [every.id], "rt1-3.0": [every.id, ivan.id], "rt1-missed.0": []}


async def test_own_calls_and_calls_without_an_employee_cannot_be_scored(store: SqlStore) -> None:
    card = await a_card(store)
    judged = person("lead", employee="PJSIP/maria")
    for call_id, who in ((CALL, judged), ("rt1-missed.0", ANNA)):
        with pytest.raises(NotAllowed):
            await service.begin_score(store, call_id, card.id, who, NOON)
    await scored(store, CALL, card, ANNA)
    assert len((await service.show_scoring(store, CALL, judged)).sheets) == 1


async def test_spoilt_answers_are_refused(store: SqlStore) -> None:
    card = await a_card(store)
    with pytest.raises(NotFound):
        await answers.answer_question(store, CALL, "help", "5", login="anna")
    await service.begin_score(store, CALL, card.id, ANNA, NOON)
    for question_id, value in (("help", "6"), ("help", "yes"), ("greet", "1")):
        with pytest.raises(InvalidInput):
            await answers.answer_question(store, CALL, question_id, value, login="anna")
    with pytest.raises(NotFound):
        await answers.answer_question(store, CALL, "gone", "yes", login="anna")
    with pytest.raises(InvalidInput):
        await answers.comment_question(store, CALL, "help", "x" * 2001, login="anna")
    for question_id in GOOD:
        await answers.answer_question(store, CALL, question_id, "skip", login="anna")
    with pytest.raises(InvalidInput, match="No question applies"):
        await answers.submit_score(store, CALL, login="anna", now=NOON)
    await service.discard_score(store, CALL, login="anna")
    assert (await service.show_scoring(store, CALL, ANNA)).own is None


async def test_averages_are_of_the_calls_that_their_links_list(store: SqlStore) -> None:
    card = await a_card(store)
    await scored(store, CALL, card, ANNA, help="1")
    await scored(store, CALL, card, BORIS)
    await scored(store, "rt1-2.0", card, ANNA, rude="no")
    await scored(store, "rt1-3.0", card, ANNA, help="3")
    got = await figures.score_figures(store, last=NOON.date(), weeks=2, zone=UTC)
    shown = {employee.employee: [employee.all, *employee.weeks] for employee in got.employees}
    assert {
        name: [found and (found.score, found.calls) for found in of_weeks]
        for name, of_weeks in shown.items()
    } == {
        "PJSIP/ivan": [(70.0, 1), None, (70.0, 1)],
        "PJSIP/maria": [(35.0, 2), (0.0, 1), (70.0, 1)],
    }
    assert await found(store, scored="PJSIP/maria") == [(CALL, 70.0), ("rt1-2.0", 0.0)]


async def test_agreement_names_the_calls_whose_answers_differ(store: SqlStore) -> None:
    card = await a_card(store)
    await scored(store, CALL, card, ANNA)
    await scored(store, CALL, card, BORIS, help="4")
    await scored(store, "rt1-2.0", card, ANNA)
    await scored(store, "rt1-2.0", card, BORIS)
    await scored(store, "rt1-3.0", card, ANNA)
    (agreement,) = await figures.agreements(store, last=NOON.date(), weeks=1, zone=UTC)
    assert agreement.calls == 2
    assert [
        (part.question.id, part.equal, part.pairs, part.differing) for part in agreement.questions
    ] == [
        ("greet", 2, 2, ()),
        ("help", 1, 2, (CALL,)),
        ("rude", 2, 2, ()),
    ]
    assert (
        await figures.agreements(store, last=NOON.date().replace(year=2020), weeks=1, zone=UTC)
        == ()
    )


async def test_what_a_removed_user_did_not_submit_is_forgotten(store: SqlStore) -> None:
    card = await a_card(store)
    await service.begin_score(store, CALL, card.id, ANNA, NOON)
    await scored(store, "rt1-3.0", card, ANNA)
    async with store.write() as session:
        await session.scores.forget("anna")
    assert (await service.show_scoring(store, CALL, ANNA)).own is None
    assert len(await service.submitted_scores(store, "rt1-3.0")) == 1
