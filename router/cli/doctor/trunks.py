"""Checks of trunks and destinations."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from router.asterisk.pjsip import Pjsip
from router.asterisk.refused_calls import read_refused
from router.asterisk.trunks import Side, Trunk, TrunkKind, Trunks
from router.cli.doctor.finding import Case, Finding, fail, ok, warn
from router.cli.trunk_state import Seen, known_networks, sharing
from router.cli.trunk_use import transport_advice, transport_of
from router.domain.calls.call_filter import CallFilter
from router.domain.visitors.site import Destination
from router.service.admin.setup import list_all

LATEST_CALLS = 500


async def endpoints(case: Case) -> list[Finding]:
    """Each trunk is loaded, registered if necessary, and answers."""
    trunks = Trunks(case.settings.ringtrace_etc).all()
    seen = await Seen.ask(Pjsip(case.console()))
    if trunks:
        advice = _how_to_load(case.settings.asterisk_etc / "sorcery.conf")
        return [_judge(trunk, seen, advice) for trunk in trunks]
    if seen.endpoints:
        return [
            ok(
                "trunks",
                (f"no trunk of Ringtrace; Asterisk has {', '.join(sorted(seen.endpoints))}"),
            )
        ]
    return [warn("trunks", "none: no call can arrive or leave", "`ringtrace trunk add`")]


def _how_to_load(sorcery: Path) -> str:
    """What to do when Asterisk did not load a trunk. One that reads PJSIP from a database alone
    never loads it.
    """
    text = ""
    if sorcery.exists():
        text = sorcery.read_text(errors="replace")

    missing = []
    for kind in re.findall(
        r"^\s*(endpoint|aor|auth|identify|registration)\s*=", text, re.MULTILINE
    ):
        line = f"{kind}=config,pjsip.conf,criteria=type={kind}"
        if line not in re.sub("[ \t]", "", text) and line not in missing:
            missing.append(line)
    if missing:
        lines = ", ".join(f"`{line}`" for line in missing)
        return f"Asterisk reads no pjsip.conf for it: add to {sorcery}: {lines}; then restart it."
    return "`module reload res_pjsip.so` at its console; then see its log."


def _judge(trunk: Trunk, seen: Seen, how_to_load: str) -> Finding:
    name, state = f"trunk {trunk.name}", seen.state(trunk)
    if trunk.name not in seen.endpoints:
        return fail(
            name,
            "Asterisk has not loaded it",
            how_to_load,
        )
    contacts = seen.contacts.get(trunk.name, [])
    if trunk.kind is TrunkKind.REGISTRATION and seen.registrations.get(trunk.name) != "Registered":
        answers = any(contact.state == "Avail" for contact in contacts)
        fix = "Check user name and password."
        if not answers:
            fix = (
                f"Check that {trunk.host} resolves and answers; then check user name and password."
            )

        return fail(name, f"not registered ({state})", fix)
    if not contacts and trunk.kind is TrunkKind.ACCOUNT:
        hint = f"The phone or PBX must register here as {trunk.name}."
        if trunk.side is Side.COMPANY:
            return fail(name, "no phone has registered", hint)
        return warn(name, "no phone has registered", hint)
    if contacts and all(contact.state == "Unavail" for contact in contacts):
        return warn(
            name,
            state,
            "Nothing to do if calls arrive: many firewalls drop OPTIONS, and calls are sent "
            f"anyway. Otherwise check that {trunk.host or 'it'} is up and that no firewall "
            "blocks SIP.",
        )
    return ok(name, state)


async def transports(case: Case) -> list[Finding]:
    """Asterisk has the transport that each trunk is sent over."""
    pjsip = Pjsip(case.console())
    present = {ipv6: await pjsip.transports(ipv6=ipv6) for ipv6 in (False, True)}
    findings = []
    for trunk in Trunks(case.settings.ringtrace_etc).all():
        if trunk.kind is not TrunkKind.ACCOUNT and trunk.transport not in present[trunk.is_ipv6]:
            findings.append(
                fail(
                    f"trunk {trunk.name}",
                    f"Asterisk has no transport for {transport_of(trunk)}: no call goes out to it",
                    transport_advice(case.settings, trunk),
                )
            )
    return findings


async def identities(case: Case) -> list[Finding]:
    """Each trunk's address is recognised."""
    pjsip = Pjsip(case.console())
    known = []
    for t in Trunks(case.settings.ringtrace_etc).all():
        if t.kind is not TrunkKind.ACCOUNT:
            known.append(t)

    lost = [trunk for trunk in known if not await pjsip.identified(trunk.name)]
    findings = []
    for t in lost:
        findings.append(
            fail(
                f"trunk {t.name}",
                "its calls are not recognised by address",
                f"Check that {t.host} resolves, or use --match.",
            )
        )
    return findings


async def addresses(case: Case) -> list[Finding]:
    """No two endpoints have the same address, including your own in this Asterisk."""
    trunks = Trunks(case.settings.ringtrace_etc).all()
    shared = sharing(await known_networks(Pjsip(case.console())), trunks)
    findings = []
    for first, second, address in shared:
        findings.append(
            warn(
                f"trunk {first}",
                f"has the same address {address} as '{second}': all calls from there are assigned "
                "to one of them",
                "Set other addresses for one of them with --match, or remove it: `ringtrace trunk "
                f"change {first}`.",
            )
        )
    return findings


async def refused(case: Case) -> list[Finding]:
    """No call of the last week was refused before the dialplan; such calls leave no other trace."""
    lately = datetime.now(UTC) - timedelta(days=7)
    findings = []
    for line in read_refused(case.settings.refused_calls):
        if line.last_at > lately:
            findings.append(
                warn(
                    f"trunk {line.trunk}",
                    f"{line.count} calls were refused ({line.status}), the last at "
                    f"{line.last_at:%Y-%m-%d %H:%M} UTC, which offered {line.offered}",
                    line.advice,
                )
            )
    return findings


async def forwarding(case: Case) -> list[Finding]:
    """No phone of the company forwarded a call in the last week, which Ringtrace does not
    follow.
    """
    lately = CallFilter(since=datetime.now(UTC) - timedelta(days=7))
    async with case.store.read() as session:
        calls = await session.calls.find(lately, limit=LATEST_CALLS)
    forwarded = [call for call in calls if call.forwarded_to]
    if not forwarded:
        return []
    return [
        warn(
            "forwarding",
            f"phones tried to forward {len(forwarded)} of the last {len(calls)} calls, the last "
            f"to {forwarded[0].forwarded_to}; the next step was tried instead",
            "Switch forwarding off on the phone, and add that number as a step: `ringtrace "
            "destination change`.",
        )
    ]


async def destinations(case: Case) -> list[Finding]:
    """The endpoints and extensions of destinations exist."""
    present = await Pjsip(case.console()).endpoints()
    destinations = await list_all(case.store, Destination)
    nowhere = await _missing_extensions(case, destinations)
    missing = {d.id: (d.phones() - present) | (d.extensions() & nowhere) for d in destinations}
    bad = [(key, sorted(names)) for key, names in missing.items() if names]
    if not destinations:
        return [
            fail(
                "destinations",
                "none: calls cannot reach the company",
                "`ringtrace destination add`",
            )
        ]
    if not bad:
        return [ok("destinations", f"all {len(destinations)} dial existing endpoints")]
    findings = []
    for key, names in bad:
        findings.append(
            fail(
                f"destination {key}",
                f"dials {', '.join(names)}, which is neither an endpoint nor an extension",
                "See `ringtrace trunk list`; use `ringtrace trunk add` or `ringtrace destination "
                "change`.",
            )
        )
    return findings


async def _missing_extensions(case: Case, destinations: Iterable[Destination]) -> set[str]:
    """The extensions that the dialplan does not have."""
    wanted = set().union(*(destination.extensions() for destination in destinations))
    missing = set()
    for extension in sorted(wanted):
        if "=> 1. " not in await case.console().run(f"dialplan show {extension}"):
            missing.add(extension)
    return missing
