"""Checks of the set-up: sites, numbers, pools, mailboxes, connections."""

from datetime import timedelta
from pathlib import Path

from router.bootstrap import now
from router.cli.doctor.finding import Case, Finding, ok, warn
from router.cli.doctor.waiting import in_thread
from router.cli.output import moment
from router.domain.mail import Mailbox
from router.domain.phone import display
from router.domain.visitors.occupancy import Shortage
from router.domain.visitors.site import (
    Destination,
    Pool,
    RefusedOrigin,
    Site,
    TrackingNumber,
    UnchangedPage,
)
from router.enrichment.geoip import made_at
from router.service.admin.setup import list_all
from router.service.calls.routing import load_table
from router.service.delivery.connections import list_connections
from router.service.ids import by_id
from router.service.visitors.pool_planning import PoolReport, short_pools

RECENT = timedelta(days=7)
FEW = 5  # named in one line
# addresses move: these files are updated every month
OLD_PLACES = timedelta(days=183)
SHORT = {
    Shortage.RAN_DRY: "ran dry",
    Shortage.BUDGET: "hourly limit reached",
    Shortage.NEARLY: "nearly all in use",
}


async def default_lines(case: Case) -> list[Finding]:
    """Each site has a default line, for unknown DIDs and for numbers without a destination."""
    sites = await list_all(case.store, Site)
    if not sites:
        return [warn("sites", "none yet", "`ringtrace site add`")]
    without = [site.id for site in sites if site.destination_id is None]
    if without:
        found = f"no default line: {_few(without)}"
        return [
            warn(
                "sites",
                found,
                "`ringtrace site change KEY --destination KEY`: for unknown DIDs.",
            )
        ]
    return [ok("sites", f"all {len(sites)} have a default line")]


async def numbers(case: Case) -> Finding:
    """Each tracking number has a destination, and each pool has numbers."""
    numbers = await list_all(case.store, TrackingNumber)
    if not numbers:
        return warn("numbers", "none yet", "`ringtrace number add`, or `ringtrace number import`")
    async with case.store.read() as session:
        table = await load_table(session)
    lost = []
    for n in numbers:
        if (route := table.find(n.e164)) is None or route.number is None:
            lost.append(display(n.e164))

    if lost:
        return warn(
            "numbers",
            f"without a destination: {_few(lost)}",
            "Set one for the number, its pool or its site.",
        )
    filled = {number.pool_id for number in numbers}
    empty = [pool.id for pool in await list_all(case.store, Pool) if pool.id not in filled]
    if empty:
        return warn(
            "numbers",
            f"pools without numbers: {_few(empty)}",
            "`ringtrace number add NUMBER --site KEY --pool KEY`",
        )
    count = len(await list_all(case.store, Destination))
    return ok("numbers", f"all {len(numbers)} have one of {count} destinations")


async def pools(case: Case) -> Finding:
    """No pool ran out of numbers in the last 7 days, or nearly did."""
    short = []
    for report in await short_pools(case.store, now()):
        if report.shortage and report.shortage is not Shortage.NO_NUMBERS:
            short.append(f"{report.pool.id} ({SHORT[report.shortage]}{_held_by(report)})")

    if short:
        return warn(
            "pools",
            f"short of numbers: {_few(short)}",
            "`ringtrace pool plan KEY` shows how many it needs.",
        )
    return ok("pools", "none ran out in the last 7 days")


def _held_by(report: PoolReport) -> str:
    """The network that holds more than its share of a pool: more numbers would not help."""
    if not report.over_share:
        return ""
    return f"; {report.over_share[0]} holds {report.over_share[1]} of {report.numbers}"


async def origins(case: Case) -> Finding:
    """Every page that requested numbers in the last 7 days has an origin that its site lists."""
    async with case.store.read() as session:
        origins = await session.find(RefusedOrigin)
        sites = by_id(await session.find(Site))
    refused = []
    for origin in sorted(origins, key=lambda origin: -origin.count):
        if (
            now() - origin.last_at < RECENT
            and origin.site_id in sites
            and origin.origin not in sites[origin.site_id].origins
        ):
            refused.append(f"{origin.origin} (site {origin.site_id}, {origin.count} times)")

    if refused:
        fix = (
            "If they are yours: `ringtrace site change KEY --origin …`; name all origins of the "
            "site, old and new."
        )
        return warn("origins", f"pages that got no numbers: {_few(refused)}", fix)
    return ok("origins", "no other pages requested numbers in the last 7 days")


async def unchanged(case: Case) -> Finding:
    """The script could replace the company's number on every page of the last 7 days."""
    async with case.store.read() as session:
        opened = await session.find(UnchangedPage)
    pages = []
    for page in sorted(opened, key=lambda page: -page.count):
        if now() - page.last_at < RECENT:
            pages.append(f"{page.path} (site {page.site_id}, {page.count} times)")

    if pages:
        fix = (
            "Write the number as one text, or add a `--selector` for its element to the pool; "
            "`data-ringtrace-ignore` marks numbers that should stay."
        )
        return warn("pages", f"pages where the company number is not replaced: {_few(pages)}", fix)
    return ok("pages", "the script replaced every company number that it found in the last 7 days")


async def places(case: Case) -> Finding:
    """The GeoIP file can be read, and is not old."""
    if not case.settings.places_path:
        return ok("places", "no file is set: places of visitors are unknown")
    file = Path(case.settings.places_path)
    try:
        made = await in_thread(lambda: made_at(file))
    except ValueError as error:
        fix = (
            "Put a complete .mmdb file there and restart the web process, or unset "
            "RINGTRACE_PLACES_PATH."
        )
        return warn("places", f"{file} cannot be read: {error}", fix)
    if now() - made > OLD_PLACES:
        found = f"{file} is of {made:%Y-%m-%d}"
        return warn(
            "places",
            found,
            "Replace it with this month's file by renaming; restart the web process.",
        )
    return ok("places", f"of {made:%Y-%m-%d}")


async def mailboxes(case: Case) -> list[Finding]:
    """Each site's mailbox could be read at the last poll."""
    async with case.store.read() as session:
        known = await session.find(Mailbox)
    bad = []
    for mailbox in known:
        if mailbox.error:
            bad.append(
                warn(
                    f"mailbox {mailbox.site_id}",
                    str(mailbox.error),
                    f"Test it with `ringtrace mail check {mailbox.site_id}`.",
                )
            )

    return bad or [ok("mailboxes", f"all {len(known)} can be read" if known else "none")]


async def connections(case: Case) -> list[Finding]:
    """No connection is paused because it fails."""
    known = await list_connections(case.store)
    bad = []
    for standing in known:
        if standing.health is not None and standing.rests(now()):
            bad.append(
                warn(
                    f"connection {standing.connection.id}",
                    f"paused until {moment(standing.health.paused_until)}: "
                    f"{standing.health.reason or 'it asked for patience'}",
                    f"Test it with `ringtrace crm check {standing.connection.id}`.",
                )
            )

    return bad or [ok("connections", (f"none of {len(known)} is paused") if known else "none")]


def _few(names: list[str]) -> str:
    rest = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {rest} more" if rest > 0 else "")
