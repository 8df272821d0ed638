"""Messages and planned activities of an Odoo record.

A call is a message: only the Enterprise edition has a list of calls, and its API cannot add to it.
"""

from typing import Any

from router.domain.delivery.entity import Ref
from router.receivers import crm_tools as tools
from router.receivers.activities import Activities, Activity, Entry
from router.receivers.odoo.api import MODELS, Api, linked


class OdooActivities(Activities):
    """The activities in one database."""

    html = True

    def __init__(self, api: Api) -> None:
        self._api = api

    async def responsible(self, ref: Ref) -> str | None:
        """The salesperson, if there is one."""
        user = linked(await self._api.record(ref, ["user_id"]), "user_id")
        if not user:
            return None
        return str(user)

    async def texts(self, entry: Entry, ref: Ref) -> list[object]:
        """Texts of messages; that of a finished activity is a message too."""
        model, key = MODELS[ref.kind], ["res_id", "=", int(ref.id)]
        rows = await self._api.find("mail.message", [["model", "=", model], key], ["body"])
        if entry is Entry.TASK:
            where = [["res_model", "=", model], key]
            rows += await self._api.find("mail.activity", where, ["note"])
        return [row.get("body") or row.get("note") for row in rows]

    async def add_note(self, ref: Ref, text: str) -> None:
        """Add a message that sends no notifications."""
        place = {"model": MODELS[ref.kind], "res_id": int(ref.id)}
        message = {**place, "body": text, "message_type": "comment"}
        await self._api.create("mail.message", message)

    async def add_activity(self, activity: Activity) -> None:
        """Add a call as a message, or a task as a planned call if that type of activity exists."""
        ref = activity.refs[0]
        if activity.call:
            await self.add_note(ref, activity.text)
            return
        types = await self._api.find("mail.activity.type", [["category", "=", "phonecall"]], [])
        values: dict[str, Any] = {"res_model_id": await self._api.model_id(MODELS[ref.kind])}
        values |= {"res_id": int(ref.id), "summary": activity.subject, "note": activity.text}
        values["date_deadline"] = f"{activity.at:%Y-%m-%d}"
        if types:
            values["activity_type_id"] = types[-1]["id"]
        if activity.owner:
            values["user_id"] = tools.number(activity.owner)
        await self._api.create("mail.activity", values)
