"""Notes and activities of Pipedrive. A task and a call are activities of the type `call`.

A call log would be a second record of the call, and the list of call logs has no filter by which an
earlier attempt's is found.
"""

from datetime import timedelta
from typing import Any

from router.domain.delivery.entity import Ref
from router.receivers import crm_tools as tools
from router.receivers.activities import Activities, Activity, Entry
from router.receivers.pipedrive.api import Api, place


class PipedriveActivities(Activities):
    """Activities of one account."""

    html = True

    def __init__(self, api: Api) -> None:
        self._api = api

    async def responsible(self, ref: Ref) -> str | None:
        """Everything has an owner."""
        return tools.texts_of(await self._api.row(ref), ["owner_id"]).get("owner_id")

    async def texts(self, entry: Entry, ref: Ref) -> list[object]:
        """Activities that are done are among them."""
        path, name, order = "api/v1/notes", "content", {"sort": "add_time DESC"}
        if entry is not Entry.NOTE:
            path, name = "api/v2/activities", "note"
            order = {"sort_by": "add_time", "sort_direction": "desc"}
        params = {**place(None, ref), **order, "limit": 100}
        rows = tools.rows_of(await self._api.ask("GET", path, params=params), "data")
        return [row.get(name) for row in rows]

    async def add_note(self, ref: Ref, text: str) -> None:
        """A note without a title."""
        await self._api.ask("POST", "api/v1/notes", json={"content": text, **place(None, ref)})

    async def add_activity(self, activity: Activity) -> None:
        """A call that is done has a duration; persons take part in it."""
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
