"""Finds the entities to which a telephony linked calls, by the calls' records and activities."""

from collections.abc import Iterable, Mapping
from typing import Any

from router.domain.delivery.entity import EntityKind
from router.receivers.bitrix24.items import KINDS, TYPES, number
from router.receivers.bitrix24.portal import Command, Portal, rows


async def joined_to(
    portal: Portal, records: Iterable[Mapping[str, Any]]
) -> dict[EntityKind, set[int]]:
    """The entities that the telephony linked to these records or to their activities."""
    joined: dict[EntityKind, set[int]] = {kind: set() for kind in TYPES}
    activities: dict[str, Command] = {}
    for record in records:
        kind = str(record.get("CRM_ENTITY_TYPE")).lower()
        if kind in joined:
            joined[EntityKind(kind)].add(number(record.get("CRM_ENTITY_ID")))
        if activity := number(record.get("CRM_ACTIVITY_ID")):
            activities[f"a{activity}"] = ("crm.activity.binding.list", {"activityId": activity})

    for bound, key in await _bindings(portal, activities):
        joined[bound].add(key)
    return {kind: keys - {0} for kind, keys in joined.items()}


async def _bindings(
    portal: Portal, activities: Mapping[str, Command]
) -> list[tuple[EntityKind, int]]:
    """The entities to which these activities are bound."""
    if not activities:
        return []
    bound = []
    said = await portal.batch(activities, optional=frozenset(activities))
    for bindings in said.values():
        for row in rows(bindings):
            kind = KINDS.get(number(row.get("entityTypeId")))
            if kind:
                bound.append((kind, number(row.get("entityId"))))
    return bound
