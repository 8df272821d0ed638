"""The models of the Odoo of the tests, with as many of their fields as matter, and the records that
a new database has.
"""

from typing import Any

Row = dict[str, Any]
NO_ACCESS = 31  # a user who may not see contacts and leads
LINKS = {
    "partner_id": "res.partner", "parent_id": "res.partner", "model_id": "ir.model",
    "res_model_id": "ir.model", "user_id": "res.users", "stage_id": "crm.stage",
    "activity_type_id": "mail.activity.type",
}  # fmt: skip
MODELS: dict[str, dict[str, str]] = {
    "res.partner": {
        "name": "char", "phone": "char", "is_company": "boolean", "parent_id": "many2one",
        "active": "boolean", "user_id": "many2one", "phone_mobile_search": "char",
    },
    "crm.lead": {
        "name": "char", "phone": "char", "type": "selection", "partner_id": "many2one",
        "user_id": "many2one", "stage_id": "many2one", "description": "html",
        "probability": "float", "active": "boolean", "phone_mobile_search": "char",
    },
    "crm.stage": {"name": "char"},
    "res.users": {"name": "char", "active": "boolean"},
    "mail.message": {
        "model": "char", "res_id": "many2one_reference", "body": "html",
        "message_type": "selection",
    },
    "mail.activity": {
        "res_model_id": "many2one", "res_model": "char", "res_id": "many2one_reference",
        "activity_type_id": "many2one", "summary": "char", "note": "html",
        "date_deadline": "date", "user_id": "many2one",
    },
    "mail.activity.type": {"name": "char", "category": "selection"},
    "ir.model": {"model": "char", "name": "char"},
    "ir.model.fields": {
        "name": "char", "field_description": "char", "model_id": "many2one", "ttype": "selection",
        "state": "selection",
    },
}  # fmt: skip
ALWAYS = {"id": "integer", "create_date": "datetime"}
DEFAULTS = {"active": True, "probability": 10.0, "type": "opportunity", "is_company": False}
TYPES: dict[str, tuple[type, ...]] = {
    "char": (str,), "html": (str,), "selection": (str,), "boolean": (bool,), "float": (float, int),
    "many2one": (int,), "many2one_reference": (int,), "date": (str,),
}  # fmt: skip
ROWS: tuple[tuple[str, Row], ...] = (
    ("res.users", {"id": 7, "name": "Ringtrace"}),
    ("res.users", {"id": 27, "name": "Olga"}),
    ("res.users", {"id": 13, "name": "Ivan", "active": False}),
    ("res.users", {"id": NO_ACCESS, "name": "Petr, of the warehouse"}),
    ("crm.stage", {"name": "New"}),
    ("crm.stage", {"name": "Won"}),
    ("mail.activity.type", {"name": "To-Do", "category": "default"}),
    ("mail.activity.type", {"name": "Call", "category": "phonecall"}),
)
