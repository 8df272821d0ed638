"""Comments, tasks and calls of a record of BottleCRM."""

from typing import Any

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers import crm_tools as tools
from router.receivers.activities import Activities, Activity, Entry
from router.receivers.bottlecrm.api import LINKS, PATHS, Api
from router.receivers.http import entity


class BottleActivities(Activities):
    """Activities that our user sees."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def responsible(self, ref: Ref) -> str | None:
        """The first of its users."""
        users = tools.rows_of(await self._api.record(ref), "assigned_to", key="id")
        if not users:
            return None
        return str(users[0]["id"])

    async def texts(self, entry: Entry, ref: Ref) -> list[object]:
        """A list of tasks does not show their texts: each is read."""
        if entry is Entry.CALL:
            asked = {LINKS[ref.kind]: ref.id, "limit": 200}
            with entity(ref):
                found = await self._api.ask("GET", "interactions", "interactions", params=asked)
            return tools.column(tools.rows_of(found, "interactions"), "body")
        if entry is Entry.NOTE:
            notes = tools.rows_of(await self._api.page(ref), "comments")
            return tools.column(notes, "comment")
        if ref.kind is EntityKind.CONTACT:
            shown = tools.rows_of(await self._api.page(ref), "tasks")
            return tools.column(shown, "description")

        asked = {LINKS[ref.kind]: ref.id, "slim": "true", "limit": 50}
        tasks = await self._api.ask("GET", "tasks", "tasks", params=asked)
        texts = list[object]()
        for row in tools.rows_of(tasks, "tasks", key="id"):
            page = await self._api.ask("GET", f"tasks/{row['id']}", "task_obj")
            texts.append(tools.an_object(page["task_obj"], "BottleCRM").get("description"))
        return texts

    async def add_note(self, ref: Ref, text: str) -> None:
        """A comment."""
        with entity(ref):
            path = f"{PATHS[ref.kind]}/{ref.id}"
            await self._api.ask("POST", path, "comments", json={"comment": text})

    async def add_activity(self, one: Activity) -> None:
        """A task, or a call that our user logs."""
        ref, subject = one.refs[0], one.subject[:200]
        if one.call:
            call: dict[str, Any] = {"kind": "call", "direction": "inbound", "body": one.text}
            call |= {"subject": subject, "occurred_at": one.at.isoformat(), LINKS[ref.kind]: ref.id}
            call["duration_seconds"] = round(one.call.talk_seconds)
            call["outcome"] = "no_answer"
            if one.call.answered:
                call["outcome"] = "connected"
            await self._api.ask("POST", "interactions", "id", json=call)
            return
        task: dict[str, Any] = {"title": subject, "description": one.text, "status": "New"}
        task |= {"priority": "Medium", "due_date": f"{one.at:%Y-%m-%d}"}
        task["assigned_to"] = await self._api.claim_active(one.owner)
        if ref.kind is EntityKind.CONTACT:
            task["contacts"] = [ref.id]
        else:
            task[LINKS[ref.kind]] = ref.id
        await self._api.ask("POST", "tasks", "error", json=task)
