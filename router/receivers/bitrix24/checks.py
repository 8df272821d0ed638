"""Checks a webhook's rights."""

from collections.abc import Mapping, Sequence
from typing import Any

from router.domain.delivery.entity import EntityKind
from router.receivers.bitrix24.items import AS_NAMED, ORIGIN, TYPES, listing
from router.receivers.bitrix24.portal import Command, Portal, mapping, rows
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check


async def check_portal(
    portal: Portal, kinds: Sequence[EntityKind], field: str, *, own: bool
) -> list[Check]:
    """Check the webhook's rights for the CRM and call statistics, and the fields."""
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
        return [Check(what="the webhook", well=False, fix=str(error))]
    checks = [
        _check_fields(kind, field, mapping(mapping(said.get(kind)).get("fields"))) for kind in kinds
    ]
    if own and EntityKind.LEAD in kinds:
        fix = (
            "this CRM works without leads: choose another scenario, or turn leads on in its "
            "settings"
        )
        checks.append(Check(what="leads", well=said.get("mode") == 1, fix=fix))
    if not own:
        fix = "tick 'telephony' for the webhook, and let its user see the statistics of calls"
        checks.append(Check(what="the statistics of calls", well="calls" in said, fix=fix))
        checks += [_by_others(kind, rows(said.get(f"new {kind}")), portal.user) for kind in kinds]
    return checks


def _check_fields(kind: EntityKind, field: str, fields: Mapping[str, Any]) -> Check:
    fix = f"no such field: {field}; what is written into it, Bitrix24 drops without a word"
    if not fields:
        fix = f"tick 'crm' for the webhook, and let its user read and change every {kind}"
    return Check(what=f"{kind} with {field}", well=field in fields, fix=fix)


def _by_others(kind: EntityKind, newest: Sequence[Mapping[str, Any]], user: str) -> Check:
    """Whether the telephony is another user: what the webhook's user creates counts as Ringtrace's
    own.
    """
    own = [
        item
        for item in newest
        if str(item.get("createdBy")) == user and item.get("originatorId") != ORIGIN
    ]
    fix = (
        f"{len(own)} of the newest {len(newest)} were created by user {user}, whose webhook "
        "this is, and are never"
        " matched to a call without a record of it: create the webhook as a user of its own"
    )
    return Check(
        what=f"{kind}: created by other users", well=2 * len(own) < max(1, len(newest)), fix=fix
    )
