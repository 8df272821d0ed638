"""Values of new customers, companies, orders and calls in RetailCRM."""

from typing import Any

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Mode, Rules, Scenario
from router.domain.delivery.entity import EntityKind
from router.domain.phone import digits
from router.receivers.json_body import filled
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
    if kind is EntityKind.COMPANY:
        return f"{MARK}{call_id}-company"
    return f"{MARK}{call_id}"


def form(draft: Draft, method: str) -> dict[str, Any]:
    """The values of the new entity; `method` is the order method. Raises `Refused` for ids that
    RetailCRM cannot have.
    """
    values = {"externalId": external_id(draft.kind, draft.call.id), **_always(draft)}
    if draft.kind is EntityKind.COMPANY:
        return values | {"nickName": draft.title}
    if draft.kind is EntityKind.CONTACT:
        phones = []
        if draft.call.caller:
            phones.append({"number": draft.call.caller})
        return values | {"firstName": draft.title, "phones": phones}
    return values | _order(draft, method) | _buyer(draft)


def call_values(call: CallEvent, responsible: str | None, date: str) -> dict[str, Any]:
    """The call for the telephony module; `date` is its arrival in the account's time zone."""
    result = "no answer"
    if call.answered:
        result = "answered"
    values = {
        "date": date,
        "type": "in",
        "phone": digits(call.caller or ""),
        "result": result,
        "duration": round(call.talk_seconds),
        "durationWaiting": int(float(call.facts.get("wait_seconds", "0"))),
        "externalId": f"{MARK}{call.id}",
        **filled({"clientId": call.client_id, "externalPhone": digits(call.number or "")}),
    }
    if responsible:
        values["userId"] = user(responsible)
    return values


def _always(draft: Draft) -> dict[str, Any]:
    source = filled({name: draft.call.facts.get(fact) for name, fact in _SOURCE.items()})
    values: dict[str, Any] = {"source": source, "customFields": dict(draft.values)}
    if draft.responsible:
        values["managerId"] = user(draft.responsible)
    return filled(values)


def _order(draft: Draft, method: str) -> dict[str, Any]:
    call = draft.call
    values = {
        "managerComment": f"{draft.text}\n[{MARK}{call.id}]",
        "call": not call.answered,  # to be called back
        **filled({"phone": call.caller, "clientId": call.client_id}),
    }
    if draft.placed:
        values["orderMethod"] = method
    return values


def _buyer(draft: Draft) -> dict[str, Any]:
    """Who placed the order: a company's contact, a customer, or somebody of whom only the phone
    is known.
    """
    company, contact = draft.links.get(EntityKind.COMPANY), draft.links.get(EntityKind.CONTACT)
    buyer: dict[str, Any] = {}
    if company:
        buyer["customer"] = {"id": number(company), "type": "customer_corporate"}
        if contact:
            buyer["contact"] = {"id": number(contact)}
    elif contact:
        buyer["customer"] = {"id": number(contact)}
    else:
        buyer["firstName"] = draft.person or draft.call.caller or "Hidden number"
    return buyer


def order_kind(mode: Mode, rules: Rules) -> EntityKind:
    """The kind that orders have by the connection's rules: lead or deal."""
    if mode is Mode.OWN:
        if rules.scenario is Scenario.LEAD:
            return EntityKind.LEAD
        return EntityKind.DEAL
    leads = EntityKind.LEAD in rules.targets and EntityKind.DEAL not in rules.targets
    if leads:
        return EntityKind.LEAD
    return EntityKind.DEAL
