"""Adds, changes, removes and checks connections and their rules."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from router.domain.delivery.call_event import FACTS
from router.domain.delivery.codes import SendingCode
from router.domain.delivery.connection import Connection, ReceiverHealth, Rules, recovered
from router.domain.delivery.delivery import Webhook
from router.domain.delivery.outcome import Outcome
from router.domain.delivery.templates import fault_of
from router.domain.names import check_key
from router.domain.visitors.site import Destination, Site
from router.errors import Conflict, InvalidInput
from router.service.delivery.catalogue import check_catalogue
from router.service.delivery.outcomes import Refused
from router.service.delivery.ports import Check
from router.service.ports import Session, Store

LONGEST_WAIT = timedelta(days=7)
MOST_DAYS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A connection with its health; `health` is None if nothing was ever sent."""

    connection: Connection
    health: ReceiverHealth | None

    def rests(self, now: datetime) -> bool:
        """Whether it is paused now."""
        return self.health is not None and self.health.paused_until > now


class Examined(Protocol):
    """The checks that every adapter offers."""

    async def check(self) -> Sequence[Check]: ...
    async def prepare(self) -> Sequence[str]: ...


async def list_connections(store: Store) -> list[Standing]:
    """Every connection, ordered by name."""
    async with store.read() as session:
        connections = await session.find(Connection)
        accounts = await session.get_many(
            ReceiverHealth, {connection.id for connection in connections}
        )
    standings = []
    for connection in connections:
        standings.append(Standing(connection=connection, health=accounts.get(connection.id)))
    return standings


async def show_connection(store: Store, name: str) -> Standing:
    """One connection. Raises `NotFound`."""
    async with store.read() as session:
        return Standing(
            connection=await session.get(Connection, name),
            health=await session.peek(ReceiverHealth, name),
        )


async def find_connection(store: Store, name: str) -> Connection | None:
    """The connection with this name, if any."""
    async with store.read() as session:
        return await session.peek(Connection, name)


async def check_connection(store: Store, connection: Connection) -> None:
    """Raises what `keep_connection` would, before the account is contacted."""
    async with store.read() as session:
        await _check(session, connection)


async def keep_connection(
    store: Store, connection: Connection, now: datetime, keep: Callable[[], None]
) -> None:
    """Store a new or changed connection; `keep` stores its token first. Deliveries that waited
    because of the old token or address are retried at once. Raises `InvalidInput` for invalid
    rules, and `Conflict` if a webhook has the name.
    """
    async with store.write() as session:
        await _check(session, connection)
        if await session.peek(Connection, connection.id) is None:
            await session.add(connection)
        else:
            await session.change(connection)
            session.configuration.note_secret(connection, "token")
        health = await session.receivers.lock(connection.id, now)
        await session.receivers.save(recovered(health, now))
        keep()


async def change_connection(store: Store, connection: Connection, now: datetime) -> None:
    """Store a changed connection and end its pause. Raises `NotFound`, and `InvalidInput` for bad
    rules.
    """
    async with store.write() as session:
        await _check(session, connection)
        health = await session.peek(ReceiverHealth, connection.id)
        if health is not None:
            await session.receivers.save(recovered(health, now))
        await session.change(connection)


async def unknown_names(store: Store, rules: Rules) -> list[str]:
    """Names in `responsible` that match no destination and no phone of one."""
    async with store.read() as session:
        destinations = await session.find(Destination)
    known = {destination.id for destination in destinations} | {
        phone for destination in destinations for phone in destination.phones()
    }
    return [name for name in rules.responsible if name not in known]


async def remove_connection(store: Store, name: str, *, force: bool = False) -> int:
    """Remove a connection; returns how many pending deliveries failed. Entities stay. Raises
    `NotFound`, and `Conflict` while deliveries are pending, unless `force`.
    """
    async with store.write() as session:
        await session.remove(Connection, name)
        reason = Outcome.of(SendingCode.CONNECTION_REMOVED, receiver=name)
        return await give_up(session, name, reason, force=force)


async def give_up(session: Session, name: str, reason: Outcome, *, force: bool) -> int:
    """Fail the pending deliveries of a removed receiver; returns their number. Raises `Conflict` if
    there are any, unless `force`.
    """
    if await session.peek(ReceiverHealth, name) is not None:
        await session.remove(ReceiverHealth, name)
    waited = await session.deliveries.give_up(name, reason)
    if waited and not force:
        many = f"Pending deliveries for '{name}' that would fail: {waited}."
        raise Conflict(f"{many} Nothing was removed.")
    return waited


async def examine(store: Store, connection: Connection, account: Examined) -> list[Check]:
    """Check token, rights and rules. Raises `Conflict` if the account refuses everything."""
    try:
        checks = list(await account.check())
        if all(check.well or check.optional for check in checks):
            checks += await check_catalogue(store, connection, account)
        return checks
    except Refused as error:
        raise Conflict(f"The account refuses the check: {error}") from error


async def prepare(account: Examined) -> list[str]:
    """Let the adapter find or create its fields; returns those created. Raises `Conflict` if it has
    no right.
    """
    try:
        return list(await account.prepare())
    except Refused as error:
        raise Conflict(f"The fields could not be created: {error}") from error


async def _check(session: Session, connection: Connection) -> None:
    check_key("connection", connection.id)
    check_rules(connection.rules)
    if await session.peek(Webhook, connection.id) is not None:
        raise Conflict(
            f"A webhook is already called '{connection.id}': names of receivers must be unique."
        )
    if connection.site_id is not None and await session.peek(Site, connection.site_id) is None:
        raise InvalidInput(f"there is no site '{connection.site_id}': add it first")


def check_rules(rules: Rules) -> None:
    """Raises `InvalidInput` for contradictory rules or unknown names."""
    longest = LONGEST_WAIT.total_seconds()
    for name in ("shortest_talk", "before", "settle", "prefer", "wait"):
        if not 0 <= getattr(rules, name) <= longest:
            raise InvalidInput(
                f"{name.replace('_', ' ')} is a time from 0 to {longest:.0f} seconds"
            )
    if not rules.settle <= rules.prefer <= rules.wait:
        raise InvalidInput(
            f"settle ({rules.settle:.0f} s), prefer ({rules.prefer:.0f} s) and wait "
            f"({rules.wait:.0f} s) must be in ascending order"
        )
    if not rules.targets or len(set(rules.targets)) < len(rules.targets):
        raise InvalidInput(
            "name the kinds of entities to search for, the preferred one first, each once"
        )
    if not 1 <= rules.recording_days <= MOST_DAYS:
        raise InvalidInput(f"a link to a recording works for 1 to {MOST_DAYS} days")
    check_fields(rules.fields)
    for part, template in rules.templates.items():
        if fault := fault_of(template):
            raise InvalidInput(f"the template of the {part}: {fault}")


def check_fields(fields: Mapping[str, str]) -> None:
    """Raises `InvalidInput` for unknown facts."""
    unknown: Sequence[str] = [fact for fact in fields if fact not in FACTS]
    if unknown:
        raise InvalidInput(f"there is no fact '{unknown[0][:40]}'; use one of {', '.join(FACTS)}")
    for fact, field in fields.items():
        if not field.strip():
            raise InvalidInput(f"the fact '{fact}' needs the name of a CRM field")
