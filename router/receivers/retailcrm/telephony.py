"""Calls and tasks of a RetailCRM account."""

from collections.abc import Callable
from datetime import datetime

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.crm_codes import CrmCode, RetailCrmCode
from router.domain.delivery.entity import Ref
from router.receivers.json_body import member
from router.receivers.retailcrm.api import (
    ORDERS,
    PATHS,
    Api,
    filtered,
    number,
    rows,
    user,
)
from router.receivers.retailcrm.forms import MARK, call_values
from router.service.delivery.crm_ports import CallRecord, Task
from router.service.delivery.outcomes import Refused


class Tasks:
    """The `TaskBook` of an account; `local` writes a time in the account's time zone."""

    def __init__(self, api: Api, local: Callable[[datetime], str]) -> None:
        self._api, self._local = api, local

    async def responsible(self, ref: Ref) -> str | None:
        """The manager of an order or a customer, if it has one."""
        manager = (await self._api.row(ref)).get("managerId")
        if type(manager) is int:
            return str(manager)
        return None

    async def add(self, task: Task) -> None:
        """Add a task with our mark in its commentary; it needs a performer."""
        if task.responsible is None:
            raise Refused(CrmCode.TASK_NEEDS_USER)
        mark, title = f"[{MARK}{task.call_id}]", task.text.partition("\n")[0]
        params = filtered({"text": mark})
        tasks = rows(await self._api.ask("GET", "tasks", params=params), "tasks")
        if any(mark in str(member(task, "commentary")) for task in tasks):
            return
        kind = "customer"
        if PATHS[task.ref.kind] == ORDERS:
            kind = "order"
        values = {
            "text": title,
            "commentary": f"{task.text}\n{mark}",
            "datetime": self._local(task.due_at)[:16],  # to the minute
            "performerId": user(task.responsible),
            kind: {"id": number(task.ref)},
        }
        await self._api.post("tasks/create", {"task": values}, **self._api.in_shop())


class Calls:
    """The `CallBook` of an account: its telephony module."""

    def __init__(self, api: Api, local: Callable[[datetime], str]) -> None:
        self._api, self._local = api, local

    async def record(self, record: CallRecord) -> None:
        """Add the call; RetailCRM knows it by its external ID and adds it only once."""
        audio = dict[str, str]()
        if record.link:
            audio["recordUrl"] = record.link
        await self.upload(record.call, record.responsible, **audio)

    async def upload(self, call: CallEvent, responsible: str | None, **more: str) -> None:
        """Add a call. Raises `Refused` if the telephony module refuses it."""
        row = {**call_values(call, responsible, self._local(call.arrived_at)), **more}
        refused = await self._api.upload("telephony/calls/upload", "calls", row)
        if refused:
            raise Refused(RetailCrmCode.RETAILCRM_NO_TELEPHONY, reason=refused)
