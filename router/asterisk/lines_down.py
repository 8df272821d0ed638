"""Which endpoints cannot be called now, as the running Asterisk sees it."""

from collections.abc import Mapping
from pathlib import Path

from router.asterisk.pjsip import Contact, Pjsip
from router.asterisk.trunks import Trunk, TrunkKind, Trunks


async def lines_down(etc: Path, pjsip: Pjsip) -> dict[str, str]:
    """The endpoints of Ringtrace that are down, each with the reason: not_loaded, not_registered,
    no_phone, unreachable. Raises `AsteriskUnavailable`.
    """
    trunks = Trunks(etc).all()
    if not trunks:
        return {}
    endpoints = await pjsip.endpoints()
    registrations, contacts = await pjsip.registrations(), await pjsip.contacts()
    reasons = {}
    for trunk in trunks:
        reasons[trunk.name] = reason_of(trunk, trunk.name in endpoints, registrations, contacts)

    return {name: reason for name, reason in reasons.items() if reason}


def reason_of(
    trunk: Trunk,
    loaded: bool,
    registrations: Mapping[str, str],
    contacts: Mapping[str, list[Contact]],
) -> str | None:
    """Why a trunk cannot be called; None: it can, as far as is known."""
    known = contacts.get(trunk.name, [])
    if not loaded:
        return "not_loaded"
    if trunk.kind is TrunkKind.REGISTRATION and registrations.get(trunk.name) != "Registered":
        return "not_registered"
    if trunk.kind is TrunkKind.ACCOUNT and not known:
        return "no_phone"
    unreachable = known and all(contact.state == "Unavail" for contact in known)
    if unreachable:
        return "unreachable"
    return None
