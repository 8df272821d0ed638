"""Checks a RetailCRM account before the first call: the key's rights, the shop and the field."""

from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.fix_codes import FixCode
from router.domain.delivery.outcome import Outcome
from router.receivers.json_body import objects
from router.receivers.retailcrm.api import Api, filtered, texts
from router.service.delivery.ports import Check

_SCOPES = ("order_read", "order_write", "customer_read", "customer_write")


class Setup:
    """Checks the account, and creates the client ID's field."""

    def __init__(self, api: Api, site: str, field: str) -> None:
        self._api, self._site, self._field = api, site, field

    async def check(self) -> list[Check]:
        """Check the key's rights to this shop, its orders and customers, and the fields."""
        opens = await self._api.credentials()
        if not opens:
            fix = Outcome.of(FixCode.RETAILCRM_KEY)
            return [Check.of(CheckCode.ACCESS, False, fix, system="RetailCRM")]
        sites, scopes = texts(opens.get("sitesAvailable")), texts(opens.get("scopes"))
        mine = (
            self._site in sites
            or (not self._site and len(sites) == 1)
            or opens.get("siteAccess") == "access_full"
        )
        checks = [
            Check.of(CheckCode.ACCESS, True, system="RetailCRM"),
            Check.of(CheckCode.SHOP, mine, Outcome.of(FixCode.RETAILCRM_SHOP, sites=sites)),
        ]
        if scopes:
            for scope in _SCOPES:
                fix = Outcome.of(FixCode.RETAILCRM_RIGHT, right=scope)
                checks.append(Check.of(CheckCode.RIGHT, scope in scopes, fix, right=scope))
        for entity in ("order", "customer"):
            about = {"kind": entity, "field": self._field}
            fix = Outcome.of(FixCode.ADD_FIELD, **about)
            checks.append(Check.of(CheckCode.FIELD, await self._has_field(entity), fix, **about))
        return checks

    async def prepare(self) -> list[str]:
        """Create the custom field of orders and of customers if it is missing."""
        missing = [entity for entity in ("order", "customer") if not await self._has_field(entity)]
        for entity in missing:
            field = {"code": self._field, "name": "Google client ID", "type": "string"}
            await self._api.post(f"custom-fields/{entity}/create", {"customField": field})
        return [f"{entity}: {self._field}" for entity in missing]

    async def _has_field(self, entity: str) -> bool:
        params = filtered({"entity": entity, "code": self._field})
        fields = (await self._api.ask("GET", "custom-fields", params=params)).get("customFields")
        wanted = (entity, self._field)
        return any((field.get("entity"), field.get("code")) == wanted for field in objects(fields))
