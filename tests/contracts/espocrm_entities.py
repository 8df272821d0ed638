"""The fields of EspoCRM's entity types that our tests touch, as its own metadata defines them."""

import re
from typing import Any

Row = dict[str, Any]
STAGES = {
    "Prospecting": 10, "Qualification": 20, "Proposal": 50, "Negotiation": 80, "Closed Won": 100,
    "Closed Lost": 0,
}  # fmt: skip
_NAME = "[^<>=]+"
_LAST_NAME = {"type": "varchar", "maxLength": 100, "pattern": _NAME}
_COMMON: dict[str, Row] = {
    "createdAt": {"type": "datetime", "readOnly": True},
    "description": {"type": "text"},
    "assignedUser": {"type": "link", "entity": "User"},
}
_PERSON: dict[str, Row] = {
    **_COMMON, "name": {"type": "personName"}, "phoneNumber": {"type": "phone"},
}  # fmt: skip
_OF_RECORDS: dict[str, Row] = {
    **_COMMON,
    "name": {"type": "varchar", "required": True, "pattern": _NAME},
    "parent": {"type": "linkParent"},
    "assignedUser": {"type": "link", "entity": "User", "required": True},
}
ENTITIES: dict[str, dict[str, Row]] = {
    "Contact": {
        **_PERSON,
        "lastName": {**_LAST_NAME, "required": True},
        "account": {"type": "link", "entity": "Account"},
    },
    "Account": {
        **_COMMON,
        "name": {"type": "varchar", "maxLength": 249, "required": True, "pattern": _NAME},
        "phoneNumber": {"type": "phone"},
    },
    "Lead": {
        **_PERSON,
        "lastName": _LAST_NAME,
        "status": {
            "type": "enum",
            "options": ["New", "Assigned", "In Process", "Converted", "Recycled", "Dead"],
            "default": "New",
            "notActualOptions": ["Converted", "Recycled", "Dead"],
        },
        "createdContact": {"type": "link", "entity": "Contact"},
        "createdAccount": {"type": "link", "entity": "Account"},
        "createdOpportunity": {"type": "link", "entity": "Opportunity"},
    },
    "Opportunity": {
        **_COMMON,
        "name": {"type": "varchar", "required": True, "pattern": _NAME},
        "amount": {"type": "currency", "required": True},
        "account": {"type": "link", "entity": "Account"},
        "contacts": {"type": "linkMultiple", "entity": "Contact"},
        "stage": {
            "type": "enum",
            "options": list(STAGES),
            "default": "Prospecting",
            "probabilityMap": STAGES,
        },
        "closeDate": {"type": "date", "required": True},
    },
    "Task": {
        **_OF_RECORDS,
        "status": {
            "type": "enum",
            "options": ["Not Started", "Started", "Completed", "Canceled", "Deferred"],
            "default": "Not Started",
        },
        "dateEnd": {"type": "datetime"},
    },
    "Call": {
        **_OF_RECORDS,
        "status": {"type": "enum", "options": ["Planned", "Held", "Not Held"]},
        "dateStart": {"type": "datetime", "required": True},
        "dateEnd": {"type": "datetime", "required": True},
        "direction": {"type": "enum", "options": ["Outbound", "Inbound"]},
        "contacts": {"type": "linkMultiple", "entity": "Contact"},
        "leads": {"type": "linkMultiple", "entity": "Lead"},
    },
    "User": {**_COMMON, "name": {"type": "personName"}, "isActive": {"type": "bool"}},
    "Note": {
        "createdAt": {"type": "datetime", "readOnly": True},
        "type": {"type": "enum", "options": ["Post"]},
        "post": {"type": "text"},
        "parent": {"type": "linkParent"},
    },
}
PARENTS = ("Account", "Contact", "Lead", "Opportunity")
_ATTRIBUTES = {
    "link": ("{}Id",), "linkMultiple": ("{}Ids",), "linkParent": ("{}Id", "{}Type"),
    "currency": ("{}", "{}Currency"),
}  # fmt: skip
_SHAPES = {
    "datetime": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "date": r"\d{4}-\d\d-\d\d",
    "phone": r"[0-9A-Za-z_@:#+()\-. ]{1,36}",
}


def attributes(fields: dict[str, Row]) -> dict[str, str]:
    """The attributes of these fields, with the field of each."""
    shapes = {name: _ATTRIBUTES.get(field["type"], ("{}",)) for name, field in fields.items()}
    return {shape.format(name): name for name, some in shapes.items() for shape in some}


def fault(field: Row, value: Any) -> str:
    """The validation that a value of this field does not pass."""
    kind = field["type"]
    if value is None or kind in {"bool", "link", "linkParent", "linkMultiple"}:
        return "required" if field.get("required") and value is None else ""
    if kind in {"int", "currency"}:
        return "" if type(value) in {int, float} else "valid"
    if not isinstance(value, str):
        return "valid"
    if kind == "enum":
        return "" if value in field["options"] else "valid"
    longest = field.get("maxLength") or (255 if kind == "varchar" else None)
    if longest and len(value) > longest:
        return "maxLength"
    shape = field.get("pattern") or _SHAPES.get(kind)
    return "" if shape is None or re.fullmatch(shape, value) else "pattern"
