"""What doctor asks of what the administrator set up: does every call have somewhere to go?"""

from router.bootstrap import now
from router.cli.doctor.finding import Case, Finding, ok, warn
from router.domain.occupancy import Shortage
from router.domain.phone import display
from router.domain.site import Destination, Pool, Site, TrackingNumber
from router.service.planning import short_pools
from router.service.routing import load_table
from router.service.setup import list_all

FEW = 5  # named in one line
SHORT = {
    Shortage.RAN_DRY: "ran dry",
    Shortage.BUDGET: "budget spent",
    Shortage.NEARLY: "nearly all held at once",
}


async def default_lines(case: Case) -> list[Finding]:
    """Each site has a default line, for unknown DIDs and for numbers without a destination."""
    sites = await list_all(case.store, Site)
    if not sites:
        return [warn("sites", "there is none yet", "`ringtrace site add`")]
    without = [site.id for site in sites if site.destination_id is None]
    if without:
        found = f"no default line: {_few(without)}"
        return [warn("sites", found, "`ringtrace site change KEY --destination KEY`: unknown DIDs go there.")]
    return [ok("sites", f"all {len(sites)} have a default line")]


async def numbers(case: Case) -> Finding:
    """Each tracking number leads somewhere, and each pool has numbers."""
    every = await list_all(case.store, TrackingNumber)
    if not every:
        return warn("numbers", "there is none yet", "`ringtrace number add`, or `ringtrace number import`")
    async with case.store.read() as session:
        table = await load_table(session)
    lost = [display(n.e164) for n in every if (route := table.find(n.e164)) is None or route.number is None]
    if lost:
        return warn("numbers", f"without a destination: {_few(lost)}", "Give the number, its pool or its site one.")
    filled = {number.pool_id for number in every}
    empty = [pool.id for pool in await list_all(case.store, Pool) if pool.id not in filled]
    if empty:
        return warn("numbers", f"pools without numbers: {_few(empty)}", "`ringtrace number add NUMBER --pool KEY`")
    count = len(await list_all(case.store, Destination))
    return ok("numbers", f"all {len(every)} lead to one of {count} destinations")


async def pools(case: Case) -> Finding:
    """No pool ran dry in the last 7 days, or nearly."""
    short = [
        f"{report.pool.id} ({SHORT[report.shortage]})"
        for report in await short_pools(case.store, now())
        if report.shortage and report.shortage is not Shortage.NO_NUMBERS
    ]
    if short:
        return warn("pools", f"short of numbers: {_few(short)}", "`ringtrace pool plan KEY` says how many it needs.")
    return ok("pools", "none ran dry in the last 7 days")


def _few(names: list[str]) -> str:
    rest = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {rest} more" if rest > 0 else "")
