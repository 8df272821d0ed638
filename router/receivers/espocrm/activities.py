"""Stream posts, tasks and calls of EspoCRM records."""

from datetime import timedelta
from typing import Any

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers import crm_tools as tools
from router.receivers.activities import Activities, Activity, Entry
from router.receivers.espocrm.api import OBJECTS, Api, a_name, plain
from router.receivers.http import entity

_TIME = "%Y-%m-%d %H:%M:%S"  # in UTC, like all times here
_MODULES = {Entry.TASK: "Task", Entry.CALL: "Call"}
_PEOPLE = {EntityKind.CONTACT: "contactsIds", EntityKind.LEAD: "leadsIds"}


class EspoActivities(Activities):
    """The activities that our user may see."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def responsible(self, ref: Ref) -> str | None:
        """The assigned user, if there is one."""
        with entity(ref):
            row = await self._api.ask("GET", f"{OBJECTS[ref.kind]}/{ref.id}")
        return str(row.get("assignedUserId") or "") or None

    async def texts(self, entry: Entry, ref: Ref) -> list[object]:
        """Texts of posts, or descriptions of tasks and calls."""
        if entry is Entry.NOTE:
            with entity(ref):
                path = f"{OBJECTS[ref.kind]}/{ref.id}/stream"
                posts = await self._api.rows(path, primaryFilter="posts")
            return tools.column(posts, "post")
        where = [{"type": "equals", "attribute": "parentId", "value": ref.id}]
        rows = await self._api.rows(_MODULES[entry], select=["description"], where=where)
        return tools.column(rows, "description")

    async def add_note(self, ref: Ref, text: str) -> None:
        """Add a post to the stream."""
        place = {"parentType": OBJECTS[ref.kind], "parentId": ref.id}
        await self._api.create("Note", {"type": "Post", "post": plain(text), **place})

    async def add_activity(self, activity: Activity) -> None:
        """Add a task or a call; a held call is also shown on its contact or lead."""
        name, ref, lasts = "Task", activity.refs[0], timedelta()
        if activity.call:
            name, lasts = "Call", timedelta(seconds=round(activity.call.talk_seconds))
        values: dict[str, Any] = {"parentType": OBJECTS[ref.kind], "parentId": ref.id}
        values |= {"name": a_name(activity.subject), "description": plain(activity.text)}
        values["assignedUserId"] = activity.owner
        values["dateEnd"] = f"{activity.at + lasts:{_TIME}}"
        if activity.call:
            values |= {
                "status": "Held",
                "direction": "Inbound",
                "dateStart": f"{activity.at:{_TIME}}",
            }
            values |= {_PEOPLE[ref.kind]: [ref.id] for ref in activity.refs if ref.kind in _PEOPLE}
        await self._api.create(name, values)
