"""The catalogue of a portal: fields with their lists, the users that rules name, pipelines of
deals.
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
from router.receivers.bitrix24.items import AS_NAMED, TYPES, number
from router.receivers.bitrix24.portal import Command, Portal, rows
from router.receivers.json_body import mapping

_TYPES = {
    "string": FieldType.TEXT,
    "char": FieldType.TEXT,
    "integer": FieldType.NUMBER,
    "double": FieldType.NUMBER,
    "enumeration": FieldType.LIST,
}
# built-in fields that we or the portal fill
_FILLED = frozenset(
    {
        *("id", "title", "name", "fm", "stageId", "categoryId", "assignedById", "createdBy"),
        *("opened", "sourceId", "originatorId", "originId", "comments", "contactId", "companyId"),
        *("createdTime", "updatedTime", "movedTime", "updatedBy", "movedBy", "currencyId"),
    }
)
_USERS = "user.get"


async def read_fields(portal: Portal, kinds: Iterable[EntityKind]) -> Catalogue:
    """Read the fields in one request; kinds that the webhook may not read are left out."""
    asked: dict[str, Command] = {
        kind: ("crm.item.fields", {"entityTypeId": TYPES[kind], **AS_NAMED}) for kind in kinds
    }
    said = await portal.batch(asked, optional=frozenset(asked))
    fields = {}
    for kind in TYPES:
        if kind in said:
            fields[kind] = _fields(mapping(mapping(said[kind]).get("fields")))
    return Catalogue(fields=fields)


async def completed(
    found: Catalogue, portal: Portal, users: Iterable[str], category: str
) -> Catalogue:
    """The catalogue with users and pipelines, if the webhook may read them."""
    asked: dict[str, Command] = {
        "pipelines": ("crm.category.list", {"entityTypeId": TYPES[EntityKind.DEAL]})
    }
    named = sorted({number(user) for user in users} - {0})
    if named:
        asked["users"] = (_USERS, {"FILTER": {"ID": named}})
    said = await portal.batch(asked, optional=frozenset(asked))

    known, place = None, Place()
    if "users" in said:
        known = [_user(row) for row in rows(said["users"])]
    if EntityKind.DEAL in found.fields:
        place = Place(pipeline=category)
    pipelines = rows(mapping(said.get("pipelines")).get("categories"))
    shown = [_pipeline(row) for row in pipelines] or None
    return replace(found, users=known, pipelines=shown, place=place)


def _fields(shown: Mapping[str, Any]) -> list[Field]:
    return [_field(name, mapping(row)) for name, row in shown.items()]


def _field(name: str, row: Mapping[str, Any]) -> Field:
    longest = number(mapping(row.get("settings")).get("MAX_LENGTH"))
    options = {str(item.get("VALUE")): str(item.get("ID")) for item in rows(row.get("items"))}
    return Field(
        name=name,
        title=str(row.get("title") or ""),
        type=_TYPES.get(str(row.get("type")), FieldType.OTHER),
        options=options,
        most=longest or None,
        required=row.get("isRequired") is True and name not in _FILLED,
        writable=row.get("isReadOnly") is not True,
    )


def _user(row: Mapping[str, Any]) -> Named:
    name = " ".join(str(row.get(part) or "") for part in ("NAME", "LAST_NAME"))
    return Named(id=str(row.get("ID")), title=name.strip(), active=row.get("ACTIVE") is not False)


def _pipeline(row: Mapping[str, Any]) -> Pipeline:
    return Pipeline(id=str(row.get("id")), title=str(row.get("name") or ""))
