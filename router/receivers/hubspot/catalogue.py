"""The catalogue of a HubSpot account: properties with their options, owners that rules name,
pipelines.

HubSpot does not say which properties its users must fill; API version 2026-03 does not require
them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from router.domain.delivery.catalogue import (
    Catalogue,
    Field,
    FieldType,
    Named,
    Pipeline,
    Place,
)
from router.domain.delivery.entity import EntityKind
from router.receivers.crm_tools import rows_of
from router.receivers.hubspot.api import VERSION, Api
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

_TYPES = {
    "string": FieldType.TEXT,
    "number": FieldType.NUMBER,
    "enumeration": FieldType.LIST,
}
_LONGEST = 65_536  # characters of a text


async def read_catalogue(
    api: Api,
    types: Mapping[EntityKind, str],
    owners: Iterable[str],
    stage: tuple[str, str] | None,
) -> Catalogue:
    """Properties of these types; with the stage of new deals also pipelines and owners."""
    fields = {kind: await _fields(api, name) for kind, name in types.items()}
    if stage is None:
        return Catalogue(fields=fields)
    found = Catalogue(fields=fields, users=await _owners(api, owners))
    if EntityKind.DEAL not in types:
        return found
    place = Place(pipeline=stage[0], stage=stage[1])
    return replace(found, pipelines=await _pipelines(api), place=place)


async def _fields(api: Api, kind: str) -> list[Field]:
    answer = await api.ask("GET", f"crm/properties/{VERSION}/{kind}", accept={404})
    return [_field(row) for row in rows_of(answer.body, "results") if row.get("name")]


def _field(row: Mapping[str, Any]) -> Field:
    rights = row.get("modificationMetadata")
    read_only = isinstance(rights, dict) and rights.get("readOnlyValue") is True
    options = rows_of(row, "options")
    return Field(
        name=str(row["name"]),
        title=str(row.get("label") or ""),
        type=_TYPES.get(str(row.get("type")), FieldType.OTHER),
        options={str(option.get("label")): str(option.get("value")) for option in options},
        most=_LONGEST,
        writable=not read_only,
    )


async def _owners(api: Api, wanted: Iterable[str]) -> list[Named] | None:
    """Those of the owners that exist. A key without the scope cannot read them."""
    found = list[Named]()
    for key in dict.fromkeys(wanted):
        try:
            owner = await _owner(api, key)
        except (ReceiverUnavailable, Refused):
            return None
        if owner:
            found.append(owner)
    return found


async def _owner(api: Api, key: str) -> Named | None:
    """An owner whose user was removed is archived."""
    for archived in ("false", "true"):
        path = f"crm/owners/{VERSION}/{key}"
        answer = await api.ask(
            "GET", path, accept={400, 404}, params={"idProperty": "id", "archived": archived}
        )
        if answer.status == 200 and isinstance(answer.body, dict):
            title = str(answer.body.get("email") or "")
            return Named(id=key, title=title, active=archived == "false")
    return None


async def _pipelines(api: Api) -> list[Pipeline]:
    answer = await api.ask("GET", f"crm/pipelines/{VERSION}/deals")
    return [_pipeline(row) for row in rows_of(answer.body, "results")]


def _pipeline(row: Mapping[str, Any]) -> Pipeline:
    stages = [_stage(stage) for stage in rows_of(row, "stages")]
    title, archived = str(row.get("label") or ""), row.get("archived") is True
    return Pipeline(id=str(row.get("id")), title=title, stages=stages, archived=archived)


def _stage(row: Mapping[str, Any]) -> Named:
    active = row.get("archived") is not True
    return Named(id=str(row.get("id")), title=str(row.get("label") or ""), active=active)
