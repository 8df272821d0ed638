"""What a kind of receiver declares for rules and pages.

Each folder in `router/receivers` declares one; the store brings them into every transaction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from router.domain.delivery.connection import Connection, Mode
from router.domain.delivery.delivery import DEADLINE
from router.domain.delivery.entity import EntityKind


def origin(address: str) -> str | None:
    """Scheme, host and port of a web address; None for other text."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host:
        return None
    if ":" in host:
        host = f"[{host}]"
    if port:
        host = f"{host}:{port}"
    return f"{parts.scheme}://{host}"


def own_server(connection: Connection) -> str | None:
    """The connection's address, with the path below which a server of one's own is installed."""
    where = origin(connection.address)
    if where is None:
        return None
    path = urlsplit(connection.address).path.rstrip("/")
    return where + quote(path, safe="/%")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverKind:
    """One kind of CRM or analytics service."""

    title: str
    analytics: bool = False  # an analytics service, which gets events; otherwise a CRM
    tasks: bool = False  # a CRM that has tasks,
    call_records: bool = False  # and a list of calls that plays recordings
    # of an analytics service: it can use a call that has one of these identifiers
    needs_one_of: tuple[str, ...] = ()
    # of an analytics service: for how long after a call it accepts the event
    cut_off: timedelta = DEADLINE
    sales_from_their_own_time: bool = False  # the cut-off of a sale counts from the sale
    # its requests are files of many calls: events wait for the next full interval
    every: timedelta | None = None
    batch: int = 1  # deliveries in one request
    # path of an entity's page below `pages_at`, with {id}
    pages: Mapping[EntityKind, str] = field(default_factory=dict)
    pages_at: Callable[[Connection], str | None] = own_server

    def can_use(self, connection: Connection, identifiers: Mapping[str, str]) -> bool:
        """Whether a call with these identifiers is of use to this receiver."""
        if self.analytics:
            return any(name in identifiers for name in self.needs_one_of)
        return connection.mode is Mode.OWN or "ga_client_id" in identifiers

    def due(self, now: datetime) -> datetime:
        """When an event of `now` is sent."""
        if self.every is None:
            return now
        seconds = self.every.total_seconds()
        return datetime.fromtimestamp((now.timestamp() // seconds + 1) * seconds, UTC)

    def sale_deadline(self, called_at: datetime, sold_at: datetime) -> datetime:
        """Until when a sale is accepted."""
        if self.sales_from_their_own_time:
            return sold_at + self.cut_off
        return called_at + self.cut_off

    def page(self, kind: EntityKind, id: str, connection: Connection) -> str | None:  # noqa: A002
        """Address of an entity's page, if the connection's address and options allow it."""
        path = self.pages.get(kind)
        if not path:
            return None
        where = self.pages_at(connection)
        if not where:
            return None
        return where + path.format(id=quote(id, safe=""))


@dataclass(frozen=True, slots=True)
class ReceiverKinds:
    """All kinds, by the name that a connection has in `kind`."""

    declared: Mapping[str, ReceiverKind] = field(default_factory=dict)

    def of(self, connection: Connection) -> ReceiverKind:
        """The connection's kind; one of a newer version counts as a CRM."""
        return self.declared.get(connection.kind) or ReceiverKind(title=connection.kind)


def identifiers(body: Mapping[str, Any]) -> dict[str, str]:
    """What the body of a call knows its visitor by: client IDs and the click IDs of the visit."""
    who = body["attribution"]
    known = {
        **((who["visit"] or {}).get("click_ids") or {}),
        "ga_client_id": who["ga_client_id"],
        "ym_client_id": who["ym_client_id"],
    }
    return {name: value for name, value in known.items() if value}
