"""Whether Asterisk says what the calls need: in its CEL log, and to the agent."""

import re

from router.asterisk.files import source
from router.cli.doctor.finding import Case, Finding, fail, ok, warn

_ROUTES = "UserEvent"  # a call that asks for its route
_OTHERS = {"Hold": "time on hold", "Unhold": "time on hold", "DTMFEnd": "keys pressed in a call"}


async def channel_log(case: Case) -> Finding:
    """Asterisk writes the CEL log, with all events that calls are made of."""
    name = "CEL log"
    said = await case.console().run("cel show status")
    if "Logging: Enabled" not in said or "CEL Custom" not in said:
        return fail(
            name,
            "is disabled: calls would not be logged",
            "Enable it in cel.conf and load cel_custom.so.",
        )
    written = set(re.findall(r"Tracking Event: *(\w+)", said))
    lacking = [event for event in _needed() if event not in written]
    if lacking:
        return fail(
            name,
            f"lacks {', '.join(lacking)}: calls would be missing or wrong in the list",
            "#tryinclude ringtrace/cel-general.conf at the end of cel.conf, then `cel reload` "
            "or `core reload`.",
        )
    return ok(name, "is written")


def _needed() -> list[str]:
    text = (source() / "ringtrace/cel-general.conf").read_text()
    listed = re.search(r"^events = (.*)$", text, re.MULTILINE)
    return listed[1].split(",") if listed else []


async def manager_events(case: Case) -> Finding:
    """The host has not switched off events that the agent hears."""
    name, fix = "manager events", "Take {} out of `disabledevents` in manager.conf, then `{}`."
    said = await case.console().run("manager show settings")
    listed = re.search(r"Disabled events: *(.*)", said)
    disabled = {event.strip() for event in (listed[1] if listed else "").split(",")}
    if _ROUTES in disabled:
        return fail(
            name,
            f"{_ROUTES} is disabled: no call reaches the agent, and all go to their last "
            "destination",
            fix.format(_ROUTES, "manager reload"),
        )
    lacking = [event for event in _OTHERS if event in disabled]
    if lacking:
        lost = " and ".join(sorted({_OTHERS[event] for event in lacking}))
        found = f"{', '.join(lacking)} disabled: {lost} unknown"
        return warn(name, found, fix.format(" and ".join(lacking), "manager reload"))
    return ok(name, "all that the agent needs")
