"""How Bitrix24 reads a request: which parameters each method takes, filters, pages, names."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.contracts.bitrix24_portal import NAMES, PAGE, TYPES, Breach, Problem, whole

_OPERATORS = ("!@", ">=", "<=", "!=", "@", "%", ">", "<", "=", "!")


METHODS = {
    "profile": (),
    "scope": (),
    "crm.settings.mode.get": (),
    "batch": ("halt", "cmd"),
    "user.get": ("FILTER", "start"),
    "crm.category.list": ("entityTypeId",),
    "crm.item.add": ("entityTypeId", "fields", "useOriginalUfNames"),
    "crm.item.update": ("entityTypeId", "id", "fields", "useOriginalUfNames"),
    "crm.item.get": ("entityTypeId", "id", "useOriginalUfNames"),
    "crm.item.fields": ("entityTypeId", "useOriginalUfNames"),
    "crm.item.list": ("entityTypeId", "select", "filter", "order", "start", "useOriginalUfNames"),
    "crm.duplicate.findbycomm": ("type", "values", "entity_type"),
    "crm.timeline.comment.add": ("fields",),
    "crm.timeline.comment.list": ("filter", "select", "order", "start"),
    "crm.tracking.trace.add": ("TRACE", "ENTITIES"),
    "crm.activity.binding.list": ("activityId",),
    "crm.activity.list": ("filter", "select", "order", "start"),
    "voximplant.statistic.get": ("FILTER", "SORT", "ORDER", "start"),
    "telephony.externalCall.register": (
        *("USER_ID", "PHONE_NUMBER", "TYPE", "CRM_CREATE", "EXTERNAL_CALL_ID", "SHOW"),
        *("CALL_START_DATE", "CRM_ENTITY_TYPE", "CRM_ENTITY_ID"),
    ),
    "telephony.externalCall.finish": ("CALL_ID", "USER_ID", "DURATION", "STATUS_CODE"),
    "telephony.externalCall.attachRecord": ("CALL_ID", "FILENAME", "RECORD_URL"),
    "crm.activity.todo.add": (
        *("ownerTypeId", "ownerId", "deadline", "title", "description", "responsibleId"),
    ),
    **{f"crm.{name}.userfield.list": ("filter", "order") for name in TYPES},
    **{f"crm.{name}.userfield.add": ("fields",) for name in TYPES},
}


_OBJECTS = {"fields", "filter", "order", "FILTER"}


_LISTS = {"select", "values", "ENTITIES"}


_NUMBERS = {
    "entityTypeId",
    "id",
    "start",
    "activityId",
    "USER_ID",
    "DURATION",
    "TYPE",
    "CRM_CREATE",
}


def demand(method: str, params: Mapping[str, Any]) -> None:
    for name, value in params.items():
        if name not in METHODS[method]:
            raise Breach(f"{method} has no parameter {name}")
        if name in _OBJECTS and not (isinstance(value, dict) or value == []):
            raise Breach(f"{name} has to be an object")
        if name in _LISTS and not isinstance(value, list):
            raise Breach(f"{name} has to be a list")
        if name in _NUMBERS:
            whole(value, name)


def kind_of(params: Mapping[str, Any]) -> int:
    kind = whole(params.get("entityTypeId"), "entityTypeId")
    if kind not in NAMES:
        raise Problem(400, "NOT_FOUND", "Smart process not found")
    return kind


def spelt(params: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Names of user fields as they came: their own ones are understood where that was asked for."""
    own = params.get("useOriginalUfNames") == "Y"
    return {
        name if own or not name.startswith("UF_") else f"?{name}": value
        for name, value in fields.items()
    }


def shown_item(params: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    own = params.get("useOriginalUfNames") == "Y"
    return {
        name if own or not name.startswith("UF_") else _camel(name): value
        for name, value in item.items()
    }


def _camel(name: str) -> str:
    first, *rest = name.lower().split("_")
    return first + "".join(part.title() for part in rest)


def condition(name: str, value: Any) -> tuple[str, str, Any]:
    operator = next((operator for operator in _OPERATORS if name.startswith(operator)), "")
    if operator in {"@", "!@"} and not isinstance(value, list):
        raise Breach(f"{name} takes a list")
    if (
        name.endswith(("createdTime", "CALL_START_DATE"))
        and datetime.fromisoformat(value).tzinfo is None
    ):
        raise Breach(f"{name} without a zone")
    return operator, name.removeprefix(operator), value


def passes(item: Mapping[str, Any], operator: str, name: str, wanted: Any) -> bool:
    if name in {"createdTime", "CALL_START_DATE"}:
        at, limit = datetime.fromisoformat(item[name]), datetime.fromisoformat(wanted)
        return {">=": at >= limit, "<=": at <= limit, ">": at > limit, "<": at < limit}[operator]
    stands = str(item.get(name, ""))
    if operator in {"", "=", "@"}:
        return stands in {
            str(value) for value in (wanted if isinstance(wanted, list) else [wanted])
        }
    raise Breach(f"{operator}{name} is more than this server knows")


def page_of(found: list[Any], params: Mapping[str, Any]) -> dict[str, Any]:
    start = whole(params.get("start", 0), "start")
    more = {"next": start + PAGE} if start + PAGE < len(found) else {}
    return {"result": found[start : start + PAGE], "total": len(found), **more}
