"""The facts of a trunk, as `ringtrace trunk` prints them."""

from typing import Any

from router.asterisk.refused_calls import RefusedCall, read_refused
from router.asterisk.trunks import Trunk
from router.cli.output import (
    plain,
)
from router.cli.trunk_state import Seen
from router.cli.trunk_use import running
from router.config import Settings


async def look_at_trunks(settings: Settings) -> Seen | None:
    pjsip = await running(settings)
    if not pjsip:
        return None
    return await Seen.ask(pjsip)


def refused_calls(settings: Settings) -> dict[str, list[RefusedCall]]:
    """Calls refused before the dialplan, by trunk."""
    refused: dict[str, list[RefusedCall]] = {}
    for line in read_refused(settings.refused_calls):
        refused.setdefault(line.trunk, []).append(line)
    return refused


def state_text(
    trunk: Trunk, seen: Seen | None, refused: dict[str, list[RefusedCall]]
) -> str | None:
    count = sum(line.count for line in refused.get(trunk.name, ()))
    said = None
    if count:
        said = f"{count} calls refused: `ringtrace doctor`"

    state = None
    if seen:
        state = seen.state(trunk)

    return ", ".join(filter(None, (state, said))) or None


def trunk_as_json(
    trunk: Trunk, seen: Seen | None, refused: dict[str, list[RefusedCall]]
) -> dict[str, Any]:
    return {
        **plain(trunk),
        "loaded": seen and trunk.name in seen.endpoints,
        "registration": seen and seen.registrations.get(trunk.name),
        "contacts": plain(seen.contacts.get(trunk.name, [])) if seen else None,
        "refused_calls": plain(refused.get(trunk.name, [])),
    }
