"""Plans and warnings from a real database's visits and leases; and calls whose visitor is known."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from router.domain.attribution.calibration import Proof, cases
from router.domain.attribution.terms import Candidate, Evidence, Verdict
from router.domain.calls.call import Call, State
from router.domain.visitors.erlang import ASKING, blocking
from router.domain.visitors.occupancy import Shortage
from router.domain.visitors.visit import DisplayLevel, Fallback, Form, Reason, Tap
from router.service.calls.reliability import reliability
from router.service.visitors.pool_planning import (
    Basis,
    plan_pool,
    report_pool,
    short_pools,
    watch_pools,
)
from router.store.engine import SqlStore
from tests.support.builders import (
    DID,
    NOON,
    OTHER_DID,
    Clock,
    dynamic,
    furnish,
    later,
    lease,
    pool,
    site,
    visit,
    visitor,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def add(store: SqlStore, *things: object) -> None:
    async with store.write() as session:
        await session.add(*things)


def visits_of(
    days: int, hours: Iterable[int], count: int, *, who: str = "anna", **fields: str
) -> list[object]:
    """So many visits in each of these hours of each day before noon of the last."""
    moments = [(NOON - DAY * day).replace(hour=hour, minute=i) for day in range(1, days + 1) for hour in hours  # noqa: E501
               for i in range(count)]  # fmt: skip
    ids = "-".join([who, *fields.values()])
    return [
        visit(f"{ids}-{i}", visitor_id=who, started_at=at, **fields) for i, at in enumerate(moments)
    ]


async def test_arrivals_are_counted_by_the_hour_of_this_site_alone(store: SqlStore) -> None:
    await furnish(store, visitor(), site("other"), visitor("boris", site_id="other"))
    moments = {"a": NOON, "b": NOON + HOUR - timedelta(microseconds=1), "c": NOON + HOUR}
    moments["late"] = NOON + 3 * HOUR
    await add(store, *(visit(name, started_at=at) for name, at in moments.items()))
    await add(store, visit("z", visitor_id="boris"))
    async with store.read() as session:
        found = await session.pools.arrivals("shop", NOON, NOON + 3 * HOUR)
        assert found == {NOON: 2, NOON + HOUR: 1}


async def test_a_pool_for_a_region_is_planned_by_visits_from_there_and_the_rest_by_the_others(
    store: SqlStore,
) -> None:
    moscow = pool("moscow", regions=("Moscow",))
    await furnish(store, visitor(), moscow)
    await add(store, *visits_of(8, [10], 9, region="Moscow"), *visits_of(8, [10], 4, region="Tver"))
    await add(store, *visits_of(8, [10], 3))
    assert (await plan_pool(store, moscow, NOON)).visits == 8 * 9
    rest = await plan_pool(store, pool(), NOON)
    assert (rest.visits, rest.busiest_hour) == (8 * 7, 7)


@pytest.mark.parametrize("region", ["moscow", "Ru", "KHIMKI"])
async def test_a_region_may_be_a_country_or_a_town_in_any_spelling_for_the_plan_as_for_visitors(
    store: SqlStore, region: str
) -> None:
    here = pool("here", regions=(region,))
    await furnish(store, visitor(), here)
    await add(store, *visits_of(8, [10], 9, region="Moscow", country="RU", city="Khimki"))
    await add(store, *visits_of(8, [10], 2, region="Tver", country="BY", city="Tver"))
    assert (await plan_pool(store, here, NOON)).visits == 8 * 9
    assert (await plan_pool(store, pool(), NOON)).visits == 8 * 2


async def test_a_plan_rests_on_the_busiest_hour_and_on_what_leases_tell_of_the_time_on_the_page(
    store: SqlStore,
) -> None:
    await furnish(store, visitor())
    await add(store, *visits_of(28, [9], 40), *visits_of(28, [3, 4, 5], 2, content="night"))
    await add(
        store,
        lease(
            "l1",
            started_at=later(-7200),
            seen_at=later(-7100),
            frozen_at=later(-7000),
            ends_at=later(-6700),
        ),
        lease(
            "l2",
            visit_id="anna-2",
            started_at=later(-5000),
            seen_at=later(-4990),
            frozen_at=later(-4900),
            ends_at=later(-4700),
        ),
    )
    plan = await plan_pool(store, pool(), NOON, holds=(600, 3600), shares=(0.01,))
    assert (plan.visits, plan.busiest_hour, plan.page_seconds) == (27 * 46, 40, 150)
    assert plan.page_measured
    assert not plan.too_little
    short, long = plan.rows
    assert short.everyone.erlangs == pytest.approx(40 * (150 + 300) / 3600)
    assert short.without == pytest.approx(blocking(2, short.everyone.erlangs))  # it has two numbers
    assert short.on_request.erlangs == pytest.approx(short.everyone.erlangs * ASKING)
    assert long.everyone.numbers > short.everyone.numbers


async def test_too_little_history_is_said(store: SqlStore) -> None:
    await furnish(store, visitor())
    nothing = await plan_pool(store, pool(), NOON)
    assert (nothing.visits, nothing.days, nothing.too_little, nothing.page_measured) == (
        0,
        0,
        True,
        False,
    )
    await add(store, *visits_of(3, [9], 60), *visits_of(3, [10], 60, content="b"))
    assert (await plan_pool(store, pool(), NOON)).too_little  # no weekend seen


async def test_who_asks_to_see_the_number_is_measured_where_a_pool_works_so(
    store: SqlStore,
) -> None:
    asked = pool(on_request=True)
    await furnish(store, visitor(), *visits_of(10, [9, 10], 15))
    await add(
        store, *(lease(f"l{i}", visit_id=f"anna-{i}", started_at=later(-3600)) for i in range(29))
    )
    await add(store, fallback("s", visit_id="anna-40", at=later(-3600)))
    assert (await plan_pool(store, asked, NOON)).asking == pytest.approx(0.1)
    assert (await plan_pool(store, asked, NOON)).asking_basis is Basis.MEASURED
    assert (await plan_pool(store, pool(), NOON)).asking_basis is Basis.PUBLISHED
    given = await plan_pool(store, asked, NOON, asking=0.5)
    assert (given.asking, given.asking_basis) == (0.5, Basis.GIVEN)


def fallback(id: str, **fields: object) -> Fallback:  # noqa: A002
    usual = {
        "visit_id": None,
        "pool_id": "main",
        "level": DisplayLevel.OWN,
        "reason": Reason.EMPTY,
        "number": None,
        "at": NOON,
    }
    return Fallback(id=id, **{**usual, **fields})  # type: ignore[arg-type]


async def test_a_report_counts_visits_by_what_they_were_shown_and_robots_not_at_all(
    store: SqlStore,
) -> None:
    await furnish(store, visitor(), visit(), visit("anna-2"), visit("anna-3"))
    await add(
        store,
        lease("l1"),
        lease("l2", started_at=later(400), number=OTHER_DID),  # the same visit once more
        lease("l3", visit_id="anna-2", started_at=NOON - 8 * DAY, ends_at=NOON - 8 * DAY),
        fallback("s1", visit_id="anna-3", level=DisplayLevel.STATIC),
        fallback("s2", visit_id="anna-3", level=DisplayLevel.STATIC),
        fallback("s3", reason=Reason.NO_CONSENT),
        fallback("s4", reason=Reason.NO_CONSENT),
        fallback("s5", reason=Reason.ROBOT),
        fallback("s6", reason=Reason.EMPTY, at=NOON - 8 * DAY),
    )
    report = await report_pool(store, pool(), later(500))
    assert report.levels == {DisplayLevel.DYNAMIC: 1, DisplayLevel.STATIC: 1, DisplayLevel.OWN: 2}
    assert (report.visits, report.own_share) == (4, 0.25)
    assert {(s.level, s.reason, s.visits) for s in report.fallbacks} == {
        (DisplayLevel.STATIC, Reason.EMPTY, 1),
        (DisplayLevel.OWN, Reason.NO_CONSENT, 2),
    }
    assert (report.numbers, report.most_held, report.shortage) == (2, 2, Shortage.RAN_DRY)


async def test_a_lease_begun_before_the_week_is_held_in_it_still(store: SqlStore) -> None:
    long = pool(hold_seconds=20 * 86_400, freeze_seconds=19 * 86_400)
    await furnish(
        store, visitor(), visit(), lease(started_at=NOON - 12 * DAY, ends_at=NOON - 2 * DAY)
    )
    report = await report_pool(store, long, NOON)
    held = [hour.hour for hour in report.hours if hour.most]
    assert len(report.hours) == 7 * 24
    assert (held[0], held[-1]) == (report.hours[0].hour, NOON - 2 * DAY - HOUR)


async def test_a_pool_that_nearly_runs_dry_is_named_and_a_roomy_one_is_not(store: SqlStore) -> None:
    many = [dynamic(f"+749500000{n}") for n in range(10, 19)]
    await furnish(store, visitor(), visit(), numbers=many)
    await add(store, *(lease(f"l{i}", number=many[i].e164) for i in range(7)))
    assert await short_pools(store, NOON) == []
    await add(store, lease("l8", number=many[8].e164, started_at=later(200)))
    (short,) = await short_pools(store, later(300))
    assert (short.pool.id, short.shortage, short.most_held) == ("main", Shortage.NEARLY, 8)


class WeekLater(Clock):
    """Noon for two looks, then more than a week later."""

    looks = 0

    def __init__(self) -> None:
        super().__init__()
        self.seen = asyncio.Event()

    def __call__(self) -> datetime:
        self.looks += 1
        if self.looks == 5:
            self.seen.set()
        return self.now if self.looks < 3 else self.now + 8 * DAY


async def test_a_short_pool_is_logged_once_and_its_recovery_too(store: SqlStore) -> None:
    await furnish(store, visitor(), visit(), fallback("s1"))
    clock = WeekLater()
    with capture_logs() as logs:
        watch = asyncio.create_task(watch_pools(store, clock, every=0))
        await clock.seen.wait()
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
    said = [(line["event"], line["pool"], line.get("why")) for line in logs]
    assert said == [("pool_short", "main", "ran_dry"), ("pool_enough", "main", None)]


# calls whose visitor is known


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
