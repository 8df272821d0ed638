"""The official library against the same contract server: another reading of the
documents.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import b24pysdk
import pytest
import requests
from b24pysdk.credentials import BitrixApp, BitrixToken, BitrixWebhook

from tests.contracts.bitrix24_portal import as_phone
from tests.integration.bitrix24_world import FIELD, TELEPHONY, World
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

pytest_plugins = ["tests.integration.bitrix24_world"]


@pytest.fixture
def world(bitrix24_world: World) -> World:
    return bitrix24_world


@pytest.fixture
def sdk(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The official library; it knows https alone, so its last step is turned to our server."""
    post = requests.post
    monkeypatch.setattr(
        requests, "post", lambda url, **rest: post(url.replace("https:", "http:", 1), **rest)
    )

    async def call(token: Any, method: str, *, batch: bool = False, **params: Any) -> Any:
        one = {"one": (method, params)}
        asked = (
            (lambda: token.call_batch(one)) if batch else lambda: token.call_method(method, params)
        )
        body = await asyncio.to_thread(asked)
        return body["result"]["result"]["one"] if batch else body["result"]

    return call


@pytest.mark.parametrize("batch", [False, True])
async def test_the_official_library_is_understood_and_understands(
    world: World, sdk: Any, batch: bool
) -> None:
    webhook = BitrixWebhook(domain=world.address, webhook_token="7/c0de")
    original = {"useOriginalUfNames": "Y"}
    fields = {"name": "Anna", "fm": as_phone("89123456789"), FIELD: "1.2", "nonsense": "x"}
    made = await sdk(
        webhook, "crm.item.add", batch=batch, entityTypeId=3, fields=fields, **original
    )
    contact = made["item"]["id"]
    found = await sdk(webhook, "crm.duplicate.findbycomm", batch=batch, type="PHONE", values=[ANNA])
    assert found == {"CONTACT": [contact]}

    await world.tell()

    where = {"=originatorId": "ringtrace", "@contactId": [contact]}
    listed = await sdk(
        webhook, "crm.item.list", batch=batch, entityTypeId=2, filter=where, **original
    )
    assert [item[FIELD] for item in listed["items"]] == [CLIENT_ID]
    deal = {"ENTITY_TYPE": "deal", "ENTITY_ID": listed["items"][0]["id"]}
    await sdk(
        webhook,
        "crm.timeline.comment.add",
        batch=batch,
        fields={**deal, "COMMENT": "Ringtrace another"},
    )
    await world.tell(call=call_event("another"))
    assert len(await sdk(webhook, "crm.timeline.comment.list", batch=batch, filter=deal)) == 1
    entities = [{"TYPE": "CONTACT", "ID": contact}]
    await sdk(
        webhook,
        "crm.tracking.trace.add",
        batch=batch,
        TRACE=json.dumps({"tags": {}}),
        ENTITIES=entities,
    )
    with pytest.raises(b24pysdk.errors.BitrixAPIError):
        await sdk(webhook, "crm.item.get", entityTypeId=2, id=1)


async def test_a_telephony_built_on_the_official_library_is_annotated(
    world: World, sdk: Any
) -> None:
    app = BitrixApp(client_id="local.1", client_secret="secret")
    application = BitrixToken(domain=world.address, auth_token="an access token", bitrix_app=app)
    rings = {"USER_ID": 1, "PHONE_NUMBER": "79123456789", "TYPE": 2, "CRM_CREATE": 1}
    call, again = [
        await sdk(application, "telephony.externalCall.register", **rings) for _ in range(2)
    ]
    assert call["CALL_ID"] == again["CALL_ID"]
    await sdk(
        application,
        "telephony.externalCall.finish",
        CALL_ID=call["CALL_ID"],
        USER_ID=1,
        DURATION=50,
    )
    with pytest.raises(b24pysdk.errors.BitrixAPIError, match="not found"):
        await sdk(application, "telephony.externalCall.finish", CALL_ID=call["CALL_ID"], USER_ID=1)

    await world.tell(TELEPHONY, after=125)

    webhook = BitrixWebhook(domain=world.address, webhook_token="7/c0de")
    asked = {"entityTypeId": 1, "id": call["CRM_ENTITY_ID"], "useOriginalUfNames": "Y"}
    assert (await sdk(webhook, "crm.item.get", **asked))["item"][FIELD] == CLIENT_ID
    seen = await sdk(webhook, "voximplant.statistic.get", FILTER={"PHONE_NUMBER": ["79123456789"]})
    assert [activity["CRM_ENTITY_ID"] for activity in seen] == [str(call["CRM_ENTITY_ID"])]
