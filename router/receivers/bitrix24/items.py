"""Items of Bitrix24: fields, filters, phones and times."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.codes import AnswerCode, SettingCode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.phone import same_phone, spellings
from router.receivers.bitrix24.portal import Command, rows
from router.receivers.json_body import filled, member, sequence
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Draft

TYPES = {EntityKind.LEAD: 1, EntityKind.DEAL: 2, EntityKind.CONTACT: 3, EntityKind.COMPANY: 4}
KINDS = {number: kind for kind, number in TYPES.items()}
WITH_PHONE = (EntityKind.LEAD, EntityKind.CONTACT, EntityKind.COMPANY)
ORIGIN = "ringtrace"
# the name UF_CRM_GA_CLIENT_ID, which the portal spells in its own way otherwise
AS_NAMED = {"useOriginalUfNames": "Y"}
Linked = Mapping[EntityKind, set[int]]

_OWNERS = {
    EntityKind.LEAD: (EntityKind.CONTACT, EntityKind.COMPANY),
    EntityKind.DEAL: (EntityKind.CONTACT, EntityKind.COMPANY),
    EntityKind.CONTACT: (EntityKind.COMPANY,),
    EntityKind.COMPANY: (),
}
_UTM = ("source", "medium", "campaign", "term", "content")
_INCOMING = [2, 3]  # direct, or forwarded
_CALL, _INCOMING_ACTIVITY = 2, 1  # type and direction of an activity
_SKEW = timedelta(seconds=10)  # allowed difference between the clocks of two telephony systems


def listing(kind: EntityKind, where: Mapping[str, Any]) -> Command:
    """The request for the newest fifty items that match a filter; only `*` selects phones."""
    params = {
        "entityTypeId": TYPES[kind],
        "filter": where,
        "select": ["*"],
        "order": {"id": "DESC"},
        **AS_NAMED,
    }
    return "crm.item.list", params


def any_of(field: str, numbers: Iterable[int]) -> dict[str, list[int]]:
    """A filter for these numbers; empty if there are none. Do not send an empty one: it matches
    everything.
    """
    wanted = sorted(numbers)
    if not wanted:
        return {}
    return {f"@{field}": wanted}


def doubles(kind: EntityKind, phone: str) -> Command:
    """The request for items with this phone, by an index that treats 8 and +7 alike, except before
    800 and 812: query every spelling.
    """
    values = [phone, *spellings(phone)]
    return "crm.duplicate.findbycomm", {
        "type": "PHONE",
        "values": values,
        "entity_type": kind.upper(),
    }


def doubled(said: Any, kind: EntityKind) -> set[int]:
    """The items in the answer to `doubles`."""
    return {number(id_) for id_ in sequence(member(said, kind.upper()))} - {0}


def records(phone: str) -> Command:
    """The request for the newest fifty finished calls from this phone; `is_of` compares their
    times.
    """
    where = {"PHONE_NUMBER": [phone, *spellings(phone)], "CALL_TYPE": _INCOMING}
    return "voximplant.statistic.get", {"FILTER": where, "SORT": "ID", "ORDER": "DESC"}


def is_of(record: Mapping[str, Any], call: CallEvent) -> bool:
    """Whether a record of their telephony is this call, by phone and time."""
    began = moment(record.get("CALL_START_DATE"))
    if (
        began is None
        or call.caller is None
        or not same_phone(str(record.get("PHONE_NUMBER")), call.caller)
    ):
        return False
    ended = began + timedelta(seconds=min(number(record.get("CALL_DURATION")), 86400))
    return began <= call.ended_at + _SKEW and ended >= call.arrived_at - _SKEW


def activities(ref: Ref) -> Command:
    """The request for the newest fifty calls in the timeline of an item."""
    bound = [{"OWNER_TYPE_ID": TYPES[ref.kind], "OWNER_ID": key(ref)}]
    where = {"TYPE_ID": _CALL, "BINDINGS": bound}
    shown = ["ID", "DIRECTION", "START_TIME", "END_TIME"]
    return "crm.activity.list", {"filter": where, "select": shown, "order": {"ID": "DESC"}}


def is_activity_of(activity: Mapping[str, Any], call: CallEvent) -> bool:
    """Whether this activity is the call: incoming, at that time."""
    began = moment(activity.get("START_TIME"))
    ended = moment(activity.get("END_TIME")) or began
    if began is None or ended is None or number(activity.get("DIRECTION")) != _INCOMING_ACTIVITY:
        return False
    return began <= call.ended_at + _SKEW and ended >= call.arrived_at - _SKEW


def read_item(
    kind: EntityKind, row: Mapping[str, Any], field: str, user: str, exact: Linked
) -> Found:
    """A listed item as an entity. It is `exact` if `exact` names the item or, for a deal, its owner
    or the lead it was made from.
    """
    ref = Ref(kind=kind, id=identity(row))
    surely = int(ref.id) in exact.get(kind, set())
    if kind is EntityKind.DEAL:
        surely = surely or any(
            number(row.get(f"{owner}Id")) in exact.get(owner, set()) for owner in WITH_PHONE
        )
    return Found(
        ref=ref,
        title=str(row.get("title") or row.get("name") or ""),
        phones=tuple(
            str(field.get("value"))
            for field in rows(row.get("fm"))
            if field.get("typeId") == "PHONE"
        ),
        created_at=moment(row.get("createdTime")),
        open=row.get("closed") != "Y" and str(row.get("stageSemanticId")) not in {"S", "F"},
        # A call's record names what a telephony made, though it may have made it by the same user's
        # hand.
        ours=row.get("originatorId") == ORIGIN
        or (str(row.get("createdBy")) == user and not surely),
        exact=surely,
        client_id=str(row.get(field) or "") or None,
    )


def new_item(draft: Draft, category: str) -> dict[str, Any]:
    """The fields of an item to create."""
    kind, call = draft.kind, draft.call
    fields: dict[str, Any] = {"originatorId": ORIGIN, "originId": call.id, "opened": "Y"}
    fields |= _titled(draft)
    fields |= {f"utm{name.title()}": call.facts[name] for name in _UTM if name in call.facts}
    for owner in _OWNERS[kind]:
        if owner in draft.links:
            fields[f"{owner}Id"] = key(draft.links[owner])
    if kind is not EntityKind.COMPANY:
        fields["sourceId"] = "CALL"
    if kind in {EntityKind.LEAD, EntityKind.DEAL}:
        fields["comments"] = without_codes(draft.text)
    if kind is EntityKind.DEAL and draft.placed:
        fields["categoryId"] = given(category, "the option 'category' of this connection")
    if kind is not EntityKind.DEAL and call.caller:
        fields["fm"] = [{"typeId": "PHONE", "valueType": "WORK", "value": call.caller}]
    if draft.responsible:
        fields["assignedById"] = given(draft.responsible, "the user in the rule 'responsible'")
    return {**fields, **draft.values}


def _titled(draft: Draft) -> dict[str, str]:
    if draft.kind is EntityKind.CONTACT:
        return {"name": draft.title}
    return {"title": draft.title}


def trace(call: CallEvent) -> dict[str, Any]:
    """The visit in the form in which the portal's own script on the site reports it."""
    marks = {f"utm_{name}": call.facts[name] for name in _UTM if name in call.facts}
    client = {"gaId": call.client_id, "yaId": call.facts.get("ym_client_id")}
    return {
        "url": call.facts.get("landing", ""),
        "ref": call.facts.get("referrer", ""),
        "tags": {
            "ts": int(call.arrived_at.timestamp()),
            "list": marks,
            "gclid": call.facts.get("gclid"),
        },
        "client": filled(client),
    }


def without_codes(text: str) -> str:
    """The text without link codes: comments are read as BBCode, and what visitors wrote must not
    become a link.
    """
    return text.replace("[", "(").replace("]", ")")


def identity(row: Mapping[str, Any]) -> str:
    """The item's id. Raises `ReceiverUnavailable` if it has none."""
    if not number(row.get("id")):
        raise ReceiverUnavailable(AnswerCode.INCOMPLETE_ANSWER, system="Bitrix24", missing="id")
    return str(number(row.get("id")))


def key(ref: Ref) -> int:
    """The number of an item. Raises `Refused` if it is not a number."""
    if not number(ref.id):
        raise Refused(SettingCode.NO_SUCH_ID, found=ref.id, kind=ref.kind.value, system="Bitrix24")
    return number(ref.id)


def number(value: Any) -> int:
    """A number, which Bitrix24 may also write as text; 0 for anything else."""
    text = str(value)
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    return 0


def moment(value: Any) -> datetime | None:
    """A time with its zone."""
    try:
        at = datetime.fromisoformat(str(value))
        if at.tzinfo is None:
            return None
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def given(text: str, what: str) -> int:
    """A number that a person entered. Raises `Refused`."""
    if not (text.isascii() and text.isdigit()):
        raise Refused(SettingCode.NOT_A_NUMBER, name=what, found=text, system="Bitrix24")
    return int(text)
