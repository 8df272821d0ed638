"""An installation with deliveries of every state, and who may see and change them:
`deliveries_world`, `told_calls`.
"""

from collections.abc import AsyncIterator

import pytest_asyncio

from router.domain.access import Role, Scope
from router.domain.calls.call import Call
from router.domain.delivery.delivery import Delivery
from router.service.admin.access import add_person, create_token
from router.store.engine import SqlStore
from router.web.app import create_app
from router.web.deps import Web
from tests.support.web_calls import furnish
from tests.support.web_deliveries import furnish_deliveries
from tests.support.web_world import PASSWORD, Clock, MemoryStorage, World, site_things


@pytest_asyncio.fixture
async def deliveries_world(store: SqlStore) -> AsyncIterator[World]:
    clock = Clock()
    tokens = {
        scope: (await create_token(store, str(scope), [scope], clock.now)).secret for scope in Scope
    }
    await add_person(store, "anna", PASSWORD, Role.SUPERVISOR, clock.now)
    await add_person(store, "root", PASSWORD, Role.ADMINISTRATOR, clock.now)
    async with store.write() as session:
        await session.add(*site_things(clock.now))
    web = Web(store=store, listening=MemoryStorage(), session_key="k" * 43, clock=clock)
    yield World(store=store, app=create_app(web), clock=clock, tokens=tokens)


@pytest_asyncio.fixture
async def told_calls(deliveries_world: World) -> dict[str, Call]:
    made = await furnish(deliveries_world)
    await furnish_deliveries(deliveries_world, made)
    return made


async def kept(world: World, delivery_id: str) -> Delivery:
    async with world.store.read() as session:
        return await session.get(Delivery, delivery_id)


async def revision(world: World) -> int:
    async with world.store.read() as session:
        return await session.calls.revision()


async def write(world: World, *records: object) -> None:
    async with world.store.write() as session:
        await session.add(*records)


async def page(
    world: World, login: str = "anna", path: str = "/deliveries", language: str = "en"
) -> str:
    answer = await (await world.person(login)).get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.text


def section(html: str, name: str) -> str:
    """One section of the page."""
    return html[html.index(f'<section id="{name}"') :].partition("</section>")[0]
