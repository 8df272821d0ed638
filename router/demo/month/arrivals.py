"""How invented visitors open a page."""

import random
from datetime import datetime

from router.demo.month.cast import AGENTS, WAYS, InventedSite, Way
from router.service.visitors.identities import Ids
from router.service.visitors.opened_page import Arrived
from router.service.visitors.visits import Arrival


def new_arrival(site: InventedSite, at: datetime, chance: random.Random) -> Arrival:
    """A new visitor opens a page of the site."""
    way = chance.choices(WAYS, weights=[way.weight for way in WAYS])[0]
    return Arrival(
        url=_address(site, way, chance),
        referrer=way.referrer,
        ids=Ids(
            ga_client_id=f"{chance.randrange(10**9, 2 * 10**9)}.{int(at.timestamp())}",
            ym_client_id=f"{int(at.timestamp())}{chance.randrange(10**8):08}",
        ),
        pools=[site.pool_id],
        consent=True,
        address=_line(chance),
        user_agent=chance.choice(AGENTS),
    )


def leases_of(arrived: Arrived) -> list[str]:
    return [shown.lease_id for shown in arrived.numbers.values() if shown.lease_id]


def _address(site: InventedSite, way: Way, chance: random.Random) -> str:
    click = "".join(chance.choices("ABCDEFabcdef0123456789_-", k=24))
    query = way.query.format(term=chance.choice(way.terms).replace(" ", "+"), click=click)
    page = site.origin + chance.choice(site.paths)
    if query:
        return f"{page}?{query}"
    return page


def _line(chance: random.Random) -> str:
    """An address of those that are reserved for tests."""
    network = 18 + chance.randrange(2)
    return f"198.{network}.{chance.randrange(256)}.{chance.randrange(1, 255)}"
