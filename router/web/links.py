"""Links to records in other systems, and names of receivers."""

from collections.abc import Callable

from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Webhook
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.receiver_kind import ReceiverKinds, origin
from router.web.words import WEBHOOK


def page_of(
    kinds: ReceiverKinds,
    kind: EntityKind,
    id: str,  # noqa: A002
    account: Webhook | Connection | None,
) -> str | None:
    """Address of a record's page in its CRM, if known."""
    if not isinstance(account, Connection):
        return None
    return kinds.of(account).page(kind, id, account)


def called(
    kinds: ReceiverKinds, gettext: Callable[[str], str], receiver: Webhook | Connection
) -> str:
    """A receiver as text."""
    if isinstance(receiver, Webhook):
        address, kind = receiver.url, gettext(WEBHOOK)
    else:
        address, kind = receiver.address, kinds.of(receiver).title
    host = (origin(address) or "").partition("://")[2]  # the rest of an address may be secret
    return " · ".join(word for word in (receiver.id, kind, host) if word)
