"""The facts of a call that can be written into a CRM: plain texts by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from router.domain.calls.call import Ending

FACTS = (
    *("client_id", "session_id", "ym_client_id", "gclid", "yclid", "fbclid"),
    *("source", "medium", "campaign", "term", "content", "channel", "landing", "referrer"),
    *(
        "verdict",
        "probability",
        "number",
        "caller",
        "wait_seconds",
        "talk_seconds",
        "destination",
        "tags",
    ),
    *("page", "call_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """The call of a delivery."""

    id: str
    site_id: str | None
    caller: str | None  # E.164; None: anonymous
    withheld: bool = False  # the caller asked that the number is not shown
    number: str | None
    arrived_at: datetime
    ended_at: datetime
    answered: bool
    talk_seconds: float
    destination_id: str | None
    answered_by: str | None = None  # the phone that answered first, as Asterisk calls it
    transfers: Sequence[Mapping[str, Any]] = ()  # as the payload has them
    lost: bool = False  # transferred, and no person took the call
    facts: Mapping[str, str]  # those of FACTS that are known
    # whether this caller had never called the site before; None: anonymous
    first: bool | None = None
    target: bool = False  # a target call, by rules or a person
    spam: bool = False
    visited_at: datetime | None = None  # when the visit began
    seen_at: datetime | None = None  # its last heartbeat

    @property
    def client_id(self) -> str | None:
        """Google's, if the visitor is known."""
        return self.facts.get("client_id")


def read_call(payload: Mapping[str, Any], pages: str) -> CallEvent:
    """Parse the call in a payload; `pages` is the address of the pages. Raises `KeyError`,
    `ValueError`.
    """
    call, who = payload["call"], payload["attribution"]
    visit = who.get("visit") or {}
    arrived, ended = (_moment(call[name]) for name in ("arrived_at", "ended_at"))
    visited, seen = (_moment(visit.get(name)) for name in ("started_at", "seen_at"))
    assert arrived is not None
    return CallEvent(
        id=call["id"],
        site_id=call["site"],
        caller=call["caller"],
        withheld=bool(call.get("withheld")),
        number=call["number"],
        arrived_at=arrived,
        ended_at=ended or arrived,
        answered=call["answered_at"] is not None,
        talk_seconds=call["talk_seconds"],
        destination_id=call["destination"],
        answered_by=call.get("answered_by"),
        transfers=call.get("transfers") or (),
        lost=call.get("ending") == Ending.LOST_IN_TRANSFER,
        facts={name: value for name, value in _facts(call, who, pages).items() if value},
        first=call.get("first"),
        target=bool(call.get("target")),
        spam=bool(call.get("spam")),
        visited_at=visited,
        seen_at=seen or visited,
    )


_CLICKS = ("gclid", "gbraid", "wbraid", "yclid", "fbclid")
_OF_VISIT = ("medium", "campaign", "term", "content", "landing", "referrer")


def _facts(call: Mapping[str, Any], who: Mapping[str, Any], pages: str) -> dict[str, str | None]:
    visit = who.get("visit") or {}
    clicks = visit.get("click_ids") or {}
    probability = who["probability"]
    if probability is not None:
        probability = f"{probability:.2f}"
    return {
        "client_id": who["ga_client_id"],
        "session_id": visit.get("ga_session_id") or who["ga_session_id"],
        "ym_client_id": who["ym_client_id"],
        **{name: clicks.get(name) for name in _CLICKS},
        **{name: visit.get(name) for name in _OF_VISIT},
        "source": who["source"],
        "channel": who["channel"],
        "verdict": who["verdict"],
        "probability": probability,
        "number": call["number"],
        "caller": call["caller"],
        "wait_seconds": f"{call['wait_seconds']:.0f}",
        "talk_seconds": f"{call['talk_seconds']:.0f}",
        "destination": call["destination"],
        "tags": ", ".join(call.get("tags") or ()),
        "page": f"{pages}/calls/{call['id']}",
        "call_id": call["id"],
    }


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    return datetime.fromisoformat(text)
