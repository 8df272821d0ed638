"""Where the things of other systems can be looked at, and what those systems are called on our
pages.
"""

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
    "hubspot": {
        EntityKind.CONTACT: "/record/0-1/{id}",
        EntityKind.COMPANY: "/record/0-2/{id}",
        EntityKind.DEAL: "/record/0-3/{id}",
        EntityKind.LEAD: "/record/0-136/{id}",
    },
    "retailcrm": {
        EntityKind.CONTACT: "/customers/{id}",
        EntityKind.LEAD: "/orders/{id}/edit",
        EntityKind.DEAL: "/orders/{id}/edit",
    },
    "tryton": {
        EntityKind.CONTACT: "/model/party.party/{id}",
        EntityKind.COMPANY: "/model/party.party/{id}",
        EntityKind.LEAD: "/model/sale.opportunity/{id}",
        EntityKind.DEAL: "/model/sale.opportunity/{id}",
    },
}


def origin(address: str) -> str | None:
    """Scheme, host and port of an address, and nothing else of it; None where it is no web
    address.
    """
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
    where, page = _pages_at(account), _PAGES.get(account.kind, {}).get(kind)
    return where + page.format(id=quote(id, safe="")) if where and page else None


def _pages_at(account: Connection) -> str | None:
    """What an account's pages have in front of them: its address, or where the vendor shows it."""
    if account.kind == "hubspot":  # its address is that of the API
        portal = quote(account.options.get("portal") or "", safe="")
        # HubSpot puts the account in there
        contacts = f"contacts/{portal}" if portal else "l/contacts"
        return f"https://app.hubspot.com/{contacts}"
    where = origin(account.address)
    if where is None:
        return None
    where += _prefix(account.address)
    if account.kind == "tryton":
        return f"{where}/#{quote(account.options.get('database') or 'tryton', safe='')}"
    return where


def _prefix(address: str) -> str:
    """The path below which a server of one's own is installed, without a webhook's
    `rest/USER/CODE`.
    """
    path = urlsplit(address).path.rstrip("/")
    return quote(f"{path}/".partition("/rest/")[0].rstrip("/"), safe="/%")


def called(receiver: Webhook | Connection) -> str:
    """A receiver in words."""
    address, kind = (
        (receiver.url, "webhook")
        if isinstance(receiver, Webhook)
        else (receiver.address, receiver.kind)
    )
    host = (origin(address) or "").partition("://")[2]  # the rest of an address may hold a secret
    return " · ".join(word for word in (receiver.id, kind, host) if word)
