"""Texts in a CRM are in the language of the call's site, unless the connection has its own."""

from dataclasses import replace

import pytest

from router.domain.delivery.connection import Connection, Rules
from router.domain.language import Language
from router.service.delivery.languages import with_language
from router.store.engine import SqlStore
from tests.support.builders import destination, site
from tests.support.crm_calls import call_event, connection

EN, RU = Language.ENGLISH, Language.RUSSIAN


async def language(store: SqlStore, to: Connection, site_id: str | None) -> Language | None:
    call = replace(call_event(), site_id=site_id)
    return (await with_language(store, to, call)).rules.language


async def test_the_calls_site_names_the_language_unless_the_connection_does(
    store: SqlStore,
) -> None:
    async with store.write() as session:
        await session.add(destination(), site("msk", language=RU), site("london"))
    own = connection(rules=Rules(language=RU))
    assert await language(store, connection(), "msk") is RU
    assert await language(store, connection(), "london") is EN
    assert await language(store, own, "london") is RU
    assert await language(store, connection(site_id="msk"), None) is RU
    assert await language(store, connection(), "gone") is EN


@pytest.mark.parametrize("rules", [Rules(), Rules(language=EN)])
async def test_a_connection_keeps_whether_it_has_a_language(store: SqlStore, rules: Rules) -> None:
    async with store.write() as session:
        await session.add(connection(rules=rules))
    async with store.read() as session:
        assert (await session.get(Connection, "tryton")).rules == rules
