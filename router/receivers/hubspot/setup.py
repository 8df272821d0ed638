"""Set-up of a HubSpot account: scopes of the key and two properties."""

from collections.abc import Mapping, Sequence
from typing import Any

from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.fix_codes import FixCode
from router.domain.delivery.outcome import Outcome
from router.receivers.hubspot.api import VERSION, Api
from router.receivers.hubspot.errors import missing_scopes
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check

_GROUP = "ringtrace"
_OPTIONAL = {"leads", "companies"}  # in mode `telephony`
_OK, _NOTHING_SENT = 200, 400


class Setup:
    """Checks and prepares the account: `fields` (name → label) in each of `types`, of which
    `unique` is one.
    """

    def __init__(
        self,
        api: Api,
        types: Sequence[str],
        fields: Mapping[str, str],
        unique: str,
        *,
        own: bool,
    ) -> None:
        self._api, self._types, self._fields = api, types, fields
        self._unique, self._own = unique, own
        self._opened: set[str] = set()

    async def opens(self, kind: str) -> bool:
        """Whether the key can access objects of this type: some editions have no leads, some
        keys no companies.
        """
        if kind not in self._opened and (await self._api.probe(kind)).status == _OK:
            self._opened.add(kind)
        return kind in self._opened

    async def check(self) -> list[Check]:
        """Check every needed right and property."""
        checks: list[Check] = []
        try:
            types = await self.open_types()
            for kind in types:
                checks += await self._check_rights(kind)
            for kind in types:
                checks += [await self._check_field(kind, name) for name in self._fields]
        except (ReceiverUnavailable, Refused) as error:
            checks.append(Check.of(CheckCode.ACCESS, False, error.outcome, system="HubSpot"))
        return checks

    async def prepare(self) -> list[str]:
        """Create what is missing, in a group of our own."""
        made = []
        for kind in await self.open_types():
            for name in self._fields:
                if await self._field(kind, name) is None:
                    await self._create_field(kind, name)
                    made.append(f"{kind}: {name}")
        return made

    async def open_types(self) -> list[str]:
        """Types that we only search for may be inaccessible; those that we create are required."""
        found = []
        for kind in self._types:
            if self._own or kind not in _OPTIONAL or await self.opens(kind):
                found.append(kind)
        return found

    async def _check_rights(self, kind: str) -> list[Check]:
        """Try each right: HubSpot does not document what a service key may ask about itself."""
        checks = []
        for right in ("read", "write"):
            answer = await self._api.probe(kind, write=right == "write")
            well = answer.status == _OK or (right == "write" and answer.status == _NOTHING_SENT)
            scope = f"crm.objects.{kind}.{right}"
            if not well:
                scope = " or ".join(missing_scopes(answer.body)) or scope
            fix = Outcome.of(FixCode.HUBSPOT_SCOPE)
            checks.append(Check.of(CheckCode.RIGHT, well, fix, right=scope))
        return checks

    async def _check_field(self, kind: str, name: str) -> Check:
        known = await self._field(kind, name)
        well = known is not None and (name != self._unique or known.get("hasUniqueValue") is True)
        about = {"objects": kind, "field": name}
        fix = Outcome.of(FixCode.HUBSPOT_UNIQUE, **about)
        if known is None:
            fix = Outcome.of(FixCode.HUBSPOT_FIELD)
        return Check.of(CheckCode.FIELD_OF, well, fix, **about)

    async def _field(self, kind: str, name: str) -> Mapping[str, Any] | None:
        answer = await self._api.ask("GET", f"crm/properties/{VERSION}/{kind}/{name}", accept={404})
        if answer.status == 200 and isinstance(answer.body, dict):
            return answer.body
        return None

    async def _create_field(self, kind: str, name: str) -> None:
        group = {"name": _GROUP, "label": "Ringtrace", "displayOrder": -1}
        await self._api.ask(
            "POST", f"crm/properties/{VERSION}/{kind}/groups", accept={409}, json=group
        )
        wanted = {
            "name": name,
            "label": self._fields[name],
            "groupName": _GROUP,
            "type": "string",
            "fieldType": "text",
            "hasUniqueValue": name == self._unique,
        }
        await self._api.ask("POST", f"crm/properties/{VERSION}/{kind}", json=wanted)
