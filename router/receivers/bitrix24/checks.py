"""Checks the rights of our user in Bitrix24."""

from collections.abc import Mapping, Sequence
from typing import Any

from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.fix_codes import FixCode
from router.domain.delivery.outcome import Outcome
from router.receivers.bitrix24.items import AS_NAMED, ORIGIN, TYPES, listing
from router.receivers.bitrix24.portal import Command, Portal, rows
from router.receivers.json_body import mapping
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check


async def check_portal(
    portal: Portal, kinds: Sequence[EntityKind], field: str, *, own: bool
) -> list[Check]:
    """Check our rights for the CRM and call statistics, and the fields."""
    asked: dict[str, Command] = {
        kind: ("crm.item.fields", {"entityTypeId": TYPES[kind], **AS_NAMED}) for kind in kinds
    }
    asked["mode"] = ("crm.settings.mode.get", {})
    asked["calls"] = (
        "voximplant.statistic.get",
        {"FILTER": {"ID": 1}, "SORT": "ID", "ORDER": "DESC"},
    )
    if not own:
        asked |= {f"new {kind}": listing(kind, {}) for kind in kinds}
    try:
        said = await portal.batch(asked, optional=frozenset(asked))
    except (ReceiverUnavailable, Refused) as error:
        return [Check.of(CheckCode.ACCESS, False, error.outcome, system="Bitrix24")]
    checks = [
        _check_fields(kind, field, mapping(mapping(said.get(kind)).get("fields"))) for kind in kinds
    ]
    if own and EntityKind.LEAD in kinds:
        fix = Outcome.of(FixCode.BITRIX24_LEADS)
        checks.append(Check.of(CheckCode.LEADS, said.get("mode") == 1, fix))
    if not own:
        fix = Outcome.of(FixCode.BITRIX24_STATISTICS)
        checks.append(Check.of(CheckCode.CALL_STATISTICS, "calls" in said, fix))
        checks += [_by_others(kind, rows(said.get(f"new {kind}")), portal.user) for kind in kinds]
    return checks


def _check_fields(kind: EntityKind, field: str, fields: Mapping[str, Any]) -> Check:
    fix = Outcome.of(FixCode.BITRIX24_FIELD)
    if not fields:
        fix = Outcome.of(FixCode.BITRIX24_CRM, kind=kind)
    return Check.of(CheckCode.FIELD, field in fields, fix, kind=kind, field=field)


def _by_others(kind: EntityKind, newest: Sequence[Mapping[str, Any]], user: str) -> Check:
    """Whether another user is the telephony's: what our own user creates counts as Ringtrace's."""
    mine = [item for item in newest if str(item.get("createdBy")) == user]
    own = [item for item in mine if item.get("originatorId") != ORIGIN]
    fix = Outcome.of(FixCode.OWN_USER, own=len(own), all=len(newest))
    few = 2 * len(own) < max(1, len(newest))
    return Check.of(CheckCode.OTHER_USERS, few, fix, kind=kind)
