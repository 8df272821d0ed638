"""How many numbers of a pool strangers can take from honest visitors, by where they come from.

The strangers ask for a page from each of their addresses in turn until they get no number,
keep what they have alive, and ask again every minute. Limits by address are off: it is the worst
that a patient one can do. Honest visitors come from as many networks, half as many as the pool can
serve.
"""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from router.domain.visitors.visit import DisplayLevel
from router.service.visitors.identities import NO_IDS
from router.service.visitors.visits import VisitService
from router.store.engine import SqlStore
from router.store.migrate import migrate
from tests.bench.figure import Figure
from tests.integration.visit_world import SHOP, open_page, visit_service
from tests.support.builders import NOON, dynamic, furnish

MINUTES, QUICK_MINUTES = 40, 15
MINUTES_A_VISITOR = 60  # of a number: half of what the pool can serve, whose leases last 30 minutes
STAYING = 3  # honest visitors, who are on the page at a time
POOLS = (10, 30)
AT_ONCE = 20  # requests of the strangers in a row that bring nothing, after which they wait

STRANGERS: dict[str, Callable[[int], str]] = {
    "nobody": lambda _: "",
    "one address": lambda _: "198.51.100.7",
    "one /24": lambda at: f"198.51.100.{at % 256}",
    "one IPv6 /48": lambda at: f"2001:db8:1:{(at * 256) % 65_536:x}::{at:x}",
    "500 addresses in 500 networks": lambda at: f"100.{at % 500 // 250}.{at % 250}.7",
}


@dataclass(frozen=True, slots=True)
class _Page:
    """An open page with a number."""

    address: str
    visit_id: str
    lease_id: str


@dataclass
class _Pages:
    """Open pages with a number."""

    open: list[_Page] = field(default_factory=list)

    async def stay(self, service: VisitService, now: datetime) -> None:
        """A heartbeat of each; those that lost their number, and got no other, are forgotten."""
        kept = []
        for page in self.open:
            who = await service.recall(page.visit_id)
            told = await service.stay(who, [page.lease_id], None, NO_IDS, page.address, now)
            lease_id = told["main"].lease_id if told else page.lease_id
            kept += [replace(page, lease_id=lease_id)] if lease_id else []
        self.open = kept


def measure(*, quick: bool = False) -> list[Figure]:
    """One figure for each pool and kind of strangers."""
    minutes = QUICK_MINUTES if quick else MINUTES
    return [asyncio.run(_figure(numbers, name, minutes)) for numbers in POOLS for name in STRANGERS]


async def _figure(numbers: int, name: str, minutes: int) -> Figure:
    with tempfile.TemporaryDirectory() as home:
        store = SqlStore(f"sqlite+aiosqlite:///{Path(home) / 'ringtrace.db'}")
        try:
            await migrate(store)
            shown = [dynamic(f"+7495000{place:04}") for place in range(numbers)]
            await furnish(store, numbers=shown)
            served, honest, held = await _siege(
                visit_service(store), STRANGERS[name], numbers, minutes
            )
        finally:
            await store.close()
    return Figure(
        name=f"{numbers} numbers, {name}: honest visitors with a number",
        ours=100 * served / honest,
        unit="%",
        **({} if name.startswith("500") else {"aim": "100 %", "met": served == honest}),
        note=f"the strangers hold {held} at the end",
    )


async def _siege(
    service: VisitService, address: Callable[[int], str], numbers: int, minutes: int
) -> tuple[int, int, int]:
    """Honest visitors with a number, all of them, and how many numbers the strangers hold."""
    strangers, honest = _Pages(), _Pages()
    asked = served = came = 0
    for minute in range(minutes):
        now = NOON + timedelta(minutes=minute)
        await strangers.stay(service, now)
        vain = 0 if address(0) else AT_ONCE
        while vain < AT_ONCE:
            page = await _open(service, address(asked), now)
            asked, vain = asked + 1, 0 if page else vain + 1
            strangers.open += [page] if page else []
        honest.open = honest.open[-STAYING:]
        await honest.stay(service, now)
        while came < minute * numbers / MINUTES_A_VISITOR:
            page = await _open(service, f"{20 + came}.7.7.1", now + timedelta(seconds=30))
            came, served = came + 1, served + (page is not None)
            honest.open += [page] if page else []
    return served, came, len(strangers.open)


async def _open(service: VisitService, address: str, now: datetime) -> _Page | None:
    arrived = await open_page(service, SHOP, now, address=address)
    number = arrived.numbers["main"]
    if number.level is not DisplayLevel.DYNAMIC or not arrived.visit_id or not number.lease_id:
        return None
    return _Page(address, arrived.visit_id, number.lease_id)
