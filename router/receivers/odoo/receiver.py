"""What Odoo is and needs."""

from router.receivers.declaration import Declaration
from router.receivers.odoo.adapter import Odoo
from router.receivers.odoo.api import MODELS

_PAGE = "/web#id={{id}}&model={}&view_type=form"

RECEIVER = Declaration(
    name="odoo",
    title="Odoo",
    adapter=Odoo,
    token={"key": "API key of a user: Preferences, Account Security"},
    options={
        "database": "name of the database, if the server has several",
        "login": "login of the API key's user, for Odoo 14 to 18 only",
        "stage": "ID of the stage of new opportunities (default: the first one)",
        "field": "field for the client ID (default: x_ga_client_id)",
    },
    tasks=True,
    call_records=True,
    per_second=5,
    burst=10,
    pages={kind: _PAGE.format(model) for kind, model in MODELS.items()},
)
