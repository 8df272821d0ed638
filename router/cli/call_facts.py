"""The facts of one call, as `ringtrace call show` prints them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from router.cli.output import (
    duration,
    moment,
    phone,
)
from router.domain.calls.call import (
    Direction,
    Recording,
)
from router.domain.visitors.visit import Visit
from router.service.calls.browse import CallView

LEAST = 0.5  # seconds: shorter values are not shown


def call_facts(view: CallView) -> Iterable[tuple[str, Any]]:
    call = view.call
    yield "call", call.id
    if call.direction is Direction.OUTGOING:
        yield "direction", f"outgoing, by {call.started_by or '?'}"
        yield "calls back", call.answers_call_id
    yield "caller", phone(call.caller, call.caller_raw) or "anonymous"
    yield "name", call.caller_name or None
    yield "number", phone(call.number, call.did)
    yield "site", call.site_id
    yield "trunk", call.trunk
    yield "arrived", moment(call.arrived_at)
    yield "ended", moment(call.ended_at) or None
    yield "ending", call.ending or call.state
    yield "disposition", call.disposition
    yield "wait", duration(call.wait_seconds)
    if call.answered_at:
        yield "talk", duration(call.talk_seconds)
    if call.hold_seconds >= LEAST:
        yield "on hold", duration(call.hold_seconds)
    if call.transfer_seconds >= LEAST:
        yield "in transfer", duration(call.transfer_seconds)
    if call.withheld:
        yield "withheld", "by the caller"
    if call.forwarded_to:
        yield "forwarded to", f"{call.forwarded_to}: requested by a phone, not followed"
    if call.clock_stepped:
        yield "clock", "changed during the call: times are estimates"
    yield "destination", call.destination_id
    yield "answered by", call.answered_by
    if call.last_answered_by != call.answered_by:
        yield "last to talk", call.last_answered_by
    yield "routed by", call.routed_by
    yield "verdict", call.verdict
    yield "tags", [tag.name for tag in view.tags] or None


def time_text(at: datetime | None) -> str | None:
    if not at:
        return None
    return at.astimezone().strftime("%H:%M:%S")


def visit_facts(visit: Visit) -> Iterable[tuple[str, Any]]:
    yield "began", visit.started_at
    for name in ("source", "medium", "campaign", "term", "content", "landing", "referrer"):
        yield name, getattr(visit, name)
    yield from sorted(visit.click_ids.items())


def recording_facts(recording: Recording) -> Iterable[tuple[str, Any]]:
    yield "state", recording.state
    yield "why", recording.reason and str(recording.reason)
    yield "length", duration(recording.seconds) or None
    yield "caller spoke", _part(recording.caller_speech_seconds)
    yield "company spoke", _part(recording.company_speech_seconds)
    yield "talk-over", _part(recording.talk_over_seconds)
    yield "longest silence of the caller", _part(recording.caller_longest_silence_seconds)
    yield "longest silence of the company", _part(recording.company_longest_silence_seconds)
    yield "longest silence of both", _part(recording.shared_silence_seconds)
    yield "level of the caller", _level(recording.caller_level_dbfs)
    yield "level of the company", _level(recording.company_level_dbfs)
    yield "bytes", recording.bytes
    yield "stored as", recording.key
    yield "warnings", recording.warnings or None


def _part(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return f"{seconds:.1f} s"


def _level(dbfs: float | None) -> str | None:
    if dbfs is None:
        return None
    return f"{dbfs:.0f} dBFS"
