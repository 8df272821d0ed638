"""What doctor asks of trunks, and of the destinations that dial them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from router.asterisk.pjsip import Pjsip
from router.asterisk.refused_calls import read_refused
from router.asterisk.trunks import Side, Trunk, TrunkKind, Trunks
from router.cli.doctor.finding import Case, Finding, fail, ok, warn
from router.cli.trunk_state import Seen, known_networks, sharing
from router.cli.trunk_use import transport_advice
from router.domain.calls.call import CallFilter
from router.domain.visitors.site import Destination
from router.service.admin.setup import list_all

LATEST_CALLS = 500


async def endpoints(case: Case) -> list[Finding]:
    """Each trunk is loaded, registered where it should be, and answers."""
    trunks = Trunks(case.settings.ringtrace_etc).all()
    seen = await Seen.ask(Pjsip(case.console()))
    if trunks:
        return [_judge(trunk, seen) for trunk in trunks]
    if seen.endpoints:
        return [ok("trunks", f"none of ours; Asterisk has {', '.join(sorted(seen.endpoints))}")]
    return [warn("trunks", "there is none: no call can come in or go out", "`ringtrace trunk add`")]


def _judge(trunk: Trunk, seen: Seen) -> Finding:
    name, state = f"trunk {trunk.name}", seen.state(trunk)
    if trunk.name not in seen.endpoints:
        return fail(
            name,
            "Asterisk has not loaded it",
            "`module reload res_pjsip.so` at its console; then see its log.",
        )
    contacts = seen.contacts.get(trunk.name, [])
    if trunk.kind is TrunkKind.REGISTRATION and seen.registrations.get(trunk.name) != "Registered":
        answers = any(contact.state == "Avail" for contact in contacts)
        mend = (
            "Check user and password."
            if answers
            else f"Does {trunk.host} resolve, and answer? Then user and password."
        )
        return fail(name, f"not registered ({state})", mend)
    if not contacts and trunk.kind is TrunkKind.ACCOUNT:
        hint = f"The other side must register here as {trunk.name}."
        return (fail if trunk.side is Side.COMPANY else warn)(name, "nobody has registered", hint)
    if contacts and all(contact.state == "Unavail" for contact in contacts):
        return warn(
            name,
            state,
            "Nothing, if calls arrive: many firewalls answer no OPTIONS, and calls are sent "
            "all the same. Else: is "
            f"{trunk.host or 'it'} up, and does a firewall let SIP through?",
        )
    return ok(name, state)


async def transports(case: Case) -> list[Finding]:
    """Asterisk has the transport that each trunk is sent over."""
    present = await Pjsip(case.console()).transports()
    return [
        fail(
            f"trunk {trunk.name}",
            f"Asterisk has no transport for {trunk.transport.upper()}",
            transport_advice(case.settings),
        )
        for trunk in Trunks(case.settings.ringtrace_etc).all()
        if trunk.kind is not TrunkKind.ACCOUNT and trunk.transport not in present
    ]


async def identities(case: Case) -> list[Finding]:
    """Calls from each trunk known by address are known for its calls."""
    pjsip = Pjsip(case.console())
    known = [
        t for t in Trunks(case.settings.ringtrace_etc).all() if t.kind is not TrunkKind.ACCOUNT
    ]
    lost = [trunk for trunk in known if not await pjsip.identified(trunk.name)]
    return [
        fail(
            f"trunk {t.name}",
            "its calls are not recognised by address",
            f"Does {t.host} resolve? Or give --match.",
        )
        for t in lost
    ]


async def addresses(case: Case) -> list[Finding]:
    """No two endpoints have one address, hand-written ones of this Asterisk included."""
    trunks = Trunks(case.settings.ringtrace_etc).all()
    shared = sharing(await known_networks(Pjsip(case.console())), trunks)
    return [
        warn(
            f"trunk {first}",
            f"has the address {address} of '{second}' too: all calls from there are given to "
            "one of them",
            "Give one of them --match with other addresses, or remove it: `ringtrace trunk "
            f"change {first}`.",
        )
        for first, second, address in shared
    ]


async def refused(case: Case) -> list[Finding]:
    """No call of the last week was refused before the dialplan saw it, as nothing else leaves a
    trace of those.
    """
    lately = datetime.now(UTC) - timedelta(days=7)
    return [
        warn(
            f"trunk {line.trunk}",
            f"{line.count} calls were refused ({line.status}), the last "
            f"{line.last_at:%Y-%m-%d %H:%M} UTC: offered was "
            f"{line.offered}",
            line.advice,
        )
        for line in read_refused(case.settings.refused_calls)
        if line.last_at > lately
    ]


async def forwarding(case: Case) -> list[Finding]:
    """No phone of the company forwarded a call of the last week: that is not followed."""
    lately = CallFilter(since=datetime.now(UTC) - timedelta(days=7))
    async with case.store.read() as session:
        calls = await session.calls.find(lately, limit=LATEST_CALLS)
    forwarded = [call for call in calls if call.forwarded_to]
    if not forwarded:
        return []
    return [
        warn(
            "forwarding",
            f"phones forwarded {len(forwarded)} of the last {len(calls)} calls, the last to "
            f"{forwarded[0].forwarded_to}; the next step was tried instead",
            "Switch it off on the phone, and give that number a step of its own: `ringtrace "
            "destination change`.",
        )
    ]


async def destinations(case: Case) -> list[Finding]:
    """What destinations dial exists."""
    present = await Pjsip(case.console()).endpoints()
    every = await list_all(case.store, Destination)
    nowhere = await _missing_extensions(case, every)
    missing = {d.id: (d.phones() - present) | (d.extensions() & nowhere) for d in every}
    bad = [(key, sorted(names)) for key, names in missing.items() if names]
    if not every:
        return [
            fail(
                "destinations",
                "there is none: no call can reach anybody",
                "`ringtrace destination add`",
            )
        ]
    if not bad:
        return [ok("destinations", f"all {len(every)} dial what exists")]
    return [
        fail(
            f"destination {key}",
            f"dials {', '.join(names)}, which is no endpoint and no extension here",
            "`ringtrace trunk list` names the endpoints: `ringtrace trunk add`, or `ringtrace "
            "destination change`.",
        )
        for key, names in bad
    ]


async def _missing_extensions(case: Case, destinations: Iterable[Destination]) -> set[str]:
    """The extension@context of these destinations that Asterisk's dialplan does not have."""
    wanted = set().union(*(destination.extensions() for destination in destinations))
    missing = set()
    for extension in sorted(wanted):
        if "=> 1. " not in await case.console().run(f"dialplan show {extension}"):
            missing.add(extension)
    return missing
