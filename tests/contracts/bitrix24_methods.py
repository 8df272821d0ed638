"""The methods of Bitrix24 that a contract server knows: what each takes, and what it gives."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.contracts import bitrix24_portal as portals
from tests.contracts.bitrix24_portal import NAMES, PAGE, TYPES, Breach, Portal, Problem, whole

_OPERATORS = ("!@", ">=", "<=", "!=", "@", "%", ">", "<", "=", "!")
_FEW = {
    "profile": (),
    "scope": (),
    "crm.settings.mode.get": (),
    "batch": ("halt", "cmd"),
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
        "USER_ID",
        "PHONE_NUMBER",
        "TYPE",
        "CRM_CREATE",
        "EXTERNAL_CALL_ID",
    ),
    "telephony.externalCall.finish": ("CALL_ID", "USER_ID", "DURATION"),
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


class Methods:
    """All of them, over one portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def run(self, method: str, params: Mapping[str, Any], *, application: bool) -> dict[str, Any]:
        """`result`, and for lists `total` and `next`."""
        if method not in _FEW:
            raise Breach("no such method", 404, "ERROR_METHOD_NOT_FOUND")
        room = (
            "telephony"
            if method.startswith(("voximplant", "telephony"))
            else method.partition(".")[0]
        )
        if room in {"crm", "telephony"} and room not in self.portal.scopes:
            raise Problem(403, "insufficient_scope", "The request requires higher privileges")
        if method.startswith("telephony") and not application:
            raise Problem(
                403, "WRONG_AUTH_TYPE", "Current authorization type is denied for this method"
            )
        demand(method, params)
        if "userfield" in method:
            return {"result": self._user_fields(method, params)}
        run: Callable[..., Any] = getattr(self, "_" + method.replace(".", "_"))
        said = run(params)
        return said if isinstance(said, dict) and "total" in said else {"result": said}

    def _profile(self, _: Mapping[str, Any]) -> Any:
        return {"ID": str(self.portal.user), "ADMIN": True}

    def _scope(self, _: Mapping[str, Any]) -> Any:
        return sorted(self.portal.scopes)

    def _crm_settings_mode_get(self, _: Mapping[str, Any]) -> Any:
        return 1 if self.portal.with_leads else 2

    def _crm_item_add(self, params: Mapping[str, Any]) -> Any:
        kind, by = _kind(params), self.portal.user
        number = self.portal.add(kind, _spelt(params, params.get("fields", {})), by=by)
        return {"item": _shown(params, self.portal.get(kind, number))}

    def _crm_item_update(self, params: Mapping[str, Any]) -> Any:
        kind, number = _kind(params), whole(params.get("id"), "id")
        self.portal.update(kind, number, _spelt(params, params.get("fields", {})))
        return {"item": _shown(params, self.portal.get(kind, number))}

    def _crm_item_get(self, params: Mapping[str, Any]) -> Any:
        return {
            "item": _shown(params, self.portal.get(_kind(params), whole(params.get("id"), "id")))
        }

    def _crm_item_fields(self, params: Mapping[str, Any]) -> Any:
        kind = _kind(params)
        names = portals.TAKEN[kind] | portals.SHOWN | self.portal.user_fields[kind]
        return {"fields": _shown(params, {name: {"type": "string"} for name in names})}

    def _crm_item_list(self, params: Mapping[str, Any]) -> Any:
        kind, select = _kind(params), params.get("select", ["*"])
        if "fm" in select:
            raise Breach("fm is no field to select: it comes with *")
        conditions = [_condition(name, value) for name, value in params.get("filter", {}).items()]
        for name in [one[1] for one in conditions] + list(params.get("order", {})):
            if not self.portal.knows(kind, name):
                raise Problem(
                    400,
                    "INVALID_ARG_VALUE",
                    f"Invalid filter: field '{name}' is not allowed in filter",
                )
        found = [
            one
            for one in self.portal.items[kind].values()
            if all(_passes(one, *each) for each in conditions)
        ]
        for name, way in reversed(params.get("order", {}).items()):
            found.sort(key=lambda one: one.get(name), reverse=way == "DESC")
        page = _page([_shown(params, one) for one in found], params)
        if "*" not in select:
            page["result"] = [
                {name: one.get(name) for name in {"id", *select}} for one in page["result"]
            ]
        return {**page, "result": {"items": page["result"]}}

    def _crm_duplicate_findbycomm(self, params: Mapping[str, Any]) -> Any:
        if params.get("type") != "PHONE" or not params.get("values"):
            raise Problem(400, "Communication type is not defined", "Parameter 'type' is required.")
        kind = params.get("entity_type")
        if kind is not None and (
            kind != kind.upper() or kind.lower() not in {"lead", "contact", "company"}
        ):
            raise Breach(f"entity_type may not be {kind!r}")
        kinds = [TYPES[kind.lower()]] if kind else [portals.LEAD, portals.CONTACT, portals.COMPANY]
        return self.portal.doubles(params["values"], kinds) or []

    def _crm_timeline_comment_add(self, params: Mapping[str, Any]) -> Any:
        fields = params.get("fields", {})
        if not fields.get("COMMENT"):
            raise Problem(400, "INVALID_ARG_VALUE", "Empty comment")
        kind, number = self._place(fields)
        comment = {
            "ID": str(self.portal.number()),
            "kind": kind,
            "number": number,
            "COMMENT": fields["COMMENT"],
        }
        self.portal.comments.append(comment)
        return int(comment["ID"])

    def _crm_timeline_comment_list(self, params: Mapping[str, Any]) -> Any:
        if set(params.get("filter", {})) != {"ENTITY_ID", "ENTITY_TYPE"} or not {
            *params.get("order", {})
        } <= {"ID"}:
            raise Breach("comments are found by ENTITY_ID and ENTITY_TYPE, and no other way")
        place = self._place(params["filter"])
        found = [one for one in self.portal.comments if (one["kind"], one["number"]) == place]
        return _page(found[::-1] if params.get("order", {}).get("ID") == "DESC" else found, params)

    def _place(self, fields: Mapping[str, Any]) -> tuple[int, int]:
        if fields.get("ENTITY_TYPE") not in TYPES:
            raise Breach(f"ENTITY_TYPE may not be {fields.get('ENTITY_TYPE')!r}")
        kind, number = TYPES[fields["ENTITY_TYPE"]], whole(fields.get("ENTITY_ID"), "ENTITY_ID")
        if number not in self.portal.items[kind]:
            raise Problem(400, "OWNER_NOT_FOUND", "Owner was not found")
        return kind, number

    def _crm_tracking_trace_add(self, params: Mapping[str, Any]) -> Any:
        try:
            trace = json.loads(params["TRACE"])
        except (KeyError, TypeError, ValueError):
            raise Problem(400, "ERROR_CORE", "Can not parse JSON in parameter `TRACE`.") from None
        places = [
            self._place({"ENTITY_TYPE": one["TYPE"].lower(), "ENTITY_ID": one["ID"]})
            for one in params["ENTITIES"]
        ]
        self.portal.traces.append({"trace": trace, "entities": places})
        return self.portal.number()

    def _crm_activity_binding_list(self, params: Mapping[str, Any]) -> Any:
        bound = self.portal.bindings.get(whole(params.get("activityId"), "activityId"))
        if bound is None:
            raise Problem(400, "NOT_FOUND", "Element not found")
        return [{"entityTypeId": kind, "entityId": number} for kind, number in bound]

    def _crm_activity_list(self, params: Mapping[str, Any]) -> Any:
        wanted = params.get("filter", {})
        if set(wanted) != {"TYPE_ID", "BINDINGS"} or not isinstance(wanted["BINDINGS"], list):
            raise Breach(f"activities are not found by {wanted!r}")
        places = {(int(one["OWNER_TYPE_ID"]), int(one["OWNER_ID"])) for one in wanted["BINDINGS"]}
        found = [
            one
            for one in self.portal.activities
            if one["TYPE_ID"] == str(wanted["TYPE_ID"])
            and places & set(self.portal.bindings[int(one["ID"])])
        ]
        return _page(found[::-1] if params.get("order", {}).get("ID") == "DESC" else found, params)

    def _voximplant_statistic_get(self, params: Mapping[str, Any]) -> Any:
        if not self.portal.sees_statistics:
            raise Problem(403, "ACCESS_DENIED", "Access denied!")
        known = {"ID", "CALL_ID", "PHONE_NUMBER", "CALL_TYPE", "CALL_START_DATE"}
        conditions = [_condition(name, value) for name, value in params.get("FILTER", {}).items()]
        if not {name for _, name, _ in conditions} <= known or params.get(
            "SORT", "ID"
        ) not in known - {"CALL_TYPE"}:
            raise Breach(f"statistics are not found by {params!r}")
        found = [
            one for one in self.portal.statistics if all(_passes(one, *each) for each in conditions)
        ]
        return _page(found[::-1] if params.get("ORDER") == "DESC" else found, params)

    def _telephony_externalCall_register(self, params: Mapping[str, Any]) -> Any:
        user, create = whole(params.get("USER_ID"), "USER_ID"), params.get("CRM_CREATE") == 1
        external = params.get("EXTERNAL_CALL_ID", "")
        call = self.portal.register(
            params["PHONE_NUMBER"], user=user, create=create, external=external
        )
        return {name: call[name] for name in ("CALL_ID", "CRM_ENTITY_TYPE", "CRM_ENTITY_ID")}

    def _telephony_externalCall_finish(self, params: Mapping[str, Any]) -> Any:
        return self.portal.finish(params["CALL_ID"], whole(params.get("DURATION", 0), "DURATION"))

    def _user_fields(self, method: str, params: Mapping[str, Any]) -> Any:
        kind, given = TYPES[method.split(".")[1]], params.get("fields")
        if given is None:
            wanted = params.get("filter", {}).get("FIELD_NAME")
            return [
                {"FIELD_NAME": name}
                for name in sorted(self.portal.user_fields[kind])
                if wanted in {None, name}
            ]
        name = "UF_CRM_" + re.sub(r"^(UF_CRM_|UF_)", "", given["FIELD_NAME"].upper())
        taken = name in self.portal.user_fields[kind]
        if (
            taken
            or given.get("USER_TYPE_ID") != "string"
            or not re.fullmatch(r"[A-Z0-9_]{8,50}", name)
        ):
            raise Problem(400, "ERROR_CORE", f"The field {name} cannot be added")
        self.portal.user_fields[kind].add(name)
        return self.portal.number()


def demand(method: str, params: Mapping[str, Any]) -> None:
    for name, value in params.items():
        if name not in _FEW[method]:
            raise Breach(f"{method} has no parameter {name}")
        if name in _OBJECTS and not (isinstance(value, dict) or value == []):
            raise Breach(f"{name} has to be an object")
        if name in _LISTS and not isinstance(value, list):
            raise Breach(f"{name} has to be a list")
        if name in _NUMBERS:
            whole(value, name)


def _kind(params: Mapping[str, Any]) -> int:
    kind = whole(params.get("entityTypeId"), "entityTypeId")
    if kind not in NAMES:
        raise Problem(400, "NOT_FOUND", "Smart process not found")
    return kind


def _spelt(params: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Names of user fields as they came: their own ones are understood where that was asked for."""
    own = params.get("useOriginalUfNames") == "Y"
    return {
        name if own or not name.startswith("UF_") else f"?{name}": value
        for name, value in fields.items()
    }


def _shown(params: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    own = params.get("useOriginalUfNames") == "Y"
    return {
        name if own or not name.startswith("UF_") else _camel(name): value
        for name, value in item.items()
    }


def _camel(name: str) -> str:
    first, *rest = name.lower().split("_")
    return first + "".join(part.title() for part in rest)


def _condition(name: str, value: Any) -> tuple[str, str, Any]:
    operator = next((one for one in _OPERATORS if name.startswith(one)), "")
    if operator in {"@", "!@"} and not isinstance(value, list):
        raise Breach(f"{name} takes a list")
    if (
        name.endswith(("createdTime", "CALL_START_DATE"))
        and datetime.fromisoformat(value).tzinfo is None
    ):
        raise Breach(f"{name} without a zone")
    return operator, name.removeprefix(operator), value


def _passes(item: Mapping[str, Any], operator: str, name: str, wanted: Any) -> bool:
    if name in {"createdTime", "CALL_START_DATE"}:
        at, limit = datetime.fromisoformat(item[name]), datetime.fromisoformat(wanted)
        return {">=": at >= limit, "<=": at <= limit, ">": at > limit, "<": at < limit}[operator]
    stands = str(item.get(name, ""))
    if operator in {"", "=", "@"}:
        return stands in {str(one) for one in (wanted if isinstance(wanted, list) else [wanted])}
    raise Breach(f"{operator}{name} is more than this server knows")


def _page(found: list[Any], params: Mapping[str, Any]) -> dict[str, Any]:
    start = whole(params.get("start", 0), "start")
    more = {"next": start + PAGE} if start + PAGE < len(found) else {}
    return {"result": found[start : start + PAGE], "total": len(found), **more}
