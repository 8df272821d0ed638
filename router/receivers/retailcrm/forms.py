"""Values of new customers, companies, orders and calls in RetailCRM."""

from typing import Any

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Mode, Rules, Scenario
from router.domain.delivery.entity import EntityKind
from router.domain.phone import digits
from router.receivers.retailcrm.api import number, user
from router.service.delivery.ports import Draft

MARK = "ringtrace-"
_SOURCE = {
    "source": "source",
    "medium": "medium",
    "campaign": "campaign",
    "keyword": "term",
    "content": "content",
}


def external_id(kind: EntityKind, call_id: str) -> str:
    """The external ID of a call's entity. Companies are customers too, and might share their
    IDs.
    """
    return f"{MARK}{call_id}-company" if kind is EntityKind.COMPANY else f"{MARK}{call_id}"


def form(draft: Draft, method: str) -> dict[str, Any]:
    """The values of the new entity; `method` is the order method. Raises `Refused` for ids that
    RetailCRM cannot have.
    """
    values = {"externalId": external_id(draft.kind, draft.call.id), **_always(draft)}
    if draft.kind is EntityKind.COMPANY:
        return values | {"nickName": draft.title}
    if draft.kind is EntityKind.CONTACT:
        phones = [{"number": draft.call.caller}] if draft.call.caller else []
        return values | {"firstName": draft.title, "phones": phones}
    return values | _order(draft, method) | _buyer(draft)


def call_values(call: CallEvent, responsible: str | None, date: str) -> dict[str, Any]:
    """The call for the telephony module; `date` is its arrival in the account's time zone."""
    return {
        "date": date,
        "type": "in",
        "phone": digits(call.caller or ""),
        "result": "answered" if call.answered else "no answer",
        "duration": round(call.talk_seconds),
        "durationWaiting": int(float(call.facts.get("wait_seconds", "0"))),
        "externalId": f"{MARK}{call.id}",
        **({"userId": user(responsible)} if responsible else {}),
        **_texts(clientId=call.client_id, externalPhone=digits(call.number or "")),
    }


def _always(draft: Draft) -> dict[str, Any]:
    source = {
        name: draft.call.facts[fact] for name, fact in _SOURCE.items() if fact in draft.call.facts
    }
    manager = user(draft.responsible) if draft.responsible else None
    values = {"source": source, "customFields": dict(draft.values), "managerId": manager}
    return {name: value for name, value in values.items() if value}


def _order(draft: Draft, method: str) -> dict[str, Any]:
    call = draft.call
    return {
        **({"orderMethod": method} if draft.placed else {}),
        "managerComment": f"{draft.text}\n[{MARK}{call.id}]",
        "call": not call.answered,  # to be called back
        **_texts(phone=call.caller, clientId=call.client_id),
    }


def _buyer(draft: Draft) -> dict[str, Any]:
    """Who placed the order: a company's contact, a customer, or somebody of whom only the phone
    is known.
    """
    company, contact = draft.links.get(EntityKind.COMPANY), draft.links.get(EntityKind.CONTACT)
    person = {"id": number(contact)} if contact else {}
    if company:
        buyer = {"customer": {"id": number(company), "type": "customer_corporate"}}
        return buyer | ({"contact": person} if person else {})
    name = draft.person or draft.call.caller or "Hidden number"
    return {"customer": person} if person else {"firstName": name}


def _texts(**texts: str | None) -> dict[str, str]:
    return {name: value for name, value in texts.items() if value}


def order_kind(mode: Mode, rules: Rules) -> EntityKind:
    """The kind that orders have by the connection's rules: lead or deal."""
    if mode is Mode.OWN:
        return EntityKind.LEAD if rules.scenario is Scenario.LEAD else EntityKind.DEAL
    leads = EntityKind.LEAD in rules.targets and EntityKind.DEAL not in rules.targets
    return EntityKind.LEAD if leads else EntityKind.DEAL
