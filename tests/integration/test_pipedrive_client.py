"""The Pipedrive of our tests, driven by another's client library: our reading of the documents,
checked by others' code. Pipedrive publishes no client of its own for Python.
"""

import asyncio

import pytest

from router.domain.delivery.entity import EntityKind
from tests.contracts.pipedrive import TOKEN
from tests.integration.crm_accounts import Line
from tests.integration.pipedrive_world import FIELD, PipedriveAccount
from tests.integration.test_crm_recordings import LINK, sent
from tests.support.builders import Clock
from tests.support.crm_calls import CLIENT_ID, call_event

client = pytest.importorskip("pypipedrive.api")


async def test_anothers_client_and_we_understand_the_same_account() -> None:
    account = PipedriveAccount(Clock())
    async with account.serve() as address:
        account.line = Line(address, {})
        api = client.Api(api_token=TOKEN)
        api.endpoint_url = f"{address}/api/v2/"
        person = {"name": "Anna", "phones": [{"value": "8 (912) 345-67-89", "primary": True}]}
        anna = await asyncio.to_thread(api.post, "persons", json=person)

        to = account.connection(recordings=True)
        done = await account.tell(call_event(), to)
        await sent(account.crm(to), to, call_event(), done)
        (deal,) = (ref for ref, _ in done.entities if ref.kind is EntityKind.DEAL)
        theirs = await asyncio.to_thread(api.get, f"deals/{deal.id}")
        assert theirs.data["person_id"] == anna.data["id"]
        assert theirs.data["custom_fields"][account.account.code("deals", FIELD)] == CLIENT_ID

        asked = {"deal_id": deal.id, "done": "true"}
        (call,) = (await asyncio.to_thread(api.get, "activities", params=asked)).data
        assert (call["type"], call["duration"]) == ("call", "00:00:50")
        assert LINK.partition("&")[0] in call["note"]
        await account.line.close()
    assert account.violations == []
