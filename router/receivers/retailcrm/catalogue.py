"""The catalogue of a RetailCRM account: custom fields with their lists, users that rules name,
order methods.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from router.domain.delivery.catalogue import Catalogue, Field, FieldType, Named, Place
from router.domain.delivery.entity import EntityKind
from router.receivers.crm_tools import rows_of
from router.receivers.http import Missing
from router.receivers.retailcrm.api import ORDERS, PATHS, Api, Row, child, text
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

_TYPES = {
    **dict.fromkeys(("string", "text", "email"), FieldType.TEXT),
    **dict.fromkeys(("integer", "numeric"), FieldType.NUMBER),
    **dict.fromkeys(("dictionary", "multiselect_dictionary"), FieldType.LIST),
}
_LONGEST = 255  # characters of a string
_PAGE, _PAGES = 100, 10


async def read_fields(api: Api, kinds: Iterable[EntityKind]) -> Catalogue:
    """Companies have the fields of customers."""
    shown = await _every(api, "custom-fields", "customFields")
    lists = await _lists(api) if any(row.get("dictionary") for row in shown) else {}
    fields = {
        entity: [_field(row, lists) for row in shown if _is_of(row, entity)]
        for entity in ("order", "customer")
    }
    return Catalogue(
        fields={kind: fields["order" if PATHS[kind] == ORDERS else "customer"] for kind in kinds}
    )


async def completed(found: Catalogue, api: Api, users: Iterable[str], method: str) -> Catalogue:
    """The catalogue with users and order methods, if the key may read them."""
    return replace(
        found,
        users=await _users(api, users),
        methods=await _methods(api),
        place=Place(method=method if any(PATHS[kind] == ORDERS for kind in found.fields) else ""),
    )


def _is_of(row: Row, entity: str) -> bool:
    return row.get("entity") == entity and bool(text(row.get("code")))


def _field(row: Row, lists: Mapping[str, Mapping[str, str]]) -> Field:
    kind = text(row.get("type"))
    return Field(
        name=text(row.get("code")),
        title=text(row.get("name")),
        type=_TYPES.get(kind, FieldType.OTHER),
        options=lists.get(text(row.get("dictionary")), {}),
        most=_LONGEST if kind == "string" else None,
        required=row.get("required") is True,
    )


async def _lists(api: Api) -> dict[str, dict[str, str]]:
    """Code of a list → title of each element → the element's code."""
    found = await _every(api, "custom-fields/dictionaries", "customDictionaries")
    return {text(row.get("code")): _elements(row) for row in found}


def _elements(row: Row) -> dict[str, str]:
    return {
        text(element.get("name")): text(element.get("code")) for element in rows_of(row, "elements")
    }


async def _every(api: Api, path: str, name: str) -> list[Row]:
    found = list[Row]()
    for page in range(1, _PAGES + 1):
        params = {"limit": str(_PAGE), "page": str(page)}
        some = rows_of(await api.ask("GET", path, params=params), name)
        found += some
        if len(some) < _PAGE:
            break
    return found


async def _users(api: Api, wanted: Iterable[str]) -> Sequence[Named] | None:
    """The users that exist. A key without the right to users cannot read them."""
    found = list[Named]()
    for key in dict.fromkeys(key for key in wanted if key.isascii() and key.isdigit()):
        try:
            user = child(await api.ask("GET", f"users/{key}"), "user")
        except Missing:
            continue
        except (ReceiverUnavailable, Refused):
            return None
        name = " ".join(text(child(user, part)) for part in ("firstName", "lastName"))
        found.append(Named(id=key, title=name.strip(), active=child(user, "active") is not False))
    return found


async def _methods(api: Api) -> list[Named] | None:
    """The order methods; None if the key may not read references."""
    try:
        shown: Any = (await api.ask("GET", "reference/order-methods")).get("orderMethods")
    except (ReceiverUnavailable, Refused):
        return None
    methods = shown.values() if isinstance(shown, dict) else ()
    return [
        Named(
            id=text(child(method, "code")),
            title=text(child(method, "name")),
            active=child(method, "active") is not False,
        )
        for method in methods
    ]
