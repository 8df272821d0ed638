"""The state of trunks in a running Asterisk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from router.asterisk.pjsip import Contact, Pjsip
from router.asterisk.trunks import Trunk, TrunkKind

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Endpoints, registrations and addresses that Asterisk has loaded."""

    endpoints: frozenset[str] = frozenset()
    registrations: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, list[Contact]] = field(default_factory=dict)

    @classmethod
    async def ask(cls, pjsip: Pjsip) -> "Seen":
        """Query the state of all trunks. Raises `AsteriskUnavailable`."""
        return cls(
            endpoints=await pjsip.endpoints(),
            registrations=await pjsip.registrations(),
            contacts=await pjsip.contacts(),
        )

    def state(self, trunk: Trunk) -> str:
        """A trunk's state as text."""
        if trunk.name not in self.endpoints:
            return "not loaded"
        contacts = self.contacts.get(trunk.name, [])
        if trunk.kind is TrunkKind.ACCOUNT:
            return _registered(len(contacts))
        registration = self.registrations.get(trunk.name, "")
        return ", ".join(filter(None, (registration.lower(), *map(_reach, contacts)))) or "loaded"


def _registered(phones: int) -> str:
    if not phones:
        return "no phone registered"
    if phones == 1:
        return "1 phone registered"
    return f"{phones} phones registered, all ring"


def _reach(contact: Contact) -> str:
    words = {"Avail": "reachable", "Unavail": "does not answer OPTIONS", "NonQual": "not asked yet"}
    time = ""
    if contact.milliseconds is not None:
        time = f" in {contact.milliseconds:.0f} ms"

    return words.get(contact.state, contact.state.lower()) + time


async def known_networks(pjsip: Pjsip) -> dict[str, set[Network]]:
    """The addresses of each endpoint."""
    endpoints = await pjsip.endpoints()
    return {name: known for name, known in (await pjsip.networks()).items() if name in endpoints}


def sharing(
    networks: Mapping[str, Iterable[Network]], trunks: Iterable[Trunk]
) -> list[tuple[str, str, str]]:
    """Two endpoints that share an address (a network): Asterisk assigns all calls from there to one
    of them. Two registrations at one carrier may share it: their calls are distinguished by
    their contact.
    """
    registered = {trunk.name for trunk in trunks if trunk.kind is TrunkKind.REGISTRATION}
    pairs = []
    for name, known in sorted(networks.items()):
        for network in known:
            pairs.append((name, network))

    return sorted(
        {
            (first, second, str(min(network, other, key=lambda each: each.num_addresses)))
            for first, network in pairs
            for second, other in pairs
            if first < second and network.version == other.version and network.overlaps(other)
            if not {first, second} <= registered
        }
    )
