"""The language of a call's texts in a CRM: that of the connection, or of the call's site."""

from dataclasses import replace

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection
from router.domain.language import Language
from router.domain.visitors.site import Site
from router.service.ports import Store


async def with_language(store: Store, connection: Connection, call: CallEvent) -> Connection:
    """The connection with the language in which this call is written."""
    if connection.rules.language is not None:
        return connection
    async with store.read_inline() as session:
        key = call.site_id or connection.site_id
        site = await session.peek(Site, key)
    language = Language.ENGLISH
    if site:
        language = site.language

    return replace(connection, rules=replace(connection.rules, language=language))
