"""Declaration of RetailCRM."""

from router.domain.delivery.entity import EntityKind
from router.receivers.declaration import Declaration
from router.receivers.retailcrm.adapter import RetailCrm

RECEIVER = Declaration(
    name="retailcrm",
    title="RetailCRM (Simla)",
    adapter=RetailCrm,
    token={"key": "API key"},
    options={
        "site": "code of the shop (default: the key's only one)",
        "method": "code of the order method of new orders (default: phone)",
        "field": "code of the custom field for the client ID (default: ga_client_id)",
        "timezone": "time zone of the account's settings (default: Europe/Moscow)",
        "closed": "codes of the status groups of closed orders (default: complete,cancel)",
        "analytics": "off: do not pass the client ID to RetailCRM's own analytics (default: on)",
        "calls": "on: pass calls that become orders to the telephony module (default: off)",
    },
    tasks=True,
    call_records=True,
    per_second=8,
    burst=8,
    pages={
        EntityKind.CONTACT: "/customers/{id}",
        EntityKind.LEAD: "/orders/{id}/edit",
        EntityKind.DEAL: "/orders/{id}/edit",
    },
)
