"""Calls whose visitor is known: by a tap, a form or a code."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from router.domain.attribution.calibration import Proof, cases
from router.domain.attribution.terms import Candidate, Evidence, Verdict
from router.domain.calls.call import Call, State
from router.domain.visitors.visit import Form, Tap
from router.service.calls.reliability import reliability
from router.store.engine import SqlStore
from tests.support.builders import (
    DID,
    NOON,
    OTHER_DID,
    furnish,
    later,
    visit,
    visitor,
)

HOUR = timedelta(hours=1)

DAY = timedelta(days=1)


def call(id: str, *candidates: Candidate, at: datetime = NOON, **fields: object) -> Call:  # noqa: A002
    base = Call(id=id, did=DID[1:], trunk="carrier", number=DID, site_id="shop", caller="+79161234567", arrived_at=at,  # noqa: E501
                state=State.ENDED, candidates=candidates)  # fmt: skip
    return replace(base, **fields)  # type: ignore[arg-type]


def candidate(who: str, probability: float, *evidence: Evidence) -> Candidate:
    return Candidate(
        lease_id=None,
        visitor_id=who,
        visit_id=f"{who}-1",
        probability=probability,
        evidence=evidence,
    )


async def people(store: SqlStore, *calls: Call, more: Iterable[object] = ()) -> None:
    await furnish(
        store,
        visitor(),
        visitor("boris"),
        visit(code="4711"),
        visit("boris-1", visitor_id="boris"),
        *more,
    )
    async with store.write() as session:
        await session.calls.save(calls)


async def proofs(store: SqlStore) -> list[tuple[str, Proof, str]]:
    async with store.read() as session:
        found = await session.witnesses.find(None, NOON - DAY, NOON + DAY)
    return sorted((witness.call_id, witness.proof, witness.visitor_id) for witness in found)


async def test_a_tap_proves_a_call_of_its_number_in_the_two_minutes_after_it(
    store: SqlStore,
) -> None:
    taps = [
        Tap(id="t1", visit_id="anna-1", number=DID, at=later(-119)),
        Tap(id="t2", visit_id="boris-1", number=DID, at=later(1)),
        Tap(id="t3", visit_id="boris-1", number=OTHER_DID, at=later(-5)),
        Tap(id="t4", visit_id="boris-1", number=DID, at=later(-121)),
    ]
    await people(store, call("c"), more=taps)
    assert await proofs(store) == [("c", Proof.TAP, "anna")]


async def test_a_tap_on_a_number_that_everybody_is_shown_proves_nothing(store: SqlStore) -> None:
    tap = Tap(id="t1", visit_id="anna-1", number=DID, at=later(-5))
    await people(store, call("c", verdict=Verdict.STATIC), more=[tap])
    assert await proofs(store) == []


async def test_a_form_and_a_code_prove_a_call_of_the_month_after_them(store: SqlStore) -> None:
    forms = [
        Form(id="f1", visit_id="boris-1", phone="+79161234567", at=later(-86_400 * 29)),
        Form(id="f2", visit_id="anna-1", phone="+79161234567", at=later(-86_400 * 31)),
        Form(id="f3", visit_id="anna-1", phone="+79160000000", at=later(-60)),
    ]
    await people(
        store,
        call("c", code="4711"),
        call("d", caller=None, site_id="elsewhere", code="4711"),
        more=forms,
    )
    assert await proofs(store) == [("c", Proof.CODE, "anna"), ("c", Proof.FORM, "boris")]


async def test_the_surest_proof_counts_and_one_that_names_two_visitors_none(
    store: SqlStore,
) -> None:
    taps = [
        Tap(id=f"t{i}", visit_id=who, number=DID, at=later(-9))
        for i, who in enumerate(("anna-1", "boris-1"))
    ]
    first = call("c", candidate("anna", 0.7), candidate("boris", 0.2), code="4711")
    await people(store, first, call("d", candidate("boris", 0.9)), call("e"), more=taps)
    async with store.read() as session:
        known = cases(await session.witnesses.find("shop", NOON - DAY, NOON + DAY))
    assert [(case.call_id, case.proof, case.probability, case.right) for case in known] == [
        ("c", Proof.CODE, 0.7, True)
    ]


async def test_calls_are_compared_with_their_probabilities_and_circular_ones_are_marked(
    store: SqlStore,
) -> None:
    tapped = [
        Tap(id=f"t{i}", visit_id="anna-1", number=DID, at=later(i * 600 - 10)) for i in range(60)
    ]
    calls = [
        call(
            f"c{i}",
            candidate("anna" if i % 4 else "boris", 0.75, *((Evidence.TAPPED,) if i < 5 else ())),
            at=later(i * 600),
        )
        for i in range(60)
    ]
    await people(store, *calls, more=tapped)
    found = await reliability(store, "shop", NOON - DAY, NOON + DAY)
    (only,) = found.bins
    assert (len(found.cases), found.circular, found.few) == (60, 5, False)
    assert (only.low, only.cases, only.given, only.right) == (0.7, 60, 0.75, 0.75)
    assert only.right_from < 0.7 < 0.8 < only.right_to
    assert found.error == pytest.approx(0)
    assert found.independent_error is not None
    few = await reliability(store, "shop", NOON, NOON + 2 * HOUR)
    assert (len(few.cases), few.few, few.error) == (12, True, None)
    assert len((await reliability(store, "other", NOON - DAY, NOON + DAY)).cases) == 0
