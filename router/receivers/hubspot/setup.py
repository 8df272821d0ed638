"""What a HubSpot account needs before the first call: scopes of the private app, two properties, a stage for deals."""

from collections.abc import Mapping, Sequence
from typing import Any

from router.errors import ReceiverUnavailable
from router.receivers.hubspot.api import Api
from router.service.delivery.dispatch import Refused
from router.service.delivery.ports import Check

_GROUP = "ringtrace"
_LEADS = "crm.objects.leads.read"


class Setup:
    """Looks at the account and prepares it: `fields` (name → label) in each of `types`, one of them `unique`."""

    def __init__(
        self,
        api: Api,
        token: str,
        types: Sequence[str],
        fields: Mapping[str, str],
        unique: str,
        stage: tuple[str, str] | None,
    ) -> None:
        self._api, self._token, self._types, self._fields = api, token, types, fields
        self._unique, self._stage = unique, stage
        self._scopes: frozenset[str] | None = None

    async def has_leads(self) -> bool:
        """Whether the token opens leads: not every edition of HubSpot has them."""
        return _LEADS in await self._told_scopes()

    async def check(self) -> list[Check]:
        """Every scope, property and stage that is needed, well or not."""
        try:
            types, scopes = await self._open_types(), await self._told_scopes()
            checks = [_check_scope(scope, scopes) for scope in _needed(types)] if scopes else []
            for kind in types:
                checks += [await self._check_field(kind, name) for name in self._fields]
            if self._stage is not None and "deals" in types:
                checks.append(await self._check_stage(*self._stage))
        except (ReceiverUnavailable, Refused) as error:
            return [Check(what="HubSpot answers", well=False, mend=str(error))]
        return checks

    async def prepare(self) -> list[str]:
        """Create what is missing, in a group of our own."""
        made = []
        for kind in await self._open_types():
            for name in self._fields:
                if await self._field(kind, name) is None:
                    await self._create_field(kind, name)
                    made.append(f"property {name} of {kind}")
        return made

    async def _told_scopes(self) -> frozenset[str]:
        """What the token may do; nothing where HubSpot does not tell, as with tokens of another sort."""
        if self._scopes is None:
            silent = {400, 403, 404, 405}
            asked = {"tokenKey": self._token}
            path = "oauth/v2/private-apps/get/access-token-info"
            answer = await self._api.ask("POST", path, accept=silent, json=asked)
            told = answer.body.get("scopes") if isinstance(answer.body, dict) else None
            self._scopes = (
                frozenset(one for one in told if isinstance(one, str)) if isinstance(told, list) else frozenset()
            )
        return self._scopes

    async def _open_types(self) -> list[str]:
        """Leads that we only look for may be closed to us."""
        return [kind for kind in self._types if kind != "leads" or self._stage is not None or await self.has_leads()]

    async def _check_field(self, kind: str, name: str) -> Check:
        there = await self._field(kind, name)
        well = there is not None and (name != self._unique or there.get("hasUniqueValue") is True)
        mend = f"delete the property {name} of {kind}, its values must be unique, and let this command create it"
        missing = "let this command create it: the private app needs the scope to write schemas"
        return Check(what=f"{kind}: property {name}", well=well, mend=missing if there is None else mend)

    async def _check_stage(self, pipeline: str, stage: str) -> Check:
        answer = await self._api.ask("GET", f"crm/v3/pipelines/deals/{pipeline}", accept={404})
        body = answer.body if answer.status == 200 and isinstance(answer.body, dict) else {}
        stages = [one.get("id") for one in body.get("stages") or () if isinstance(one, dict)]
        mend = f"name another in the options; the pipeline has {', '.join(map(str, stages)) or 'none'}"
        return Check(what=f"stage {stage} of pipeline {pipeline}", well=stage in stages, mend=mend)

    async def _field(self, kind: str, name: str) -> Mapping[str, Any] | None:
        answer = await self._api.ask("GET", f"crm/v3/properties/{kind}/{name}", accept={404})
        return answer.body if answer.status == 200 and isinstance(answer.body, dict) else None

    async def _create_field(self, kind: str, name: str) -> None:
        group = {"name": _GROUP, "label": "Ringtrace", "displayOrder": -1}
        await self._api.ask("POST", f"crm/v3/properties/{kind}/groups", accept={409}, json=group)
        wanted = {
            "name": name,
            "label": self._fields[name],
            "groupName": _GROUP,
            "type": "string",
            "fieldType": "text",
            "hasUniqueValue": name == self._unique,
        }
        await self._api.ask("POST", f"crm/v3/properties/{kind}", json=wanted)


def _needed(types: Sequence[str]) -> list[str]:
    rights = [f"{what}.{{}}.{right}" for what in ("objects", "schemas") for right in ("read", "write")]
    return [f"crm.{right.format(kind)}" for kind in types for right in rights]


def _check_scope(scope: str, scopes: frozenset[str]) -> Check:
    return Check(what=f"scope {scope}", well=scope in scopes, mend="add it in the settings of the private app")
