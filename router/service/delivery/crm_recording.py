"""Puts a call, with its recording if there is one, into the CRM's own list of calls."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from router.domain.calls.call import Recording, RecordingState
from router.domain.calls.recording_link import file_name
from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.crm_plan import responsible_for
from router.domain.delivery.entity import Ref
from router.domain.delivery.outcome import Outcome
from router.domain.delivery.templates import Part, render
from router.service.delivery.crm_ports import CallRecord, HasCallRecords
from router.service.delivery.outcomes import ReceiverUnavailable, Refused, SendResult

# a recording and until when its link works → the link
MakeLink = Callable[[Recording, datetime], str]


async def send_recording(
    crm: object,
    connection: Connection,
    call: CallEvent,
    recording: Recording | None,
    refs: Sequence[Ref],
    make_link: MakeLink,
    now: datetime,
) -> SendResult:
    """Add the call, its recording as a link that needs no log-in. Raises `Refused` and
    `ReceiverUnavailable`, never with the link in their words.
    """
    if not isinstance(crm, HasCallRecords):
        raise Refused(CrmCode.NO_CALL_LIST)
    if recording is not None and recording.state is not RecordingState.STORED:
        recording = None
    if recording is None and not call.answered:
        return SendResult(said=Outcome.of(CrmCode.RECORDING_GONE))
    if not refs:
        return SendResult(said=Outcome.of(CrmCode.CALL_NOT_LISTED))

    if not call.caller:
        return SendResult(said=Outcome.of(CrmCode.CALL_WITHOUT_PHONE))
    rules = connection.rules
    until = now + timedelta(days=rules.recording_days)
    listed, link, name, seconds = CrmCode.CALL_LISTED, "", "", 0.0
    if recording:
        listed = CrmCode.RECORDING_LISTED
        link, name = make_link(recording, until), file_name(recording)
        seconds = recording.seconds or 0.0

    record = CallRecord(
        call=call,
        link=link,
        file_name=name,
        seconds=seconds,
        refs=refs,
        responsible=responsible_for(call, rules),
        text=render(Part.TITLE, call, rules.language, rules.templates),
    )
    try:
        await crm.calls.record(record)
    except Refused as error:
        raise Refused(_hidden(error.outcome, link)) from None
    except ReceiverUnavailable as error:
        raise ReceiverUnavailable(_hidden(error.outcome, link), pause=error.pause) from None
    return SendResult(said=Outcome.of(listed))


def _hidden(outcome: Outcome, link: str) -> Outcome:
    """Without the signature, which a CRM may say back."""
    if not link:
        return outcome
    query = urlsplit(link).query
    text = json.dumps(outcome.params, ensure_ascii=False)
    for secret in (query, query.rpartition("=")[2]):
        text = text.replace(secret, "…")
    also = tuple(_hidden(part, link) for part in outcome.also)
    return replace(outcome, params=json.loads(text), also=also)
