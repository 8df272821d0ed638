"""Pages of a site as visitors open them, for the tests of visits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from router.service.visitors.identities import Ids
from router.service.visitors.limits import Limits
from router.service.visitors.opened_page import Arrived
from router.service.visitors.ports import VisitEnrichment
from router.service.visitors.visits import Arrival, VisitService
from router.store.engine import SqlStore
from tests.support.builders import NOON, furnish

SHOP = "https://shop.example"
ADS = f"{SHOP}/tyres?utm_source=google&utm_medium=cpc&utm_campaign=winter"


@dataclass(frozen=True)
class Seen:
    """A browser, or where an address is."""

    device: str = "mobile"
    browser: str | None = "Firefox"
    system: str | None = "Android"
    robot: bool = False
    country: str | None = "RU"
    region: str | None = "Moscow"
    city: str | None = "Khimki"


AROUND = VisitEnrichment(
    referrers=lambda host: ("google", "search") if "google" in host else None,
    browsers=lambda agent: Seen(robot="bot" in agent),
    places=lambda address: {
        "10.0.0.1": Seen(),
        "10.0.0.2": Seen(region="Tver Oblast", city="Tver"),
    }.get(address),
)


def visit_service(store: SqlStore, **limits: Any) -> VisitService:
    """The use cases of the script; a limit is a `Limited`, or says alone whether there is room."""
    chosen = {
        name: limit if isinstance(limit, Limited) else Limited(limit)
        for name, limit in limits.items()
    }
    return VisitService(store, AROUND, Limits(**chosen))


class Limited:
    """A limit of a test."""

    def __init__(
        self, hit: Callable[[str], bool], give_back: Callable[[str], None] = lambda _: None
    ) -> None:
        self.hit, self.give_back = hit, give_back


async def open_page(
    store: SqlStore | VisitService, url: str = SHOP, now: datetime = NOON, **told: Any
) -> Arrived:
    """A page that is opened and shows its numbers: the script says so at once."""
    desk = store if isinstance(store, VisitService) else visit_service(store)
    arrived = await ask_for_page(desk, url, now, **told)
    leases = [shown.lease_id for shown in arrived.numbers.values() if shown.lease_id]
    if leases:
        await desk.stay(await desk.recall(arrived.visit_id or ""), leases, None, Ids(), "", now)
    return arrived


async def ask_for_page(
    desk: VisitService, url: str = SHOP, now: datetime = NOON, **told: Any
) -> Arrived:
    """A page that is opened, of which nothing more is heard."""
    setup = await desk.sites.get("shop")
    return await desk.arrive(setup, Arrival(**{"url": url, "pools": ["main"], **told}), now)


async def everything(store: SqlStore, kind: type[Any]) -> list[Any]:
    async with store.read() as session:
        return await session.find(kind)


async def set_up(store: SqlStore, *records: Any) -> None:
    async with store.write() as session:
        await session.change(*records)


async def opened(store: SqlStore) -> tuple[VisitService, Any, Arrived]:
    await furnish(store)
    desk = visit_service(store)
    arrived = await open_page(desk, ADS)
    return desk, await desk.recall(arrived.visit_id or ""), arrived
