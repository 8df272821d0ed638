"""The account of each CRM whose adapter passes the tests common to CRMs."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.amocrm_account import AmoCrmAccount
from tests.integration.bitrix24_account import Bitrix24Account
from tests.integration.bottlecrm_world import BottleCrmAccount
from tests.integration.crm_accounts import CrmAccount, Line
from tests.integration.espocrm_world import EspoCrmAccount
from tests.integration.hubspot_account import HubspotAccount
from tests.integration.odoo_world import OdooAccount, OldOdooAccount
from tests.integration.pipedrive_world import PipedriveAccount
from tests.integration.retailcrm_account import RetailCrmAccount
from tests.integration.salesforce_world import SalesforceAccount
from tests.integration.zoho_world import ZohoAccount
from tests.support.builders import Clock, later

ACCOUNTS = [
    PipedriveAccount,
    OdooAccount,
    OldOdooAccount,
    ZohoAccount,
    SalesforceAccount,
    RetailCrmAccount,
    AmoCrmAccount,
    EspoCrmAccount,
    BottleCrmAccount,
    Bitrix24Account,
    HubspotAccount,
]


@pytest_asyncio.fixture(params=ACCOUNTS, ids=lambda account: account.__name__)
async def crm(request: pytest.FixtureRequest) -> AsyncIterator[CrmAccount]:
    account: CrmAccount = request.param(Clock(later(70)))
    async with account.serve() as address:
        account.line = Line(address, {})
        yield account
        await account.line.close()
    assert account.violations == []
