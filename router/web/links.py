"""Where the things of other systems can be looked at, and what those systems are called on our pages."""

from urllib.parse import quote, urlsplit

from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Webhook
from router.domain.delivery.entity import EntityKind

_PAGES = {
    "amocrm": {
        EntityKind.CONTACT: "/contacts/detail/{id}",
        EntityKind.COMPANY: "/companies/detail/{id}",
        EntityKind.LEAD: "/leads/detail/{id}",  # deals are called leads there
        EntityKind.DEAL: "/leads/detail/{id}",
    },
    "bitrix24": {kind: f"/crm/{kind}/details/{{id}}/" for kind in EntityKind},
    "retailcrm": {
        EntityKind.CONTACT: "/customers/{id}",
        EntityKind.LEAD: "/orders/{id}/edit",
        EntityKind.DEAL: "/orders/{id}/edit",
    },
}


def origin(address: str) -> str | None:
    """Scheme, host and port of an address, and nothing else of it; None where it is no web address."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def page_of(kind: EntityKind, id: str, account: Webhook | Connection | None) -> str | None:  # noqa: A002
    """Where the company's people see this entity, if the account's kind and address tell."""
    if not isinstance(account, Connection):
        return None
    where, page = origin(account.address), _PAGES.get(account.kind, {}).get(kind)
    return where + page.format(id=quote(id, safe="")) if where and page else None


def called(receiver: Webhook | Connection) -> str:
    """A receiver in words."""
    address, kind = (receiver.url, "webhook") if isinstance(receiver, Webhook) else (receiver.address, receiver.kind)
    host = (origin(address) or "").partition("://")[2]  # the rest of an address may hold a secret
    return " · ".join(word for word in (receiver.id, kind, host) if word)
