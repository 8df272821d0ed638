"""What RetailCRM's API v5 takes, field by field, as its documents and its official clients have
it.
"""

from datetime import datetime
from typing import Any

MOMENT = "Y-m-d H:i:s"  # a text of this form
CUSTOM = "custom fields"  # an object whose keys are the account's own

_SOURCE = {"source": str, "medium": str, "campaign": str, "keyword": str, "content": str}
_RELATED = {"id": int, "externalId": str, "site": str, "browserId": str, "type": str}
_NAMES = {"firstName": str, "lastName": str, "patronymic": str, "email": str}

# An id is suffered, and ignored: the official client names in the object what it edits.
ORDER = _NAMES | {
    "id": int,
    "externalId": str,
    "number": str,
    "status": str,
    "orderMethod": str,
    "orderType": str,
    "createdAt": MOMENT,
    "phone": str,
    "additionalPhone": str,
    "call": bool,
    "managerId": int,
    "clientId": str,
    "managerComment": str,
    "customerComment": str,
    "customFields": CUSTOM,
    "source": _SOURCE,
    "customer": _RELATED,
    "contact": _RELATED,
}
CUSTOMER = _NAMES | {
    "id": int,
    "externalId": str,
    "createdAt": MOMENT,
    "managerId": int,
    "vip": bool,
    "bad": bool,
    "isContact": bool,
    "phones": [{"number": str}],
    "customFields": CUSTOM,
    "source": _SOURCE,
}
COMPANY = {
    "externalId": str,
    "nickName": str,
    "createdAt": MOMENT,
    "managerId": int,
    "vip": bool,
    "bad": bool,
    "customFields": CUSTOM,
    "source": _SOURCE,
    "companies": [{"name": str, "isMain": bool}],
}
CONTACT = {"isMain": bool, "customer": _RELATED, "companies": [{"id": int}]}
NOTE = {"customer": _RELATED, "managerId": int, "text": str}
FIELD = {
    "code": str,
    "name": str,
    "type": str,
    "entity": str,
    "required": bool,
    "inFilter": bool,
    "inList": bool,
    "default": str,
    "ordering": int,
    "displayArea": str,
    "viewMode": str,
}
CLIENT_ID = {
    "value": str,
    "site": str,
    "createdAt": MOMENT,
    "order": {"id": int, "externalId": str, "number": str},
    "customer": {"id": int, "externalId": str},
}
TASK = {
    "text": str,
    "commentary": str,
    "datetime": str,
    "performerId": int,
    "order": _RELATED,
    "customer": _RELATED,
}
CALL = {
    "date": MOMENT,
    "type": str,
    "phone": str,
    "code": str,
    "userId": int,
    "result": str,
    "duration": int,
    "durationWaiting": int,
    "externalId": str,
    "recordUrl": str,
    "source": _SOURCE,
    "externalPhone": str,
    "site": str,
    "clientId": str,
}


def wrong(value: Any, form: Any, at: str = "") -> dict[str, str]:
    """What is wrong with it: place → reason."""
    if isinstance(form, dict):
        if not isinstance(value, dict):
            return {at: "This value should be an object."}
        unknown = {
            f"{at}.{name}": "This form should not contain extra fields."
            for name in value.keys() - form.keys()
        }
        parts = [
            wrong(value[name], form[name], f"{at}.{name}") for name in value.keys() & form.keys()
        ]
        return {**unknown, **{place: reason for part in parts for place, reason in part.items()}}
    if isinstance(form, list):
        if not isinstance(value, list):
            return {at: "This value should be an array."}
        parts = [wrong(item, form[0], f"{at}[{index}]") for index, item in enumerate(value)]
        return {place: reason for part in parts for place, reason in part.items()}
    return {} if _fits(value, form) else {at: f"This value is not valid: {form} expected."}


def _fits(value: Any, form: Any) -> bool:
    if form == CUSTOM:
        return isinstance(value, dict)
    if form == MOMENT:
        try:
            return isinstance(value, str) and bool(datetime.strptime(value, "%Y-%m-%d %H:%M:%S"))
        except ValueError:
            return False
    return type(value) is form  # a boolean is no number here
