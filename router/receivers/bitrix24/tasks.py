"""Tasks of Bitrix24: universal activities in an item's timeline."""

from router.domain.delivery.entity import Ref
from router.receivers.bitrix24.items import AS_NAMED, TYPES, given, key, number, without_codes
from router.receivers.bitrix24.portal import Portal
from router.receivers.http import entity
from router.receivers.json_body import mapping
from router.service.delivery.crm_ports import Task


class Tasks:
    """The `TaskBook` of a portal."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    async def responsible(self, ref: Ref) -> str | None:
        """The responsible user, whom every item has."""
        asked = {"entityTypeId": TYPES[ref.kind], "id": key(ref), **AS_NAMED}
        with entity(ref):
            said = await self._portal.call("crm.item.get", asked)
        user = number(mapping(mapping(said).get("item")).get("assignedById"))
        if not user:
            return None
        return str(user)

    async def add(self, task: Task) -> None:
        """Add an activity with our mark in its description."""
        mark, owner, item = f"Ringtrace {task.call_id}", TYPES[task.ref.kind], key(task.ref)
        where = {"OWNER_TYPE_ID": owner, "OWNER_ID": item, "PROVIDER_ID": "CRM_TODO"}
        asked = {"filter": where, "select": ["ID", "DESCRIPTION"], "order": {"ID": "DESC"}}
        tasks = await self._portal.pages("crm.activity.list", asked)
        if any(mark in str(task.get("DESCRIPTION")).split("\n") for task in tasks):
            return
        params = {
            "ownerTypeId": owner,
            "ownerId": item,
            "deadline": task.due_at.isoformat(timespec="seconds"),
            "title": without_codes(task.text.partition("\n")[0]),
            "description": without_codes(f"{task.text}\n{mark}"),
        }
        if task.responsible:
            params["responsibleId"] = given(task.responsible, "responsible")
        await self._portal.call("crm.activity.todo.add", params)
