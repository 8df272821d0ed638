"""Checks the demo's call: each fact with the value found, and whether it is correct."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.demo.visitor import DemoVisitor, Shown
from router.domain.calls.call import RecordingState
from router.domain.delivery.delivery import DeliveryKind
from router.domain.delivery.outcome import sentence
from router.phone.speech import Samples, speaks
from router.service.calls.browse import CallView

CERTAINTY = 0.5  # the certainty of the demo's site
DELIVERED = (
    DeliveryKind.CALL_ENDED,
    DeliveryKind.RECORDING_READY,
)  # deliveries of one answered call
RECEIVER = "demo-crm"  # a home in use may have other receivers
MOST = 0.7  # of what was said is in the recording: a busy machine loses packets


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One checked fact: its name, the value found, and whether it is correct."""

    name: str
    found: Any
    right: bool


def call_facts(view: CallView, visitor: DemoVisitor, shown: Shown) -> list[Fact]:
    """The call, and the visitor it was attributed to."""
    call = view.call
    client = view.visitor and view.visitor.ga_client_id
    source = call.source
    if view.visit:
        source = f"{call.source} / {view.visit.medium}"
    probability = call.probability or 0.0
    return [
        Fact(name="page opened in", found=shown.by, right=True),
        Fact(name="number", found=call.number, right=call.number == shown.number),
        Fact(name="caller", found=call.caller, right=call.caller == visitor.phone),
        Fact(name="visit", found=call.visit_id, right=call.visit_id == shown.visit_id),
        Fact(name="client ID", found=client, right=client == visitor.client_id),
        Fact(name="source", found=source, right=source == "google / cpc"),
        Fact(name="channel", found=call.channel, right=call.channel == "Paid Search"),
        Fact(name="verdict", found=call.verdict, right=call.verdict == "exact"),
        Fact(name="probability", found=round(probability, 3), right=probability >= CERTAINTY),
        Fact(name="routed by", found=call.routed_by, right=call.routed_by == "agent"),
        Fact(name="ending", found=call.ending, right=call.ending == "answered"),
        Fact(name="wait, s", found=round(call.wait_seconds, 2), right=0.8 < call.wait_seconds < 5),
        Fact(name="talk, s", found=round(call.talk_seconds, 2), right=call.talk_seconds > 3),
    ]


def recording_facts(view: CallView, caller: Samples, company: Samples, fetched: int) -> list[Fact]:
    """The recording, compared with what both sides said."""
    recording, talk = view.recording, view.call.talk_seconds
    if recording is None or recording.state is not RecordingState.STORED:
        return [Fact(name="recording", found=recording and recording.state, right=False)]
    seconds = recording.seconds or 0.0
    left, right = recording.caller_speech_seconds or 0.0, recording.company_speech_seconds or 0.0
    return [
        Fact(name="recording, s", found=round(seconds, 2), right=talk * MOST < seconds < talk + 1),
        Fact(name="caller speaks, s", found=round(left, 2), right=left > speaks(caller) * MOST),
        Fact(name="company speaks, s", found=round(right, 2), right=right > speaks(company) * MOST),
        Fact(name="replayed, bytes", found=fetched, right=fetched == recording.bytes),
    ]


def delivery_facts(
    view: CallView, effects: Mapping[str, Mapping[str, Any]], visitor: DemoVisitor
) -> list[Fact]:
    """Deliveries to the CRM; `effects` are its own, by idempotency key."""
    facts = []
    for kind in DELIVERED:
        made = next(
            (d for d in view.deliveries if d.kind is kind and d.receiver_id == RECEIVER), None
        )
        arrived = made is not None and made.key in effects
        facts.append(
            Fact(name=f"receipt of {kind}", found=made and sentence(made.receipt), right=arrived)
        )
    said = effects.get(f"{DeliveryKind.CALL_ENDED}:{view.call.id}", {}).get("attribution", {})
    told_id = said.get("ga_client_id")
    return [
        *facts,
        Fact(name="client ID in the CRM", found=told_id, right=told_id == visitor.client_id),
    ]


def seconds_of_speech(samples: Samples) -> float:
    """Seconds, rounded for people."""
    return round(speaks(samples), 2)


def like(heard: Samples, said: Samples) -> bool:
    """Whether most of what was said was heard."""
    return speaks(heard) > speaks(said) * MOST
