"""Notes and activities of Pipedrive. A task and a call are activities of the type `call`.

Call logs are not used: a log would be a second record of the call, and their list has no filter to
find an earlier attempt.
"""

from datetime import timedelta
from typing import Any

from router.domain.delivery.entity import Ref
from router.receivers import crm_tools as tools
from router.receivers.activities import Activities, Activity, Entry
from router.receivers.pipedrive.api import Api, place


class PipedriveActivities(Activities):
    """The activities of one account."""

    html = True

    def __init__(self, api: Api) -> None:
        self._api = api

    async def responsible(self, ref: Ref) -> str | None:
        """The owner, whom every entity has."""
        return tools.texts_of(await self._api.row(ref), ["owner_id"]).get("owner_id")

    async def texts(self, entry: Entry, ref: Ref) -> list[object]:
        """Texts of notes or of activities, also of those that are done."""
        path, name, order = "api/v1/notes", "content", {"sort": "add_time DESC"}
        if entry is not Entry.NOTE:
            path, name = "api/v2/activities", "note"
            order = {"sort_by": "add_time", "sort_direction": "desc"}
        params = {**place(None, ref), **order, "limit": 100}
        rows = tools.rows_of(await self._api.ask("GET", path, params=params), "data")
        return tools.column(rows, name)

    async def add_note(self, ref: Ref, text: str) -> None:
        """Add a note."""
        await self._api.ask("POST", "api/v1/notes", json={"content": text, **place(None, ref)})

    async def add_activity(self, activity: Activity) -> None:
        """Add a task, or a finished call with its duration and its person."""
        body: dict[str, Any] = {"subject": activity.subject, "type": "call", "note": activity.text}
        body |= {"due_date": f"{activity.at:%Y-%m-%d}", "due_time": f"{activity.at:%H:%M}"}
        for ref in activity.refs:
            body |= place(None, ref)
        if person := body.pop("person_id", None):
            body["participants"] = [{"person_id": person, "primary": True}]
        if activity.owner:
            body["owner_id"] = tools.number(activity.owner)
        if activity.call:
            body["duration"] = str(timedelta(seconds=round(activity.call.talk_seconds))).zfill(8)
        body["done"] = activity.call is not None
        await self._api.ask("POST", "api/v2/activities", json=body)
