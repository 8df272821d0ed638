"""Where the things of other systems can be looked at, and what those systems are called on our
pages.
"""

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
    """Where the company's people see this entity, if the account's kind and address tell."""
    if not isinstance(account, Connection):
        return None
    return kinds.of(account).page(kind, id, account)


def called(receiver: Webhook | Connection) -> str:
    """A receiver in words."""
    address, kind = (
        (receiver.url, "webhook")
        if isinstance(receiver, Webhook)
        else (receiver.address, receiver.kind)
    )
    host = (origin(address) or "").partition("://")[2]  # the rest of an address may hold a secret
    return " · ".join(word for word in (receiver.id, kind, host) if word)
