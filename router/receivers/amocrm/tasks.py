"""Tasks of an amoCRM account."""

from typing import Any

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.amocrm.account import Account, identity, number, text
from router.receivers.http import entity
from router.service.delivery.crm_ports import Task
from router.service.delivery.outcomes import EntityGone

PATHS = {
    EntityKind.CONTACT: "contacts",
    EntityKind.COMPANY: "companies",
    EntityKind.LEAD: "leads",
    EntityKind.DEAL: "leads",
}
_CALL = 1  # the task type "call", which every account has


def place_of(ref: Ref) -> str:
    """The name of the entity's type in the API. Raises `Refused`."""
    return f"{PATHS[ref.kind]}/{identity(ref.id, ref.kind)}"


class Tasks:
    """The `TaskBook` of an account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def responsible(self, ref: Ref) -> str | None:
        """The responsible user, whom every amoCRM entity has."""
        with entity(ref):
            row = await self._account.ask("GET", place_of(ref))
        if not isinstance(row, dict):
            raise EntityGone(ref)
        user = number(row.get("responsible_user_id"))
        if not user:
            return None
        return str(user)

    async def add(self, task: Task) -> None:
        """Add a task of the type "call", with our mark in its text."""
        mark, key = f"[ringtrace:{task.call_id}]", identity(task.ref.id, task.ref.kind)
        path = PATHS[task.ref.kind]
        asked = [("filter[entity_type]", path), ("filter[entity_id][]", str(key))]
        tasks = await self._account.rows("tasks", asked)
        if any(mark in text(row.get("text")) for row in tasks):
            return
        row: dict[str, Any] = {
            "text": f"{task.text}\n{mark}",
            "complete_till": int(task.due_at.timestamp()),
            "entity_id": key,
            "entity_type": path,
            "task_type_id": _CALL,
            "request_id": task.call_id,
        }
        if task.responsible:
            row["responsible_user_id"] = identity(task.responsible, "responsible user")
        await self._account.add("tasks", row)
