"""Links to records in other systems, and names of receivers."""

from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Webhook
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.receiver_kind import ReceiverKinds, origin


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


def called(receiver: Webhook | Connection) -> str:
    """A receiver as text."""
    address, kind = (
        (receiver.url, "webhook")
        if isinstance(receiver, Webhook)
        else (receiver.address, receiver.kind)
    )
    host = (origin(address) or "").partition("://")[2]  # the rest of an address may be secret
    return " · ".join(word for word in (receiver.id, kind, host) if word)
