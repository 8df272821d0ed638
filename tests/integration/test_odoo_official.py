"""The Odoo of our tests, driven by Odoo's own client library: our reading of the documents, checked
by others' code.
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import odoolib
import pytest

from router.domain.delivery.entity import EntityKind
from tests.contracts.odoo import DATABASE, KEY, LOGIN
from tests.contracts.serving import served
from tests.integration.crm_accounts import Line
from tests.integration.odoo_world import FIELD, OdooAccount, OldOdooAccount
from tests.support.builders import Clock
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event


@pytest.mark.parametrize(
    ("protocol", "kind"), [("json2", OdooAccount), ("jsonrpc", OldOdooAccount)]
)
async def test_odoos_own_client_and_we_understand_the_same_database(
    protocol: str, kind: type[OdooAccount]
) -> None:
    account = kind(Clock())
    async with served(account.database.app) as address:
        account.line = Line(address, {})
        where = urlsplit(address)
        theirs = await asyncio.to_thread(
            odoolib.get_connection,
            hostname=where.hostname, protocol=protocol, port=where.port, database=DATABASE,
            login=LOGIN, password=KEY,
        )  # fmt: skip
        assert await asyncio.to_thread(theirs.check_login) is not False

        anna = {"name": "Anna", "phone": "8 (912) 345-67-89"}
        made = await _asked(theirs, "res.partner", "create", protocol, vals_list=[anna])
        done = await account.tell(call_event())

        assert account.count(EntityKind.CONTACT) == 1
        domain = [["partner_id", "in", made]]
        leads = await _asked(
            theirs, "crm.lead", "search_read", protocol, domain=domain, fields=["name", FIELD]
        )
        (deal,) = (ref for ref, _ in done.entities if ref.kind is EntityKind.DEAL)
        assert [(str(lead["id"]), lead[FIELD]) for lead in leads] == [(deal.id, CLIENT_ID)]

        await _asked(
            theirs, "crm.lead", "write", protocol, ids=[leads[0]["id"]], vals={FIELD: "7.7"}
        )
        crm = account.crm(account.connection())
        assert await crm.read(deal, [FIELD]) == {FIELD: "7.7"}
        assert [contact.ref.id for contact in await crm.contacts(ANNA)] == [
            str(id_) for id_ in made
        ]
        await account.line.close()
    assert account.violations == []


async def _asked(theirs: Any, model: str, method: str, protocol: str, **given: Any) -> Any:
    """By name in JSON-2; before, records and values came by place."""
    places = (
        [given.pop(name) for name in ("ids", "vals_list") if name in given]
        if protocol == "jsonrpc"
        else []
    )
    return await asyncio.to_thread(getattr(theirs.get_model(model), method), *places, **given)
