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
from router.receivers.json_body import mapping, member
from router.receivers.retailcrm.api import ORDERS, PATHS, Api, Row, text
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
    lists = dict[str, dict[str, str]]()
    if any(row.get("dictionary") for row in shown):
        lists = await _lists(api)

    fields = {}
    for kind in kinds:
        entity = "customer"
        if PATHS[kind] == ORDERS:
            entity = "order"
        fields[kind] = [_field(row, lists) for row in shown if _is_of(row, entity)]
    return Catalogue(fields=fields)


async def completed(found: Catalogue, api: Api, users: Iterable[str], method: str) -> Catalogue:
    """The catalogue with users and order methods, if the key may read them."""
    place = Place()
    if any(PATHS[kind] == ORDERS for kind in found.fields):
        place = Place(method=method)
    named, methods = await _users(api, users), await _methods(api)
    return replace(found, users=named, methods=methods, place=place)


def _is_of(row: Row, entity: str) -> bool:
    return row.get("entity") == entity and bool(text(row.get("code")))


def _field(row: Row, lists: Mapping[str, Mapping[str, str]]) -> Field:
    kind, most = text(row.get("type")), None
    if kind == "string":
        most = _LONGEST
    return Field(
        name=text(row.get("code")),
        title=text(row.get("name")),
        type=_TYPES.get(kind, FieldType.OTHER),
        options=lists.get(text(row.get("dictionary")), {}),
        most=most,
        required=row.get("required") is True,
    )


async def _lists(api: Api) -> dict[str, dict[str, str]]:
    """Code of a list → title of each element → the element's code."""
    found = await _every(api, "custom-fields/dictionaries", "customDictionaries")
    return {text(row.get("code")): _elements(row) for row in found}


def _elements(row: Row) -> dict[str, str]:
    elements = {}
    for element in rows_of(row, "elements"):
        elements[text(element.get("name"))] = text(element.get("code"))
    return elements


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
    for key in dict.fromkeys(wanted):
        if not (key.isascii() and key.isdigit()):
            continue
        try:
            user = member(await api.ask("GET", f"users/{key}"), "user")
        except Missing:
            continue
        except (ReceiverUnavailable, Refused):
            return None
        name = " ".join(text(member(user, part)) for part in ("firstName", "lastName"))
        found.append(Named(id=key, title=name.strip(), active=member(user, "active") is not False))
    return found


async def _methods(api: Api) -> list[Named] | None:
    """The order methods; None if the key may not read references."""
    try:
        shown: Any = (await api.ask("GET", "reference/order-methods")).get("orderMethods")
    except (ReceiverUnavailable, Refused):
        return None
    methods = mapping(shown).values()
    return [_method(method) for method in methods]


def _method(row: Any) -> Named:
    active = member(row, "active") is not False
    return Named(id=text(member(row, "code")), title=text(member(row, "name")), active=active)
