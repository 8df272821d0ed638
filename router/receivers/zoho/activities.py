"""Notes of a Zoho CRM record, and records of the modules Tasks and Calls for it."""

from typing import Any

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.activities import Activities, Activity, Entry
from router.receivers.crm_tools import column
from router.receivers.zoho.api import MODULES, Api, quoted, rows_in

_MODULES = {Entry.TASK: "Tasks", Entry.CALL: "Calls"}


class ZohoActivities(Activities):
    """The activities of one organization."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def responsible(self, ref: Ref) -> str | None:
        """The owner, whom every record has."""
        owner = (await self._api.record(ref, ["Owner"])).get("Owner")
        if isinstance(owner, dict) and owner.get("id"):
            return str(owner["id"])
        return None

    async def texts(self, entry: Entry, ref: Ref) -> list[object]:
        """Texts of the newest notes, tasks or calls; a query cannot filter by description."""
        if entry is not Entry.NOTE:
            where = f"{_place(ref)} = {quoted(ref.id)}"
            rows = await self._api.query(_MODULES[entry], ("id", "Description"), where)
            return column(rows, "Description")
        params = {"fields": "Note_Content", "sort_by": "Created_Time", "sort_order": "desc"}
        answer = await self._api.ask("GET", f"{MODULES[ref.kind]}/{ref.id}/Notes", params=params)
        return column(rows_in(answer), "Note_Content")

    async def add_note(self, ref: Ref, text: str) -> None:
        """Add a note without a title."""
        body = {"data": [{"Note_Content": text}]}
        await self._api.ask("POST", f"{MODULES[ref.kind]}/{ref.id}/Notes", json=body)

    async def add_activity(self, activity: Activity) -> None:
        """Add a task, whose due date has no time, or a call with its link in the description."""
        values: dict[str, Any] = {"Subject": activity.subject, "Description": activity.text}
        for ref in reversed(activity.refs):
            values[_place(ref)] = {"id": ref.id}
            if ref.kind is not EntityKind.CONTACT:
                values["$se_module"] = MODULES[ref.kind]
        if activity.owner:
            values["Owner"] = {"id": activity.owner}
        if activity.call is None:
            await self._api.write(
                "POST", "Tasks", {**values, "Due_Date": f"{activity.at:%Y-%m-%d}"}
            )
            return
        minutes, seconds = divmod(round(activity.call.talk_seconds), 60)
        values |= {"Call_Type": "Inbound", "Call_Duration": f"{minutes:02}:{seconds:02}"}
        values["Call_Start_Time"] = activity.at.isoformat(timespec="seconds")
        await self._api.write("POST", "Calls", values)


def _place(ref: Ref) -> str:
    """The link to a record: contacts are `who`, other records `what`."""
    if ref.kind is EntityKind.CONTACT:
        return "Who_Id"
    return "What_Id"
