"""Plans and warnings from a real database's visits and leases."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from router.domain.visitors.erlang import ASKING, blocking
from router.domain.visitors.occupancy import Shortage
from router.domain.visitors.visit import DisplayLevel, Fallback, Reason
from router.service.visitors.pool_planning import (
    Basis,
    plan_pool,
    report_pool,
    short_pools,
    watch_pools,
)
from router.store.engine import SqlStore
from tests.support.builders import (
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
