"""Doctor names each receiver whose host does not resolve, with the command that corrects it."""

from typing import Any

from router.cli.doctor.finding import Case, Level
from router.cli.doctor.host_names import receivers
from router.config import Settings
from router.domain.delivery.connection import Connection
from router.store.engine import SqlStore
from tests.support.builders import NOON, webhook


async def test_a_receiver_whose_host_does_not_resolve_fails_with_what_to_do(
    store: SqlStore,
) -> None:
    crm: dict[str, Any] = {"kind": "amocrm", "created_at": NOON}
    async with store.write() as session:
        await session.add(webhook("good", url="http://127.0.0.1:9/in"))
        await session.add(webhook("lost", url="https://nothing.invalid/in"))
        await session.add(webhook("off", url="https://nothing.invalid/in", active=False))
        await session.add(Connection(id="sales", address="https://gone.invalid", **crm))
    found = await receivers(Case(settings=Settings(), store=store, secrets=None))
    assert {finding.name: finding.level for finding in found} == {
        "webhook lost": Level.FAIL,
        "connection sales": Level.FAIL,
    }
    assert "gone.invalid" in found[0].found
    assert "ringtrace crm change sales" in found[0].fix


async def test_with_a_proxy_names_are_the_proxys_to_resolve(store: SqlStore) -> None:
    async with store.write() as session:
        await session.add(webhook("lost", url="https://nothing.invalid/in"))
    settings = Settings(http_proxy="http://127.0.0.1:3128")
    assert await receivers(Case(settings=settings, store=store, secrets=None)) == []
