"""The values of rows that we create in Tryton."""

from typing import Any

from router.domain.delivery.codes import SettingCode
from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.tryton.rows import marks
from router.service.delivery.outcomes import Refused
from router.service.delivery.ports import Draft


def number(ref: Ref) -> int:
    """The id of a row. Raises `Refused`."""
    if not (ref.id.isascii() and ref.id.isdigit()):
        raise Refused(
            SettingCode.NO_SUCH_ID, found=ref.id[:40], kind=ref.kind.value, system="Tryton"
        )
    return int(ref.id)


def _mark(draft: Draft) -> str:
    return next(mark for mark, kind in marks(draft.call.id).items() if kind is draft.kind)


def party_values(draft: Draft) -> dict[str, Any]:
    """A party with its phone."""
    phones = []
    if draft.call.caller:
        phones.append({"type": "phone", "value": draft.call.caller})
    return {
        "name": draft.title,
        "identifiers": [["create", [{"code": _mark(draft)}]]],
        "contact_mechanisms": [["create", phones]],
    }


def opportunity_values(draft: Draft) -> dict[str, Any]:
    """An opportunity; a lead has no party."""
    values: dict[str, Any] = {
        "description": draft.title,
        "reference": _mark(draft),
        "comment": draft.text,
    }
    party = draft.links.get(EntityKind.COMPANY) or draft.links.get(EntityKind.CONTACT)
    if party and draft.kind is EntityKind.DEAL:
        values["party"] = number(party)
    if draft.responsible:
        if not (draft.responsible.isascii() and draft.responsible.isdigit()):
            raise Refused(
                SettingCode.NOT_A_NUMBER,
                name="responsible",
                found=draft.responsible[:40],
                system="Tryton",
            )
        values["employee"] = int(draft.responsible)
    return values
