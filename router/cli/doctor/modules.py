"""What doctor checks about Asterisk's modules."""

import re

from router.asterisk.files import source
from router.cli.doctor.finding import Case, Finding, fail, ok, warn

# without them calls are routed, recorded and attributed; refused ones are not counted, the agent
# starts no call back, and SIP cannot be seen at the console
EXTRA_MODULES = {
    "app_playback.so",
    "app_queue.so",
    "res_clioriginate.so",
    "res_hep.so",
    "res_hep_pjsip.so",
    "res_pjsip_logger.so",
}


async def modules(case: Case) -> Finding:
    """The modules in modules.conf are loaded."""
    wanted = set(
        re.findall(r"^load = (\S+)", (source() / "modules.conf").read_text(), re.MULTILINE)
    )
    shown = await case.console().run("module show")
    present = {line.split()[0] for line in shown.splitlines() if " Running " in line}
    missing = sorted(wanted - present)
    if not missing:
        return ok("modules", f"all {len(wanted)} loaded")
    found = f"not loaded: {', '.join(missing)}"
    advice = "`module load` each at Asterisk's console; see its log."
    if case.settings.asterisk == "external":
        lines = ", ".join(f"`load = {name}`" for name in missing)
        advice = f"Add to [modules] of its modules.conf: {lines}; then restart Asterisk."
    if set(missing) <= EXTRA_MODULES:
        return warn("modules", f"{found}: calls work, but not all of what Ringtrace shows", advice)
    return fail("modules", found, advice)
