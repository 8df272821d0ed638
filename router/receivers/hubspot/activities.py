"""Tasks and calls of HubSpot, which are associated with its records."""

import html

from router.domain.delivery.entity import Ref
from router.receivers.hubspot.api import Api
from router.receivers.hubspot.asked import every
from router.receivers.hubspot.types import TYPES
from router.service.delivery.crm_ports import CallRecord, Task
from router.service.delivery.outcomes import EntityGone


class Tasks:
    """The `TaskBook` of an account."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def responsible(self, ref: Ref) -> str | None:
        """The owner; a record may have none."""
        row = await self._api.get(TYPES[ref.kind], ref.id, ["hubspot_owner_id"])
        if row is None:
            raise EntityGone(ref)
        return row.properties.get("hubspot_owner_id")

    async def add(self, task: Task) -> None:
        """Add a task to call back, with our mark in its body."""
        mark, kind = f"[ringtrace:{task.call_id}]", TYPES[task.ref.kind]
        if await has_mark(self._api, kind, task.ref.id, "tasks", "hs_task_body", mark):
            return
        values = {
            "hs_timestamp": task.due_at.isoformat(timespec="seconds"),
            "hs_task_subject": task.text.partition("\n")[0],
            "hs_task_body": as_html(f"{task.text}\n{mark}"),
            "hs_task_status": "NOT_STARTED",
            "hs_task_type": "CALL",
        }
        if task.responsible:
            values["hubspot_owner_id"] = task.responsible
        link = await self._api.link_type("tasks", kind)
        await self._api.create("tasks", values, task.ref.id, link)


class Calls:
    """The `CallBook` of an account."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def record(self, record: CallRecord) -> None:
        """Add a call to each record that it belongs to, with our mark in its body."""
        call, mark = record.call, f"[ringtrace:{record.call.id}]"
        first, *others = record.refs
        kind = TYPES[first.kind]
        if await has_mark(self._api, kind, first.id, "calls", "hs_call_body", mark):
            return
        values = {
            "hs_timestamp": call.arrived_at.isoformat(timespec="seconds"),
            "hs_call_title": record.text,
            "hs_call_body": mark,
            "hs_call_direction": "INBOUND",
            "hs_call_status": "COMPLETED",
            "hs_call_duration": str(round(call.talk_seconds * 1000)),
            "hs_call_from_number": call.caller or "",
            "hs_call_to_number": call.number or "",
        }
        if record.link:
            values["hs_call_recording_url"] = record.link
        if record.responsible:
            values["hubspot_owner_id"] = record.responsible
        link = await self._api.link_type("calls", kind)
        made = await self._api.create("calls", values, first.id, link)
        for ref in others:
            await self._api.link("calls", made.id, TYPES[ref.kind], ref.id)


async def has_mark(api: Api, kind: str, key: str, what: str, name: str, mark: str) -> bool:
    """Whether a note, a task or a call of this record has our mark in its body."""
    linked = every(await api.linked(kind, [key], what))
    rows = await api.read_newest(what, linked, [name])
    return any(mark in html.unescape(row.properties.get(name, "")) for row in rows)


def as_html(text: str) -> str:
    """The text as HTML: bodies are HTML, and what visitors wrote must not be."""
    return "<br>".join(html.escape(line) for line in text.splitlines())
