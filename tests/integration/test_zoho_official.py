"""The Zoho CRM of our tests, driven by Zoho's own client library: our reading of the documents,
checked by others' code.

The library keeps one account for the whole process, so one test does everything.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from router.domain.delivery.entity import EntityKind
from tests.contracts.zoho import GRANT
from tests.integration.crm_accounts import Line
from tests.integration.test_crm_recordings import LINK, sent
from tests.integration.zoho_world import FIELD, ZohoAccount
from tests.support.builders import Clock
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

sdk = pytest.importorskip("zohocrmsdk.src.com.zoho.crm.api.record")


async def test_zohos_own_client_and_we_understand_the_same_organization(tmp_path: Path) -> None:
    account = ZohoAccount(Clock())
    async with account.serve() as address:
        account.line = Line(address, {})
        await asyncio.to_thread(log_in, address, tmp_path)
        anna = await asyncio.to_thread(add_contact, "Anna", "8 (912) 345-67-89")

        to = account.connection(recordings=True)
        done = await account.tell(call_event(), to)
        await sent(account.crm(to), to, call_event(), done)
        (deal,) = (ref for ref, _ in done.entities if ref.kind is EntityKind.DEAL)
        theirs = await asyncio.to_thread(read, "Deals", deal.id, f"Deal_Name,{FIELD},Contact_Name")
        assert theirs.get_key_value(FIELD) == CLIENT_ID
        assert theirs.get_key_value("Contact_Name").get_id() == anna

        (key,) = account.account.rows["Calls"]
        call = await asyncio.to_thread(read, "Calls", key, "Subject,Description,Call_Duration")
        assert call.get_key_value("Subject") == f"Call {ANNA}"
        assert LINK in call.get_key_value("Description")
        assert call.get_key_value("Call_Duration") == "00:50"
        await account.line.close()
    assert account.violations == []


def log_in(address: str, place: Path) -> None:
    from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
    from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
    from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
    from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
    from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig

    Initializer.initialize(
        environment=DataCenter.Environment(address, f"{address}/oauth/v2/token", address),
        token=OAuthToken(**GRANT),
        store=FileStore(str(place / "tokens")),
        sdk_config=SDKConfig(auto_refresh_fields=False, pick_list_validation=False),
        resource_path=str(place),
    )


def add_contact(name: str, phone: str) -> int:
    record, body = sdk.Record(), sdk.BodyWrapper()
    record.add_key_value("Last_Name", name)
    record.add_key_value("Phone", phone)
    body.set_data([record])
    answer = sdk.RecordOperations("Contacts").create_records(body).get_object()
    key: int = answer.get_data()[0].get_details()["id"]
    return int(key)


def read(module: str, key: str, fields: str) -> Any:
    from zohocrmsdk.src.com.zoho.crm.api import ParameterMap

    params = ParameterMap()
    params.add(sdk.GetRecordParam.fields, fields)
    answer = sdk.RecordOperations(module).get_record(int(key), params).get_object()
    return answer.get_data()[0]
