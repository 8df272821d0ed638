"""Links to the pages of a CRM."""

import pytest

from router.domain.delivery.entity import EntityKind
from router.receivers.registry import RECEIVER_KINDS
from router.web.links import page_of
from tests.support.crm_calls import connection

CONTACT, COMPANY, LEAD, DEAL = (
    EntityKind.CONTACT,
    EntityKind.COMPANY,
    EntityKind.LEAD,
    EntityKind.DEAL,
)


@pytest.mark.parametrize(
    ("crm", "address", "kind", "link"),
    [
        ("amocrm", "https://a.amocrm.ru", DEAL, "https://a.amocrm.ru/leads/detail/5"),
        ("bitrix24", "https://a.bitrix24.ru", DEAL, "https://a.bitrix24.ru/crm/deal/details/5/"),
        (
            "bitrix24",
            "https://crm.a.ru:8443/b24/",
            LEAD,
            "https://crm.a.ru:8443/b24/crm/lead/details/5/",
        ),
        ("bitrix24", "https://a.ru/b24/rest/7/c0de/", DEAL, "https://a.ru/b24/crm/deal/details/5/"),
        ("retailcrm", "https://a.retailcrm.ru", CONTACT, "https://a.retailcrm.ru/customers/5"),
        (
            "hubspot",
            "https://api.hubapi.com",
            CONTACT,
            "https://app.hubspot.com/l/contacts/record/0-1/5",
        ),
        (
            "hubspot",
            "https://api.hubapi.com",
            DEAL,
            "https://app.hubspot.com/l/contacts/record/0-3/5",
        ),
        ("pipedrive", "https://a.pipedrive.com", LEAD, "https://a.pipedrive.com/leads/inbox/5"),
        (
            "odoo",
            "https://a.odoo.com",
            DEAL,
            "https://a.odoo.com/web#id=5&model=crm.lead&view_type=form",
        ),
        ("zoho", "https://www.zohoapis.eu", DEAL, "https://crm.zoho.eu/crm/tab/Potentials/5"),
        (
            "salesforce",
            "https://a.my.salesforce.com",
            CONTACT,
            "https://a.lightning.force.com/lightning/r/Contact/5/view",
        ),
        ("espocrm", "https://a.ru/espo/", LEAD, "https://a.ru/espo/#Lead/view/5"),
        ("tryton", "http://erp:8000", DEAL, "http://erp:8000/#tryton/model/sale.opportunity/5"),
        ("tryton", "http://erp:8000/t", COMPANY, "http://erp:8000/t/#tryton/model/party.party/5"),
    ],
)
def test_an_entity_has_a_page_in_its_crm(
    crm: str, address: str, kind: EntityKind, link: str
) -> None:
    assert page_of(RECEIVER_KINDS, kind, "5", connection(crm, address=address)) == link


def test_a_web_app_of_its_own_is_an_option() -> None:
    to = connection("bottlecrm", options={"web": "https://crm.a.ru/x"})
    assert page_of(RECEIVER_KINDS, DEAL, "5", to) == "https://crm.a.ru/pipeline/5"
    assert page_of(RECEIVER_KINDS, DEAL, "5", connection("bottlecrm")) is None


def test_options_say_which_account_and_database() -> None:
    hubspot = connection("hubspot", options={"portal": "77"})
    assert (
        page_of(RECEIVER_KINDS, COMPANY, "5", hubspot)
        == "https://app.hubspot.com/contacts/77/record/0-2/5"
    )
    tryton = connection("tryton", address="https://erp.a.ru", options={"database": "crm"})
    assert (
        page_of(RECEIVER_KINDS, LEAD, "5", tryton)
        == "https://erp.a.ru/#crm/model/sale.opportunity/5"
    )


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://user:secret@a.ru/?key=secret#x", ""]
)
def test_a_link_holds_no_secret_and_no_script(address: str) -> None:
    link = page_of(RECEIVER_KINDS, DEAL, "5/../6?", connection("bitrix24", address=address)) or ""
    assert link in {"", "https://a.ru/crm/deal/details/5%2F..%2F6%3F/"}
