"""What a RetailCRM account needs before the first call: a key with rights, a shop, a field."""

from router.receivers.retailcrm.api import Api, child, filtered, texts
from router.service.delivery.ports import Check

_SCOPES = ("order_read", "order_write", "customer_read", "customer_write")


class Setup:
    """Looks at the account, and creates the field of the client ID."""

    def __init__(self, api: Api, site: str, field: str) -> None:
        self._api, self._site, self._field = api, site, field

    async def check(self) -> list[Check]:
        """Whether the key opens this shop, its orders and customers, and the fields are there."""
        opens = await self._api.credentials()
        fix = "make an API key in the account's settings, under Integration, and give it here"
        if not opens:
            return [Check(what="API key", well=False, fix=fix)]
        sites, scopes = texts(opens.get("sitesAvailable")), texts(opens.get("scopes"))
        mine = (
            self._site in sites
            or (not self._site and len(sites) == 1)
            or opens.get("siteAccess") == "access_full"
        )
        checks = [
            Check(what="API key", well=True),
            Check(
                what="shop", well=mine, fix=f"set the option 'site' to one of: {', '.join(sites)}"
            ),
        ]
        for scope in _SCOPES if scopes else ():
            checks.append(
                Check(
                    what=f"right {scope}",
                    well=scope in scopes,
                    fix=f"give the API key the right {scope}",
                )
            )
        for entity in ("order", "customer"):
            fix = (
                f"run `ringtrace crm connect` again, or add a text field '{self._field}' to each "
                f"{entity} yourself"
            )
            checks.append(
                Check(
                    what=f"{entity} field {self._field}",
                    well=await self._has_field(entity),
                    fix=fix,
                )
            )
        return checks

    async def prepare(self) -> list[str]:
        """Create the custom field of orders and of customers where it is missing."""
        missing = [entity for entity in ("order", "customer") if not await self._has_field(entity)]
        for entity in missing:
            field = {"code": self._field, "name": "Google client ID", "type": "string"}
            await self._api.post(f"custom-fields/{entity}/create", {"customField": field})
        return [f"{entity} field {self._field}" for entity in missing]

    async def _has_field(self, entity: str) -> bool:
        params = filtered({"entity": entity, "code": self._field})
        fields = (await self._api.ask("GET", "custom-fields", params=params)).get("customFields")
        codes = (
            {(child(one, "entity"), child(one, "code")) for one in fields}
            if isinstance(fields, list)
            else set()
        )
        return (entity, self._field) in codes
