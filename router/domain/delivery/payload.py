"""The JSON bodies of events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from router.domain.calls.call import Call, Recording, Transfer
from router.domain.mail import Mail
from router.domain.paths import recording_path
from router.domain.visitors.visit import Visit, Visitor


def call_body(
    call: Call,
    visitor: Visitor | None,
    visit: Visit | None,
    *,
    first: bool | None = None,
    tags: Sequence[str] = (),
    target: bool = False,
    spam: bool = False,
) -> dict[str, Any]:
    """A call with its attribution."""
    return {
        "call": {
            "id": call.id,
            "site": call.site_id,
            "number": call.number,
            "did": call.did,
            "caller": call.caller,
            "caller_raw": call.caller_raw,
            "caller_name": call.caller_name,
            "withheld": call.withheld,
            "first": first,
            "arrived_at": _time(call.arrived_at),
            "answered_at": _time(call.answered_at),
            "ended_at": _time(call.ended_at),
            "disposition": call.disposition,
            "ending": call.ending,
            "wait_seconds": round(call.wait_seconds, 3),
            "talk_seconds": round(call.talk_seconds, 3),
            "hold_seconds": round(call.hold_seconds, 3),
            "transfer_seconds": round(call.transfer_seconds, 3),
            "clock_stepped": call.clock_stepped,
            "destination": call.destination_id,
            "answered_by": call.answered_by,
            "last_answered_by": call.last_answered_by,
            "forwarded_to": call.forwarded_to,
            "tags": list(tags),
            "target": target,
            "spam": spam,
            "transfers": [_transfer(transfer) for transfer in call.transfers],
        },
        "attribution": {
            "verdict": call.verdict,
            "probability": _rounded(call.probability),
            "source": call.source,
            "channel": call.channel,
            **_identity(visitor, visit),
        },
    }


def mail_body(mail: Mail, visitor: Visitor | None, visit: Visit | None) -> dict[str, Any]:
    """A message with its attribution. Its text is never read."""
    return {
        "mail": {
            "id": mail.id,
            "site": mail.site_id,
            "message_id": mail.message_id,
            "sender": mail.sender,
            "address": mail.address,
            "arrived_at": _time(mail.arrived_at),
        },
        "attribution": {
            "verdict": mail.verdict,
            "channel": mail.channel,
            **_identity(visitor, visit),
        },
    }


def recording_body(call: Call, recording: Recording) -> dict[str, Any]:
    """A recording that can be fetched at `path` below the pages' address, with a token."""
    return {
        "call": {"id": call.id, "site": call.site_id, "number": call.number, "caller": call.caller},
        "recording": {
            "path": recording_path(call.id),
            "content_type": recording.content_type,
            "bytes": recording.bytes,
            "seconds": recording.seconds,
            "sha256": recording.sha256,
            "caller_speech_seconds": recording.caller_speech_seconds,
            "company_speech_seconds": recording.company_speech_seconds,
            "talk_over_seconds": recording.talk_over_seconds,
        },
    }


def _transfer(transfer: Transfer) -> dict[str, Any]:
    return {
        "kind": transfer.kind,
        "to": transfer.to,
        "at": _time(transfer.at),
        "outcome": transfer.outcome,
        "answered_by": transfer.answered_by,
        "wait_seconds": round(transfer.wait_seconds, 3),
    }


def _identity(visitor: Visitor | None, visit: Visit | None) -> dict[str, Any]:
    return {
        "ga_client_id": visitor and visitor.ga_client_id,
        "ga_session_id": visitor and visitor.ga_session_id,
        "ym_client_id": visitor and visitor.ym_client_id,
        "visitor": visitor and visitor.id,
        "visit": visit and _visit(visit),
    }


def _visit(visit: Visit) -> dict[str, Any]:
    where = (
        "id",
        "landing",
        "referrer",
        "source",
        "medium",
        "campaign",
        "term",
        "content",
        "channel",
    )
    times = {"started_at": _time(visit.started_at), "seen_at": _time(visit.seen_at)}
    return {
        **times,
        **{name: getattr(visit, name) for name in (*where, "click_ids", "ga_session_id")},
    }


def _rounded(probability: float | None) -> float | None:
    if probability is None:
        return None
    return round(probability, 4)


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds")
