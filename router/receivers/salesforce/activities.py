"""Notes, tasks and calls in Salesforce are all tasks: of a contact or lead, and of a thing."""

from collections.abc import Mapping
from typing import Any

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.activities import Activities, Activity, Entry
from router.receivers.http import entity
from router.receivers.salesforce.api import OBJECTS, Api, quoted

_WHO = {EntityKind.CONTACT, EntityKind.LEAD}


class SalesforceActivities(Activities):
    """Tasks of one organization."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def responsible(self, ref: Ref) -> str | None:
        """Every record has an owner; that of a lead may be a queue, which takes no task."""
        with entity(ref):
            row = await self._api.record(OBJECTS[ref.kind], ref.id, ["OwnerId"])
        return str(row.get("OwnerId") or "") or None

    async def texts(self, entry: Entry, ref: Ref) -> list[object]:
        """A description is in no condition of a query."""
        where = f"{_place(ref)} = {quoted(ref.id)}"
        tasks = await self._api.query("Task", ["Description"], where)
        return [task.get("Description") for task in tasks]

    async def add_note(self, ref: Ref, text: str) -> None:
        """A completed task, as people log what they did."""
        values = {"Status": "Completed", _place(ref): ref.id}
        await self._add(text.partition("\n")[0][:255], text, values)

    async def add_activity(self, activity: Activity) -> None:
        """A task reminds its owner, because its due date has no time; a call is as a telephony
        logs it. A task of a lead is of nothing else.
        """
        lead = [ref for ref in activity.refs if ref.kind is EntityKind.LEAD]
        values: dict[str, Any] = {_place(ref): ref.id for ref in reversed(lead or activity.refs)}
        values["ActivityDate"] = f"{activity.at:%Y-%m-%d}"
        values |= {"OwnerId": activity.owner} if activity.owner else {}
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
    return "WhoId" if ref.kind in _WHO else "WhatId"
