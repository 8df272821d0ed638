"""What amoCRM's API v4 takes, field by field; everything else is refused as its validation refuses
it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
# name → types, or the schema of a dict, or [schema] of the rows of a list
Schema = Mapping[str, Any]

LINK = {"id": int, "is_main": bool}
TAG = {"id": int, "name": str}
VALUE = {
    "field_id": int,
    "field_code": str,
    "field_name": str,
    "values": [{"value": (str, int, float, bool), "enum_id": int, "enum_code": str}],
}
STAMPS = dict.fromkeys(
    ("created_by", "updated_by", "created_at", "updated_at", "responsible_user_id"), int
)
COMMON = {
    "name": str,
    "custom_fields_values": [VALUE],
    "request_id": str,
    "tags_to_add": [TAG],
    **STAMPS,
}
CONTACT = {**COMMON, "first_name": str, "last_name": str, "_embedded": {"tags": [TAG]}}
COMPANY = {**COMMON, "_embedded": {"tags": [TAG]}}
LEAD = {
    **COMMON,
    **dict.fromkeys(("price", "status_id", "pipeline_id", "loss_reason_id", "closed_at"), int),
    "visitor_uid": str,
    "_embedded": {"contacts": [LINK], "companies": [{"id": int}], "tags": [TAG]},
}
COMPLEX = {
    **LEAD,
    "_embedded": {
        "contacts": [{**CONTACT, "id": int}],
        "companies": [{**COMPANY, "id": int}],
        "tags": [TAG],
    },
}
SIP = {
    **dict.fromkeys(("request_id", "source_name", "source_uid"), str),
    **dict.fromkeys(("pipeline_id", "created_at"), int),
    "metadata": {
        **dict.fromkeys(("from", "link", "service_code", "uniq"), str),
        **dict.fromkeys(("called_at", "duration"), int),
        **dict.fromkeys(("phone", "call_responsible"), (str, int)),
        "is_call_event_needed": bool,
    },
    "_embedded": {
        "leads": [{**LEAD, "_embedded": {"tags": [TAG]}}],
        "contacts": [{**CONTACT, "id": int}],
        "companies": [{**COMPANY, "id": int}],
    },
}
NOTE = {
    **dict.fromkeys(("note_type", "request_id"), str),
    **dict.fromkeys(("created_by", "responsible_user_id", "created_at"), int),
    "params": {
        **dict.fromkeys(("text", "uniq", "source", "link", "phone", "call_result"), str),
        **dict.fromkeys(("duration", "call_status"), int),
        "call_responsible": (str, int),
    },
}
NOTE_NEEDS = {"common": {"text"}, "call_in": {"uniq", "duration", "source", "link", "phone"}}
FIELD = {
    **dict.fromkeys(("type", "name", "code", "group_id", "tracking_callback", "request_id"), str),
    **dict.fromkeys(("is_api_only", "is_required"), bool),
    "sort": int,
}
CALL = {
    **dict.fromkeys(("uniq", "source", "link", "phone", "call_result", "direction"), str),
    **dict.fromkeys(
        ("duration", "call_status", "created_at", "responsible_user_id", "created_by"), int
    ),
    "call_responsible": (str, int),
}
TASK = {
    **dict.fromkeys(("text", "entity_type", "request_id"), str),
    **dict.fromkeys(("complete_till", "entity_id", "task_type_id", "responsible_user_id"), int),
}
JOINT = {"to_entity_id": int, "to_entity_type": str, "metadata": {"main_contact": bool}}
ENTITIES: Mapping[str, Schema] = {"leads": LEAD, "contacts": CONTACT, "companies": COMPANY}
ORDERS = {
    "leads": {"created_at", "updated_at", "id"},
    "contacts": {"updated_at", "id"},
    "companies": {"updated_at", "id"},
    "unsorted": {"created_at", "updated_at"},
    "notes": {"updated_at", "id"},
}
FILTERS = {  # of an account that has no enrolment for more
    "leads": {"filter[id][]"},
    "contacts": {"filter[id][]"},
    "companies": {"filter[id][]"},
    "unsorted": {"filter[uid]", "filter[category][]", "filter[pipeline_id]"},
    "notes": {
        "filter[id][]",
        "filter[note_type][]",
        "filter[updated_at][from]",
        "filter[updated_at][to]",
    },
    "custom_fields": {"filter[type][]"},
    "pipelines": set(),
    "users": set(),
    "tasks": {"filter[entity_type]", "filter[entity_id][]"},
}


@dataclass
class Refusal(Exception):
    """The server says no; `path` and `code` as in its validation errors."""

    status: int
    title: str
    path: str = ""
    code: str = ""
    detail: str = ""


def check(row: Any, schema: Schema, path: str = "") -> Row:
    """The row, if the schema knows each of its fields. Raises `Refusal`."""
    if not isinstance(row, dict):
        raise invalid(path, "InvalidType", "This value should be of type object.")
    for name, value in row.items():
        where = f"{path}.{name}".lstrip(".")
        if name not in schema:
            raise invalid(where, "NotExpected", "This field was not expected.")
        wanted = schema[name]
        if isinstance(wanted, Mapping):
            check(value, wanted, where)
        elif isinstance(wanted, list):
            if value is None and name == "values":
                continue  # empties the field
            if not isinstance(value, list):
                raise invalid(where, "InvalidType", "This value should be of type array.")
            for at, item in enumerate(value):
                check(item, wanted[0], f"{where}.{at}")
        elif not isinstance(value, wanted) or (isinstance(value, bool) and not _takes_bool(wanted)):
            raise invalid(
                where,
                "InvalidType",
                f"This value should be of another type than {type(value).__name__}.",
            )
    return row


def invalid(path: str, code: str, detail: str) -> Refusal:
    return Refusal(400, "Bad Request", path, code, detail)


def _takes_bool(wanted: Any) -> bool:
    return wanted is bool or (isinstance(wanted, tuple) and bool in wanted)
