"""Items of Bitrix24: their fields, the filters that find them, their phones and moments."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.codes import AnswerCode, SettingCode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.phone import same_phone, spellings
from router.receivers.bitrix24.portal import Command, mapping, rows
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Draft

TYPES = {EntityKind.LEAD: 1, EntityKind.DEAL: 2, EntityKind.CONTACT: 3, EntityKind.COMPANY: 4}
KINDS = {number: kind for kind, number in TYPES.items()}
WITH_PHONE = (EntityKind.LEAD, EntityKind.CONTACT, EntityKind.COMPANY)
ORIGIN = "ringtrace"
# UF_CRM_GA_CLIENT_ID and not the portal's own spelling of it
AS_NAMED = {"useOriginalUfNames": "Y"}
Linked = Mapping[EntityKind, set[int]]

_OWNERS = {
    EntityKind.LEAD: (EntityKind.CONTACT, EntityKind.COMPANY),
    EntityKind.DEAL: (EntityKind.CONTACT, EntityKind.COMPANY),
    EntityKind.CONTACT: (EntityKind.COMPANY,),
    EntityKind.COMPANY: (),
}
_UTM = ("source", "medium", "campaign", "term", "content")
_INCOMING = [2, 3]  # straight, or sent on
_CALL, _INCOMING_ACTIVITY = 2, 1  # type and direction of an activity
_SKEW = timedelta(seconds=10)  # between the clocks of two telephonies


def listing(kind: EntityKind, where: Mapping[str, Any]) -> Command:
    """The newest fifty that pass a filter; phones come with `*` alone."""
    params = {
        "entityTypeId": TYPES[kind],
        "filter": where,
        "select": ["*"],
        "order": {"id": "DESC"},
        **AS_NAMED,
    }
    return "crm.item.list", params


def any_of(field: str, numbers: Iterable[int]) -> dict[str, list[int]]:
    """The filter of these numbers; empty if there are none, and then nothing may be asked: it would
    pass all.
    """
    wanted = sorted(numbers)
    return {f"@{field}": wanted} if wanted else {}


def doubles(kind: EntityKind, phone: str) -> Command:
    """Items with this phone, by an index that knows 8 and +7 for one, but not before 800 and 812:
    ask for all.
    """
    values = [phone, *spellings(phone)]
    return "crm.duplicate.findbycomm", {
        "type": "PHONE",
        "values": values,
        "entity_type": kind.upper(),
    }


def doubled(said: Any, kind: EntityKind) -> set[int]:
    """What `doubles` found."""
    numbers = mapping(said).get(kind.upper())
    return {number(id_) for id_ in numbers} - {0} if isinstance(numbers, list) else set()


def records(phone: str) -> Command:
    """The newest fifty finished calls from this phone; `is_of` compares when they were."""
    where = {"PHONE_NUMBER": [phone, *spellings(phone)], "CALL_TYPE": _INCOMING}
    return "voximplant.statistic.get", {"FILTER": where, "SORT": "ID", "ORDER": "DESC"}


def is_of(record: Mapping[str, Any], call: CallEvent) -> bool:
    """Whether this is the same call in their telephony, by phone and time."""
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
    """The newest fifty calls in the timeline of an item."""
    bound = [{"OWNER_TYPE_ID": TYPES[ref.kind], "OWNER_ID": key(ref)}]
    where = {"TYPE_ID": _CALL, "BINDINGS": bound}
    shown = ["ID", "DIRECTION", "START_TIME", "END_TIME"]
    return "crm.activity.list", {"filter": where, "select": shown, "order": {"ID": "DESC"}}


def is_activity_of(activity: Mapping[str, Any], call: CallEvent) -> bool:
    """Whether this is the activity of the call: an incoming one at that time."""
    began = moment(activity.get("START_TIME"))
    ended = moment(activity.get("END_TIME")) or began
    if began is None or ended is None or number(activity.get("DIRECTION")) != _INCOMING_ACTIVITY:
        return False
    return began <= call.ended_at + _SKEW and ended >= call.arrived_at - _SKEW


def read_item(
    kind: EntityKind, row: Mapping[str, Any], field: str, user: str, exact: Linked
) -> Found:
    """An item as it was listed. It is `exact` if `exact` names it or, for a deal, whose it is or
    which lead it was.
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
    """The fields of an item that is to be created."""
    kind, call = draft.kind, draft.call
    fields: dict[str, Any] = {
        "name" if kind is EntityKind.CONTACT else "title": draft.title,
        "originatorId": ORIGIN,
        "originId": call.id,
        "opened": "Y",
        **{f"utm{name.title()}": call.facts[name] for name in _UTM if name in call.facts},
        **{
            f"{owner}Id": key(draft.links[owner]) for owner in _OWNERS[kind] if owner in draft.links
        },
    }
    if kind is not EntityKind.COMPANY:
        fields["sourceId"] = "CALL"
    if kind in {EntityKind.LEAD, EntityKind.DEAL}:
        fields["comments"] = without_codes(draft.text)
    if kind is EntityKind.DEAL:
        fields["categoryId"] = given(category, "the option 'category' of this connection")
    elif call.caller:
        fields["fm"] = [{"typeId": "PHONE", "valueType": "WORK", "value": call.caller}]
    if draft.responsible:
        fields["assignedById"] = given(draft.responsible, "the user in the rule 'responsible'")
    return {**fields, **draft.values}


def trace(call: CallEvent) -> dict[str, Any]:
    """The visit as the portal's own script on the site would report it."""
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
        "client": {name: text for name, text in client.items() if text},
    }


def without_codes(text: str) -> str:
    """What visitors brought along must not become a link: comments are read as BBCode."""
    return text.replace("[", "(").replace("]", ")")


def identity(row: Mapping[str, Any]) -> str:
    """The item's id. Raises `ReceiverUnavailable` where there is none."""
    if not number(row.get("id")):
        raise ReceiverUnavailable(AnswerCode.INCOMPLETE_ANSWER, system="Bitrix24", missing="id")
    return str(number(row.get("id")))


def key(ref: Ref) -> int:
    """The number of an item. Raises `Refused` if it is not a number."""
    if not number(ref.id):
        raise Refused(SettingCode.NO_SUCH_ID, found=ref.id, kind=ref.kind.value, system="Bitrix24")
    return number(ref.id)


def number(value: Any) -> int:
    """A number, which Bitrix24 also shows as text; 0 for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def moment(value: Any) -> datetime | None:
    """A moment with its zone."""
    try:
        at = datetime.fromisoformat(str(value))
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def given(text: str, what: str) -> int:
    """A number that a person gave. Raises `Refused`."""
    if not (text.isascii() and text.isdigit()):
        raise Refused(SettingCode.NOT_A_NUMBER, name=what, found=text, system="Bitrix24")
    return int(text)
