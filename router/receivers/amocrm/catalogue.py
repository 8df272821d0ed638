"""The catalogue of an amoCRM account: fields with their lists, users and pipelines."""

from collections.abc import Mapping, Sequence

from router.domain.delivery.catalogue import (
    Catalogue,
    Field,
    FieldType,
    Named,
    Pipeline,
    Place,
)
from router.domain.delivery.entity import EntityKind
from router.receivers.amocrm.account import Account, Row, embedded, number, text
from router.receivers.amocrm.fields import CLIENT_ID, MARK, WORDS, Fields
from router.receivers.crm_tools import rows_of
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

_LISTS = frozenset({"select", "multiselect", "radiobutton"})
_TEXTS = frozenset({"text", "textarea", "tracking_data"})
_SHORT = frozenset({"text", "tracking_data"})
_LONGEST = 256  # characters of a short text
_OURS = frozenset({CLIENT_ID, MARK, WORDS, "PHONE"})  # fields that we fill


async def read_catalogue(
    account: Account,
    fields: Fields,
    paths: Mapping[EntityKind, str],
    options: Mapping[str, str],
    *,
    whole: bool,
) -> Catalogue:
    """The fields of these kinds; with `whole` also users and pipelines."""
    known = {kind: _read_fields(await fields.rows(path)) for kind, path in paths.items()}
    if not whole:
        return Catalogue(fields=known)
    return Catalogue(
        fields=known,
        users=await _users(account),
        pipelines=[_pipeline(row) for row in await account.rows("leads/pipelines")],
        place=Place(pipeline=options.get("pipeline", ""), stage=options.get("status", "")),
    )


def _read_fields(rows: Sequence[Row]) -> list[Field]:
    return [_field(row) for row in rows if number(row.get("id")) is not None]


def _field(row: Row) -> Field:
    kind, code = text(row.get("type")), text(row.get("code"))
    options, most = dict[str, str](), None
    if kind in _LISTS:
        for enum in rows_of(row, "enums"):
            value = text(enum.get("value"))
            options[value] = value
    if kind in _SHORT:
        most = _LONGEST
    return Field(
        name=text(row.get("id")),
        title=text(row.get("name")),
        aliases=frozenset({code} - {""}),
        type=_type(kind),
        options=options,
        most=most,
        required=row.get("is_required") is True and code not in _OURS,
        stages=_stages(row),
    )


def _type(kind: str) -> FieldType:
    if kind in _LISTS:
        return FieldType.LIST
    if kind in _TEXTS:
        return FieldType.TEXT
    if kind in {"numeric", "price"}:
        return FieldType.NUMBER
    return FieldType.OTHER


def _stages(row: Row) -> frozenset[str]:
    """The statuses in which amoCRM asks for this field."""
    places = rows_of(row, "required_statuses")
    return frozenset(text(place.get("status_id")) for place in places)


async def _users(account: Account) -> list[Named] | None:
    """The users; only an administrator's token can list them."""
    try:
        rows = await account.rows("users")
    except (ReceiverUnavailable, Refused):
        return None
    return [
        Named(id=text(row.get("id")), title=text(row.get("name")), active=_is_active(row))
        for row in rows
    ]


def _is_active(row: Row) -> bool:
    rights = row.get("rights")
    return not isinstance(rights, dict) or rights.get("is_active") is not False


def _pipeline(row: Row) -> Pipeline:
    stages = []
    for status in embedded(row, "statuses"):
        stages.append(Named(id=text(status.get("id")), title=text(status.get("name"))))
    return Pipeline(
        id=text(row.get("id")),
        title=text(row.get("name")),
        stages=stages,
        archived=row.get("is_archive") is True,
    )
