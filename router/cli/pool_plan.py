"""`ringtrace pool plan`: usage of a pool, and how many numbers it needs."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from router.bootstrap import now
from router.cli.opening import with_store
from router.cli.output import (
    AsJson,
    Column,
    duration,
    note,
    plain,
    print_facts,
    print_json,
    print_table,
)
from router.domain.visitors.erlang import DAYS
from router.domain.visitors.occupancy import Shortage
from router.domain.visitors.site import Pool
from router.domain.visitors.visit import DisplayLevel, Reason
from router.service.admin import setup
from router.service.ports import Store
from router.service.visitors.pool_planning import (
    Basis,
    PoolPlan,
    PoolReport,
    plan_pool,
    report_pool,
)

SHORTAGES = {
    Shortage.NO_NUMBERS: "It has no numbers: `ringtrace number add NUMBER --pool {pool}`.",
    Shortage.RAN_DRY: "The pool ran out of numbers in the last 7 days: some visitors got none.",
    Shortage.BUDGET: (
        "The pool reached its hourly limit in the last 7 days: some visitors got no number."
    ),
    Shortage.NEARLY: (
        "The pool is nearly out of numbers: fewer than 20 % were idle in the busiest hour."
    ),
}
REASONS = {
    Reason.EMPTY: "all numbers in use",
    Reason.BUDGET: "hourly limit reached",
    Reason.ROBOT: "robots",
    Reason.CROWD: "too many from one address",
    Reason.NO_CONSENT: "no consent",
}
BASES = {
    Basis.MEASURED: "measured here",
    Basis.PUBLISHED: "published for other sites: 20 to 25 %",
    Basis.GIVEN: "as given",
}


def plan(
    key: Annotated[str, typer.Argument(metavar="POOL", help="The pool's key.")],
    hold: Annotated[
        list[int] | None,
        typer.Option(
            metavar="SECONDS",
            min=30,
            max=86_400 * 30,
            help="A lease time to plan, in seconds; repeat.",
        ),
    ] = None,
    asking: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1,
            help="Share of visitors who ask for the number; default: as measured.",
        ),
    ] = None,
    share: Annotated[
        list[float] | None,
        typer.Option(min=0.00001, max=0.9, help="Share of visitors without a number; repeat."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Calculate how many numbers a pool needs (Erlang B on the site's visits), and show its
    usage.
    """

    async def work(store: Store) -> tuple[PoolReport, PoolPlan]:
        pool, moment = await setup.get_one(store, Pool, key), now()
        report = await report_pool(store, pool, moment)
        return report, await plan_pool(
            store, pool, moment, holds=hold or (), shares=share or (), asking=asking
        )

    report, planned = with_store(work)
    if as_json:
        print_json(_as_json(report, planned))
        return
    print_facts(_facts(report), title=f"Pool {report.pool.id}, the last 7 days")
    print_facts(_basis(planned), title="Basis of the plan")
    _print_plan(planned)
    if report.shortage:
        note(f"\nWarning: {SHORTAGES[report.shortage].format(pool=key)}")


def _facts(report: PoolReport) -> Iterator[tuple[str, Any]]:
    yield "numbers", f"{report.numbers}, {report.leased} leased now, {report.idle} idle"
    yield "peak in use", report.most_held
    yield "visits with a request", report.visits
    if report.own_share is not None:
        yield "dynamic number", percent(report.own_share)
        yield (
            "static number of the source",
            percent(report.levels[DisplayLevel.STATIC] / report.visits),
        )
        yield "company number", percent(report.levels[DisplayLevel.OWN] / report.visits)
    for fallback in sorted(report.fallbacks, key=lambda s: -s.visits):
        yield f"shown {fallback.level}: {REASONS[fallback.reason]}", fallback.visits


def _basis(planned: PoolPlan) -> Iterator[tuple[str, Any]]:
    yield (
        "visits",
        f"{planned.visits} in {planned.days} days; {planned.busiest_hour} in the busiest hour",
    )
    measured = "assumed, no leases yet"
    if planned.page_measured:
        measured = "measured"

    yield "on the page", f"{duration(planned.page_seconds)} before the freeze, {measured}"
    yield (
        "ask for the number",
        f"{percent(planned.asking)} of visitors, {BASES[planned.asking_basis]}",
    )
    if planned.too_little:
        yield (
            "beware",
            f"not enough history: the estimate is reliable after {DAYS} days",
        )


def _print_plan(planned: PoolPlan) -> None:
    shares = tuple(f"{percent(share)} without" for share in planned.shares)
    columns = (
        Column(title="hold", right=True, whole=True),
        Column(title="load", right=True),
        *(Column(title=title, right=True) for title in shares),
    )
    own = planned.pool.hold_seconds

    def rows(which: str) -> Iterator[Sequence[Any]]:
        for row in planned.rows:
            need = getattr(row, which)
            mark = ""
            if row.hold_seconds == own:
                mark = "* "

            yield f"{mark}{duration(row.hold_seconds)}", f"{need.erlangs:.1f}", *need.numbers

    print_table(columns, rows("everyone"), title="Numbers needed if every visitor gets one")
    print_table(
        columns,
        rows("on_request"),
        title="Numbers needed if only visitors who ask get one",
    )
    now_without = next(row.without for row in planned.rows if row.hold_seconds == own)
    note(
        f"\n* current settings: with {planned.numbers} numbers, {percent(now_without)} of "
        "visitors get none in the busiest hour."
    )


def _as_json(report: PoolReport, planned: PoolPlan) -> dict[str, Any]:
    figures = {
        "idle": report.idle,
        "visits": report.visits,
        "own_share": report.own_share,
        "most_held": report.most_held,
    }
    return {
        "report": plain(report, without=["hours"]) | figures,
        "plan": plain(planned, without=["pool"]),
    }


def percent(share: float) -> str:
    """`12 %`, `0.1 %`."""
    return f"{share * 100:.3g} %"
