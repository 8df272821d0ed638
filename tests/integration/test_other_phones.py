"""A caller is known by every field for phones of a record, those of the account's own too."""

import pytest

from router.domain.delivery.entity import EntityKind
from tests.integration.crm_accounts import Line
from tests.integration.salesforce_world import SalesforceAccount
from tests.integration.zoho_world import ZohoAccount
from tests.support.builders import Clock, later
from tests.support.crm_calls import CLIENT_ID, call_event

CONTACT = EntityKind.CONTACT


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        *((SalesforceAccount, name) for name in ("OtherPhone", "Fax", "Direct__c")),
        *((ZohoAccount, name) for name in ("Other_Phone", "Fax", "Direct")),
    ],
)
async def test_a_phone_in_any_field_for_phones_finds_the_contact(
    kind: type[SalesforceAccount | ZohoAccount], field: str
) -> None:
    account = kind(Clock(later(70)))
    account.account.fields["Contact" if kind is SalesforceAccount else "Contacts"] |= {
        field: "phone"
    }
    anna = account.add(CONTACT)
    account.row(anna)[field] = "8 (912) 345-67-89"
    async with account.serve() as address:
        account.line = Line(address, {})
        await account.tell(call_event())
        await account.line.close()
    assert (account.count(CONTACT), account.client_id(anna)) == (1, CLIENT_ID)
    assert account.violations == []
