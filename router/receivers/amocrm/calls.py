"""Calls in amoCRM: where a telephony logged one, and our own calls with their recordings.

amoCRM puts a call on the one open lead of its contact. If the contact has no open lead, or several,
it puts the call on the contact or company itself. Each is a note of the type `call_in`.
"""

from datetime import datetime
from typing import Any

from router.domain.delivery.call_event import CallEvent
from router.domain.phone import same_phone
from router.receivers.amocrm.account import Account, Row, identity, text
from router.receivers.amocrm.tasks import place_of
from router.receivers.json_body import member
from router.service.delivery.crm_ports import CallRecord

_TALKED = 4  # what came of the call


async def logged_on(account: Account, path: str, call: CallEvent, until: datetime) -> set[str]:
    """Ids of the leads, contacts or companies that have a note of this call."""
    period = [
        ("filter[updated_at][from]", str(int(call.arrived_at.timestamp()))),
        ("filter[updated_at][to]", str(int(until.timestamp()))),
    ]
    notes = await account.rows(f"{path}/notes", [("filter[note_type][]", "call_in"), *period])
    return {text(note.get("entity_id")) for note in notes if _is_of(note, call)} - {""}


def said(note: Row, name: str) -> str:
    """The value of one parameter of a note."""
    return text(member(note.get("params"), name))


def _is_of(note: Row, call: CallEvent) -> bool:
    return said(note, "uniq") == call.id or same_phone(said(note, "phone"), call.caller or "")


class Calls:
    """The `CallBook` of an account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def record(self, record: CallRecord) -> None:
        """Add the call; amoCRM finds the entity by the phone."""
        call = record.call
        for ref in record.refs:
            asked = [("filter[note_type][]", "call_in"), ("order[id]", "desc")]
            notes = await self._account.rows(f"{place_of(ref)}/notes", asked)
            if any(said(note, "uniq") == call.id for note in notes):
                return

        row: dict[str, Any] = {
            "direction": "inbound",
            "uniq": call.id,
            "duration": round(call.talk_seconds),
            "source": "Ringtrace",
            "phone": call.caller or "",
            "call_status": _TALKED,
            "created_at": int(call.arrived_at.timestamp()),
        }
        if record.link:
            row["link"] = record.link
        if record.responsible:
            row["responsible_user_id"] = identity(record.responsible, "responsible user")
        await self._account.ask("POST", "calls", json=[row])
