"""The methods of Bitrix24 that a contract server knows: what each takes, and what it gives."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.contracts import bitrix24_portal as portals
from tests.contracts.bitrix24_asked import (
    METHODS,
    condition,
    demand,
    kind_of,
    page_of,
    passes,
    shown_item,
    spelt,
)
from tests.contracts.bitrix24_portal import TYPES, Breach, Portal, Problem, whole

_FIELD = {"type": "string", "isRequired": False, "isReadOnly": False, "title": ""}


class Methods:
    """All of them, over one portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def run(self, method: str, params: Mapping[str, Any], *, application: bool) -> dict[str, Any]:
        """`result`, and for lists `total` and `next`."""
        if method not in METHODS:
            raise Breach("no such method", 404, "ERROR_METHOD_NOT_FOUND")
        room = (
            "telephony"
            if method.startswith(("voximplant", "telephony"))
            else method.partition(".")[0]
        )
        if room in {"crm", "telephony", "user"} and room not in self.portal.scopes:
            raise Problem(403, "insufficient_scope", "The request requires higher privileges")
        if method.startswith("telephony") and not application and self.portal.calls_by_apps_alone:
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
        kind, by = kind_of(params), self.portal.user
        if params.get("fields", {}).get("categoryId", 0) not in self.portal.categories:
            raise Problem(400, "NOT_FOUND", "Category is not found")
        number = self.portal.add(kind, spelt(params, params.get("fields", {})), by=by)
        return {"item": shown_item(params, self.portal.get(kind, number))}

    def _crm_item_update(self, params: Mapping[str, Any]) -> Any:
        kind, number = kind_of(params), whole(params.get("id"), "id")
        self.portal.update(kind, number, spelt(params, params.get("fields", {})))
        return {"item": shown_item(params, self.portal.get(kind, number))}

    def _crm_item_get(self, params: Mapping[str, Any]) -> Any:
        return {
            "item": shown_item(
                params, self.portal.get(kind_of(params), whole(params.get("id"), "id"))
            )
        }

    def _crm_item_fields(self, params: Mapping[str, Any]) -> Any:
        kind = kind_of(params)
        names = portals.TAKEN[kind] | portals.SHOWN | self.portal.user_fields[kind]
        shown = {name: {**_FIELD, **self.portal.described.get((kind, name), {})} for name in names}
        return {"fields": shown_item(params, shown)}

    def _crm_category_list(self, _: Mapping[str, Any]) -> Any:
        every = self.portal.categories.items()
        return {"categories": [{"id": number, "name": name} for number, name in every]}

    def _user_get(self, params: Mapping[str, Any]) -> Any:
        wanted = {whole(id_, "ID") for id_ in params["FILTER"]["ID"]}
        return page_of(
            [
                {"ID": str(user), "NAME": f"User {user}", "ACTIVE": active}
                for user, active in self.portal.users.items()
                if user in wanted
            ],
            params,
        )

    def _crm_item_list(self, params: Mapping[str, Any]) -> Any:
        kind, select = kind_of(params), params.get("select", ["*"])
        if "fm" in select:
            raise Breach("fm is no field to select: it comes with *")
        conditions = [condition(name, value) for name, value in params.get("filter", {}).items()]
        for name in [place[1] for place in conditions] + list(params.get("order", {})):
            if not self.portal.knows(kind, name):
                raise Problem(
                    400,
                    "INVALID_ARG_VALUE",
                    f"Invalid filter: field '{name}' is not allowed in filter",
                )
        found = [
            item
            for item in self.portal.items[kind].values()
            if all(passes(item, *each) for each in conditions)
        ]
        for name, way in reversed(params.get("order", {}).items()):
            found.sort(key=lambda item: item.get(name), reverse=way == "DESC")
        page = page_of([shown_item(params, item) for item in found], params)
        if "*" not in select:
            page["result"] = [
                {name: item.get(name) for name in {"id", *select}} for item in page["result"]
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
        found = [
            comment
            for comment in self.portal.comments
            if (comment["kind"], comment["number"]) == place
        ]
        return page_of(
            found[::-1] if params.get("order", {}).get("ID") == "DESC" else found, params
        )

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
            self._place({"ENTITY_TYPE": entity["TYPE"].lower(), "ENTITY_ID": entity["ID"]})
            for entity in params["ENTITIES"]
        ]
        self.portal.traces.append({"trace": trace, "entities": places})
        return self.portal.number()

    def _crm_activity_binding_list(self, params: Mapping[str, Any]) -> Any:
        bound = self.portal.bindings.get(whole(params.get("activityId"), "activityId"))
        if bound is None:
            raise Problem(400, "NOT_FOUND", "Element not found")
        return [{"entityTypeId": kind, "entityId": number} for kind, number in bound]

    def _crm_activity_todo_add(self, params: Mapping[str, Any]) -> Any:
        kind, item = (
            kind_of({"entityTypeId": params["ownerTypeId"]}),
            whole(params["ownerId"], "id"),
        )
        user = params.get("responsibleId", self.portal.user)
        self.portal.get(kind, item)
        if self.portal.users.get(user) is not True or not params.get("deadline"):
            raise Problem(400, "CAN_NOT_ADD_ACTIVITY", "Responsible or deadline is wrong")
        about = {"ID": str(self.portal.number()), "DESCRIPTION": params["description"]}
        self.portal.todos.append({**params, **about, "responsibleId": user})
        return {"id": int(about["ID"])}

    def _crm_activity_list(self, params: Mapping[str, Any]) -> Any:
        wanted = params.get("filter", {})
        if set(wanted) == {"OWNER_TYPE_ID", "OWNER_ID", "PROVIDER_ID"}:
            place = (wanted["OWNER_TYPE_ID"], wanted["OWNER_ID"])
            mine = [
                todo
                for todo in self.portal.todos
                if (todo["ownerTypeId"], todo["ownerId"]) == place
            ]
            return page_of(mine[::-1], params)
        if set(wanted) != {"TYPE_ID", "BINDINGS"} or not isinstance(wanted["BINDINGS"], list):
            raise Breach(f"activities are not found by {wanted!r}")
        places = {
            (int(binding["OWNER_TYPE_ID"]), int(binding["OWNER_ID"]))
            for binding in wanted["BINDINGS"]
        }
        found = [
            activity
            for activity in self.portal.activities
            if activity["TYPE_ID"] == str(wanted["TYPE_ID"])
            and places & set(self.portal.bindings[int(activity["ID"])])
        ]
        return page_of(
            found[::-1] if params.get("order", {}).get("ID") == "DESC" else found, params
        )

    def _voximplant_statistic_get(self, params: Mapping[str, Any]) -> Any:
        if not self.portal.sees_statistics:
            raise Problem(403, "ACCESS_DENIED", "Access denied!")
        known = {"ID", "CALL_ID", "PHONE_NUMBER", "CALL_TYPE", "CALL_START_DATE"}
        conditions = [condition(name, value) for name, value in params.get("FILTER", {}).items()]
        if not {name for _, name, _ in conditions} <= known or params.get(
            "SORT", "ID"
        ) not in known - {"CALL_TYPE"}:
            raise Breach(f"statistics are not found by {params!r}")
        found = [
            statistic
            for statistic in self.portal.statistics
            if all(passes(statistic, *each) for each in conditions)
        ]
        return page_of(found[::-1] if params.get("ORDER") == "DESC" else found, params)

    def _telephony_externalCall_register(self, params: Mapping[str, Any]) -> Any:
        user, create = whole(params.get("USER_ID"), "USER_ID"), params.get("CRM_CREATE") == 1
        external = params.get("EXTERNAL_CALL_ID", "")
        at = params.get("CALL_START_DATE")
        call = self.portal.register(
            params["PHONE_NUMBER"],
            user=user,
            create=create,
            external=external,
            at=datetime.fromisoformat(at) if at else None,
        )
        return {name: call[name] for name in ("CALL_ID", "CRM_ENTITY_TYPE", "CRM_ENTITY_ID")}

    def _telephony_externalCall_finish(self, params: Mapping[str, Any]) -> Any:
        return self.portal.finish(params["CALL_ID"], whole(params.get("DURATION", 0), "DURATION"))

    def _telephony_externalCall_attachRecord(self, params: Mapping[str, Any]) -> Any:
        ended = {call["CALL_ID"] for call in self.portal.ringing.values() if call["finished"]}
        if params.get("CALL_ID") not in ended:
            raise Problem(400, "ERROR_CORE", "Call is not found")
        if not params.get("FILENAME", "").endswith((".mp3", ".wav")):
            raise Problem(400, "ERROR_CORE", "Wrong file extension")
        self.portal.recordings[params["CALL_ID"]] = params["RECORD_URL"]
        return {"FILE_ID": self.portal.number()}

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
