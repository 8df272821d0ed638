"""What Odoo is and needs."""

from router.domain.delivery.entity import EntityKind
from router.receivers.declaration import Declaration
from router.receivers.odoo.adapter import Odoo

_PAGE = "/web#id={{id}}&model={}&view_type=form"

RECEIVER = Declaration(
    name="odoo",
    title="Odoo",
    adapter=Odoo,
    token={"key": "API key of a user: Preferences, Account Security"},
    options={
        "database": "name of the database, if the server has several",
        "login": "login of the API key's user, for Odoo 14 to 18 only",
        "field": "field for the client ID (default: x_ga_client_id)",
    },
    per_second=5,
    burst=10,
    pages={
        EntityKind.CONTACT: _PAGE.format("res.partner"),
        EntityKind.COMPANY: _PAGE.format("res.partner"),
        EntityKind.LEAD: _PAGE.format("crm.lead"),
        EntityKind.DEAL: _PAGE.format("crm.lead"),
    },
)
