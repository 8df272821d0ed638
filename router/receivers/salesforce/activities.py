"""Notes, tasks and calls in Salesforce: all are tasks of a contact or lead and of another
record.
"""

from collections.abc import Mapping
from typing import Any

from router.domain.delivery.entity import EntityKind, Ref
from router.domain.text import cut
from router.receivers import crm_tools as tools
from router.receivers.activities import Activities, Activity, Entry
from router.receivers.http import entity
from router.receivers.salesforce.api import OBJECTS, Api, quoted

_WHO = {EntityKind.CONTACT, EntityKind.LEAD}


class SalesforceActivities(Activities):
    """The tasks in one organization."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def responsible(self, ref: Ref) -> str | None:
        """The owner; a lead's owner may be a queue, which cannot own a task."""
        with entity(ref):
            row = await self._api.record(OBJECTS[ref.kind], ref.id, ["OwnerId"])
        return str(row.get("OwnerId") or "") or None

    async def texts(self, entry: Entry, ref: Ref) -> list[object]:
        """Descriptions of the newest tasks; a query cannot filter by description."""
        where = f"{_place(ref)} = {quoted(ref.id)}"
        tasks = await self._api.query("Task", ["Description"], where)
        return tools.column(tasks, "Description")

    async def add_note(self, ref: Ref, text: str) -> None:
        """Add a completed task, as people log what they did."""
        values = {"Status": "Completed", _place(ref): ref.id}
        await self._add(cut(text.partition("\n")[0], 255), text, values)

    async def add_activity(self, activity: Activity) -> None:
        """Add a task, with a reminder because its due date has no time, or a call as a telephony
        logs it.

        A task of a lead cannot belong to another record.
        """
        lead = [ref for ref in activity.refs if ref.kind is EntityKind.LEAD]
        values: dict[str, Any] = {_place(ref): ref.id for ref in reversed(lead or activity.refs)}
        values["ActivityDate"] = f"{activity.at:%Y-%m-%d}"
        if activity.owner:
            values["OwnerId"] = activity.owner
        if activity.call is None:
            at = activity.at.isoformat(timespec="seconds")
            values |= {"IsReminderSet": True, "ReminderDateTime": at}
        else:
            values |= {"Status": "Completed", "TaskSubtype": "Call", "CallType": "Inbound"}
            values["CallDurationInSeconds"] = round(activity.call.talk_seconds)
            values["CallObject"] = activity.call.id
        await self._add(activity.subject, activity.text, values)

    async def _add(self, subject: str, text: str, values: Mapping[str, Any]) -> None:
        await self._api.create("Task", {"Subject": subject, "Description": text, **values})


def _place(ref: Ref) -> str:
    if ref.kind in _WHO:
        return "WhoId"
    return "WhatId"
