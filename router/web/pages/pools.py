"""The pools: usage, busy hours, and numbers needed."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from router.domain.visitors.occupancy import Shortage, by_hour_of_day
from router.domain.visitors.site import Pool, Site
from router.domain.visitors.visit import DisplayLevel, Reason
from router.service.admin.setup import list_all
from router.service.ids import by_id
from router.service.visitors.pool_planning import PoolReport, plan_pool, report_pool
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf
from router.web.formats import Formats
from router.web.rendering import formats_of
from router.web.words import N_

router = APIRouter(include_in_schema=False)

LEVELS = {
    DisplayLevel.DYNAMIC: N_("Dynamic number"),
    DisplayLevel.STATIC: N_("Static number of the source"),
    DisplayLevel.OWN: N_("Company number, not replaced"),
}
REASONS = {
    Reason.EMPTY: N_("all numbers were in use"),
    Reason.BUDGET: N_("the hourly limit was reached"),
    Reason.CROWD: N_("too many visitors from one address"),
    Reason.NO_CONSENT: N_("no consent"),
}
SHORTAGES = {
    Shortage.NO_NUMBERS: N_("This pool has no numbers."),
    Shortage.RAN_DRY: N_(
        "This pool ran out of numbers in the last 7 days: some visitors got none."
    ),
    Shortage.BUDGET: N_(
        "This pool reached its hourly limit in the last 7 days: some visitors got no number."
    ),
    Shortage.NEARLY: N_(
        "This pool is nearly out of numbers: in the busiest hour fewer than a fifth were idle."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One hour of day in the chart: numbers in use, and the bar's height."""

    hour: int
    mean: float
    most: int
    mean_height: float
    most_height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Numbers in use by the reader's hour of day; heights are in percent."""

    bars: tuple[Bar, ...]
    top: int  # value of the full height
    numbers_height: float  # how many there are


@router.get("/pools")
async def pools(
    request: Request, app_state: AppStateOf, person: LoggedIn, store: StoreOf
) -> Response:
    """Every pool, by site. The browser asks for the report of each as it comes into view."""
    sites = by_id(await list_all(store, Site))
    by_site = sorted(await list_all(store, Pool), key=lambda pool: (pool.site_id, pool.id))
    return app_state.pages.render(request, "pools.html", person=person, sites=sites, pools=by_site)


@router.get("/pools/{pool_id}")
async def pool(
    request: Request,
    pool_id: str,
    app_state: AppStateOf,
    person: LoggedIn,
    store: StoreOf,
    now: Now,
) -> Response:
    """One pool: usage, busy hours, and numbers needed. 404 if unknown."""
    async with store.read() as session:
        wanted = await session.get(Pool, pool_id)
        site = await session.get(Site, wanted.site_id)

    report = await report_pool(store, wanted, now)
    return app_state.pages.render(
        request,
        "pool.html",
        person=person,
        site=site,
        report=report,
        plan=await plan_pool(store, wanted, now),
        chart=_chart(report, formats_of(request)),
        levels=LEVELS,
        reasons=REASONS,
        shortages=SHORTAGES,
    )


def _chart(report: PoolReport, formats: Formats) -> Chart:
    hours = by_hour_of_day(
        report.hours, [held.hour.astimezone(formats.zone).hour for held in report.hours]
    )
    top = max(1, report.numbers, report.most_held)
    bars = (
        Bar(
            hour=hour,
            mean=mean,
            most=most,
            mean_height=100 * mean / top,
            most_height=100 * most / top,
        )
        for hour, (mean, most) in enumerate(hours)
    )
    return Chart(bars=tuple(bars), top=top, numbers_height=100 * report.numbers / top)
