"""amoCRM's «Неразобранное»: leads of calls that no employee has accepted yet.

No list and no search contains their contacts. So a call's lead is recognised by what the telephony
wrote: its own id of the call (`uniq`), the phone and the time. Integrations disagree on whether
`from` or `phone` is the caller, so both are compared, and our leads have the caller in both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.phone import same_phone
from router.receivers.amocrm.account import (
    MOST,
    Account,
    Row,
    embedded,
    identity,
    moment,
    number,
    text,
)
from router.receivers.amocrm.fields import phone_field
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Draft

SERVICE = "ringtrace"
_PATH = "leads/unsorted"
_PAGES = 4
_CLOCKS = timedelta(seconds=30)  # allowed difference between the telephony's clock and ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One unsorted call and its lead."""

    lead: str
    phones: tuple[str, ...]
    called_at: datetime | None
    created_at: datetime | None
    uniq: str
    ours: bool

    def is_of(self, call: CallEvent) -> bool:
        """Whether amoCRM itself names this call."""
        if self.uniq == call.id:
            return True
        at = self.called_at
        in_time = at is not None and call.arrived_at - _CLOCKS <= at <= call.ended_at + _CLOCKS
        return in_time and self.has(call.caller)

    def has(self, phone: str | None) -> bool:
        """Whether this phone made the call."""
        return phone is not None and any(same_phone(own, phone) for own in self.phones)

    def found(self, call: CallEvent | None = None) -> Found:
        """The lead in the form of a search result."""
        return Found(
            ref=Ref(kind=EntityKind.LEAD, id=self.lead),
            title=" ".join(self.phones),
            phones=self.phones,
            created_at=self.created_at,
            ours=self.ours,
            exact=call is not None and self.is_of(call),
        )


class Unsorted:
    """The unsorted calls of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def newest(self, since: datetime | None = None) -> list[Item]:
        """The newest first, back to `since` or up to a limit."""
        items: list[Item] = []
        for page in range(1, _PAGES + 1):
            params = [
                ("filter[category][]", "sip"),
                ("order[created_at]", "desc"),
                ("page", str(page)),
            ]
            rows = await self._account.rows(_PATH, params)
            items += filter(None, map(_item, rows))
            if len(rows) < MOST or (since and _is_older(items, since)):
                break
        return items

    async def made_for(self, call_id: str) -> Ref | None:
        """The unsorted lead that we created for this call."""
        for item in await self.newest():
            if item.uniq == call_id:
                return Ref(kind=EntityKind.LEAD, id=item.lead)
        return None

    async def add(
        self,
        call: CallEvent,
        lead: Mapping[str, Any],
        linked: Mapping[str, Any],
        pipeline: int | None,
        responsible: int | None,
    ) -> Ref:
        """Add a lead, with the person who answered; if the lead exists, it is used."""
        item: dict[str, Any] = {
            "request_id": call.id,
            "source_name": "Ringtrace",
            "source_uid": SERVICE,
            "created_at": int(call.arrived_at.timestamp()),
            "metadata": _metadata(call),
            "_embedded": {"leads": [lead], **linked},
        }
        if responsible is not None:
            item["metadata"]["call_responsible"] = responsible
        if pipeline is not None:
            item["pipeline_id"] = pipeline
        try:
            made = await self._account.add(f"{_PATH}/sip", item, name="unsorted")
        except Refused:
            existing = await self.made_for(call.id)  # amoCRM refuses duplicates
            if existing is None:
                raise
            return existing
        ids = [number(lead.get("id")) for lead in embedded(made, "leads")]
        if not ids or ids[0] is None:
            raise ReceiverUnavailable(AnswerCode.INCOMPLETE_ANSWER, system="amoCRM", missing=_PATH)
        return Ref(kind=EntityKind.LEAD, id=str(ids[0]))


def _is_older(items: Sequence[Item], since: datetime) -> bool:
    """Whether the last of these items is from before that time."""
    if not items:
        return False
    oldest = items[-1].created_at
    return oldest is not None and oldest < since


def _metadata(call: CallEvent) -> dict[str, Any]:
    caller = call.caller or "hidden"
    return {
        "from": caller,
        "phone": caller,
        "called_at": int(call.arrived_at.timestamp()),
        "duration": int(call.talk_seconds),
        "link": call.facts["page"],
        "service_code": SERVICE,
        "uniq": call.id,
        "is_call_event_needed": True,
    }


def _item(row: Row) -> Item | None:
    said = row.get("metadata")
    leads = [number(lead.get("id")) for lead in embedded(row, "leads")]
    if not isinstance(said, dict) or not leads or leads[0] is None:
        return None
    phones = (text(said.get("from")), text(said.get("phone")))
    return Item(
        lead=str(leads[0]),
        phones=tuple(dict.fromkeys(filter(None, phones))),
        called_at=moment(said.get("called_at")),
        created_at=moment(row.get("created_at")),
        uniq=text(said.get("uniq")),
        ours=text(said.get("service_code")) == SERVICE,
    )


def caller_of(draft: Draft) -> dict[str, list[dict[str, Any]]]:
    """Contacts linked to an unsorted lead: known ones, or a new one.

    A new contact is visible in amoCRM once a person accepts the lead.
    """
    paths = {EntityKind.CONTACT: "contacts", EntityKind.COMPANY: "companies"}
    known = {path: draft.links[kind] for kind, path in paths.items() if kind in draft.links}
    if known:
        return {path: [{"id": identity(ref.id, ref.kind)}] for path, ref in known.items()}
    person: dict[str, Any] = {"name": draft.person or draft.call.caller or "Hidden number"}
    if draft.call.caller:
        person["custom_fields_values"] = [phone_field(draft.call.caller)]
    return {"contacts": [person]}
