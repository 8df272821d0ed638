"""Small builders for tests: domain records with harmless defaults, and what a call writes into the
cel_log.
"""

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from router.domain.calls.ledger import Row
from router.domain.delivery.delivery import Webhook
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import Destination, NumberKind, Pool, Site, Step, TrackingNumber
from router.domain.visitors.visit import Visit, Visitor
from router.store.engine import SqlStore

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DID = "+74950000001"
OTHER_DID = "+74950000002"
STATIC_DID = "+74950000009"


def later(seconds: float) -> datetime:
    """A moment after noon."""
    return NOON + timedelta(seconds=seconds)


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def site(id: str = "shop", **fields: Any) -> Site:  # noqa: A002
    return Site(
        **{"id": id, "name": id.title(), "destination_id": "office", "created_at": NOON, **fields}
    )


def destination(id: str = "office", *dials: str, **fields: Any) -> Destination:  # noqa: A002
    steps = tuple(Step(dial=dial, ring_seconds=20) for dial in dials or ("PJSIP/company",))
    return Destination(
        **{"id": id, "name": id.title(), "steps": steps, "created_at": NOON, **fields}
    )


def pool(id: str = "main", **fields: Any) -> Pool:  # noqa: A002
    times = {"hold_seconds": 600, "freeze_seconds": 300, "created_at": NOON}
    return Pool(**{"id": id, "site_id": "shop", "name": id.title(), **times, **fields})


def dynamic(e164: str = DID, **fields: Any) -> TrackingNumber:
    times = {"free_at": later(-3600), "created_at": NOON}
    return TrackingNumber(
        **{
            "e164": e164,
            "site_id": "shop",
            "kind": NumberKind.DYNAMIC,
            "pool_id": "main",
            **times,
            **fields,
        }
    )


def static(e164: str = STATIC_DID, **fields: Any) -> TrackingNumber:
    times = {"free_at": NOON, "created_at": NOON}
    return TrackingNumber(
        **{"e164": e164, "site_id": "shop", "kind": NumberKind.STATIC, **times, **fields}
    )


def visitor(id: str = "anna", **fields: Any) -> Visitor:  # noqa: A002
    return Visitor(
        **{"id": id, "site_id": "shop", "ga_client_id": "123.456", "created_at": NOON, **fields}
    )


def visit(id: str = "anna-1", **fields: Any) -> Visit:  # noqa: A002
    return Visit(
        **{"id": id, "visitor_id": "anna", "started_at": NOON, "source": "google", **fields}
    )


def lease(id: str = "lease-1", **fields: Any) -> Lease:  # noqa: A002
    who = {"number": DID, "pool_id": "main", "visitor_id": "anna", "visit_id": "anna-1"}
    times = {"started_at": NOON, "seen_at": NOON, "frozen_at": later(300), "ends_at": later(600)}
    return Lease(**{"id": id, **who, **times, **fields})


def webhook(id: str = "crm", **fields: Any) -> Webhook:  # noqa: A002
    return Webhook(**{"id": id, "url": "http://127.0.0.1:9/", "created_at": NOON, **fields})


async def furnish(
    store: SqlStore, *more: Any, numbers: Iterable[TrackingNumber] | None = None
) -> None:
    """One site with its line, a pool and numbers; then whatever more is named."""
    given = (dynamic(), dynamic(OTHER_DID), static()) if numbers is None else numbers
    async with store.write() as session:
        await session.add(destination(), site(), pool(), *given, *more)


class Story:
    """What one call writes into the CEL log, in the order in which Asterisk 22 writes it.

    Each verb adds rows; `at` moves on by itself or with `wait`.
    """

    def __init__(
        self, serial: int = 0, *, at: datetime = NOON, did: str = DID[1:], **caller: str
    ) -> None:
        self.at, self.did = at, did
        self.linkedid = f"rt1-{int(at.timestamp())}.{serial}"
        self.caller = {
            "number": "+79161234567",
            "name": "Visitor",
            "channel": f"PJSIP/carrier-{serial:08x}",
            **caller,
        }
        self.rows: list[Row] = []
        self._serial, self._legs, self._step = serial, 0, 0

    def add(self, event: str, *, uniqueid: str = "", channel: str = "", **extra: Any) -> Self:
        """One row; of the caller's channel unless another is named."""
        ours = uniqueid in {"", self.linkedid}
        self.at += timedelta(milliseconds=1)
        row = Row(
            event=event,
            at=self.at,
            uniqueid=uniqueid or self.linkedid,
            linkedid=self.linkedid,
            channel=channel or self.caller["channel"],
            caller_number=self.caller["number"] if ours else "",
            caller_name=self.caller["name"] if ours else "",
            extension=self.did if event == "CHAN_START" else "s",
            context="ringtrace-from-trunk" if event == "CHAN_START" else "ringtrace-company-line",
            extra=extra,
        )
        self.rows.append(row)
        return self

    def said(self, event: str, **facts: object) -> Self:
        """What the dialplan says with CELGenUserEvent."""
        return self.add(event, extra="&".join(f"{name}={value}" for name, value in facts.items()))

    def wait(self, seconds: float) -> Self:
        self.at += timedelta(seconds=seconds)
        return self

    def arrives(self) -> Self:
        return self.add("CHAN_START").said("RINGTRACE_CALL", did=self.did, trunk="carrier")

    def routed(self, *, by: str = "agent", destination: str = "office", number: str = DID) -> Self:
        return self.said(
            "RINGTRACE_ROUTE",
            by=by,
            number=number,
            destination=destination,
            lease="",
            file=self.linkedid,
        )

    def dials(self, endpoint: str = "company") -> Self:
        """The next step: a leg of the company begins."""
        self._step += 1
        self._legs += 1
        self.said("RINGTRACE_STEP", step=self._step, dial=f"PJSIP/{endpoint}")
        return self.add("CHAN_START", **self._leg(endpoint))

    def answered(self, endpoint: str = "company", bridge: str = "b1") -> Self:
        leg, room = self._leg(endpoint), {"bridge_id": bridge, "bridge_technology": "simple_bridge"}
        self.add("ANSWER", **leg).add("ANSWER")
        return self.add("BRIDGE_ENTER", **leg, **room).add("BRIDGE_ENTER", **room)

    def leg_ends(self, cause: int, endpoint: str = "company") -> Self:
        leg = self._leg(endpoint)
        return self.add("HANGUP", **leg, hangupcause=cause).add("CHAN_END", **leg)

    def over(self, status: str = "", cause: int = 16, ring: object = "") -> Self:
        """The caller's channel ends, and with it the call."""
        self.said("RINGTRACE_END", status=status, cause=cause, step=self._step or "", ring=ring)
        return (
            self.add("HANGUP", hangupcause=cause, dialstatus=status)
            .add("CHAN_END")
            .add("LINKEDID_END")
        )

    def _leg(self, endpoint: str) -> dict[str, Any]:
        serial = self._serial + self._legs
        uniqueid = self.linkedid.rpartition(".")[0] + f".{serial}"
        return {"uniqueid": uniqueid, "channel": f"PJSIP/{endpoint}-{serial:08x}"}


def answered_call(serial: int = 0, *, talk: float = 60, ring: float = 5, **fields: Any) -> Story:
    story = Story(serial, **fields).arrives().routed().dials().wait(ring).answered().wait(talk)
    return story.leg_ends(16).over("ANSWER", ring=3)


def missed_call(serial: int = 0, **fields: Any) -> Story:
    return (
        Story(serial, **fields)
        .arrives()
        .routed()
        .dials()
        .wait(20)
        .leg_ends(16)
        .over("NOANSWER", 19, ring=3)
    )


def line(row: Row) -> str:
    """The row as cel_custom writes it: every field quoted, quotes doubled, anything else as it
    is.
    """
    extra = json.dumps(dict(row.extra), separators=(",", ":")) if row.extra else ""
    user = row.event if row.event.startswith("RINGTRACE_") else ""
    stamp = f"{int(row.at.timestamp())}.{row.at.microsecond:06d}"
    who = (
        row.uniqueid,
        row.linkedid,
        row.channel,
        row.caller_number,
        row.caller_name,
        row.extension,
        row.context,
    )
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(
        (row.event, stamp, *who, user, extra)
    )
    return text.getvalue()


def lines(rows: Iterable[Row]) -> bytes:
    """Rows as the CEL log holds them."""
    return "".join(line(row) for row in rows).encode()
