"""The texts and names that a call gets in a CRM."""

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection
from router.domain.delivery.templates import Part, render
from router.service.delivery.dry_run import call_to_try
from router.service.delivery.languages import with_language
from router.service.ports import Store


async def texts_of_call(
    store: Store, connection: Connection, call_id: str | None, pages: str
) -> tuple[CallEvent, dict[Part, str]]:
    """A call, or the last one that would be sent, and its texts. Raises `NotFound`."""
    call = await call_to_try(store, connection, call_id, pages)
    rules = (await with_language(store, connection, call)).rules
    return call, {part: render(part, call, rules.language, rules.templates) for part in Part}
