"""The calls of a furnished installation, with their recordings and deliveries."""

import hashlib
import math
from dataclasses import replace
from datetime import datetime, timedelta

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import (
    Call,
    Disposition,
    Ending,
    Leg,
    Recording,
    RecordingState,
    RoutedBy,
    State,
    Tag,
)
from router.domain.calls.recording_codes import NoRecordingCode
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState
from router.domain.delivery.outcome import Outcome
from router.domain.visitors.lease import Lease
from router.domain.visitors.visit import Visit, Visitor
from tests.support.web_transfers import lost_in_transfer
from tests.support.web_world import SOUND, World

HOSTILE = '<script>alert("x")</script>‮evil‬ 😀 ' + "A" * 460


def a_call(name: str, at: datetime, **more: object) -> Call:
    """An answered call of two minutes, or what `more` makes of it."""
    answered, ended = at + timedelta(seconds=7), at + timedelta(seconds=131)
    legs = (
        Leg(channel=f"PJSIP/trunk-{name}", role="caller", step=0, started_at=at, answered_at=answered,  # noqa: E501
            ended_at=ended, cause=16),
        Leg(channel=f"PJSIP/company-{name}", role="company", step=1, started_at=at + timedelta(seconds=1),  # noqa: E501
            answered_at=answered, ended_at=ended, cause=16),
    )  # fmt: skip
    call = Call(
        id=f"pbx-1768912345.{name}", did="74951234560", trunk="carrier", number="+74951234560", site_id="shop",  # noqa: E501
        caller="+79161234567", caller_raw="79161234567", caller_name="Ivan Petrov", arrived_at=at,
        answered_at=answered, ended_at=ended, state=State.ENDED, disposition=Disposition.ANSWERED,
        ending=Ending.ANSWERED, wait_seconds=7.0, talk_seconds=124.0, destination_id="office",
        answered_by="company", routed_by=RoutedBy.AGENT, legs=legs, spool_name=f"spool-{name}",
        verdict=Verdict.UNKNOWN,
    )  # fmt: skip
    return replace(call, **more)  # type: ignore[arg-type]


def ringing(name: str, at: datetime, **more: object) -> Call:
    """A call that rings at the company."""
    return a_call(
        name, at, answered_at=None, ended_at=None, state=State.RINGING, disposition=None, ending=None,  # noqa: E501
        wait_seconds=0.0, talk_seconds=0.0, answered_by=None, legs=(), **more,
    )  # fmt: skip


def a_recording(
    call: Call, sound: bytes = SOUND, seconds: float = 124.0, **more: object
) -> Recording:
    """The stored recording of a call."""
    loud = [
        [0.04 + abs(math.sin(i / 9 + s)) * (i // 60 % 2 == s) * 0.9 for i in range(600)]
        for s in (0, 1)
    ]
    recording = Recording(
        call_id=call.id, spool_name=call.spool_name or "", state=RecordingState.STORED,
        expected_seconds=call.talk_seconds, due_at=call.arrived_at, key="2026/01/20/a.mp3",
        content_type="audio/mpeg", bytes=len(sound), sha256=hashlib.sha256(sound).hexdigest(), seconds=seconds,  # noqa: E501
        caller_speech_seconds=seconds * 0.4, caller_silence_seconds=seconds * 0.6,
        company_speech_seconds=seconds * 0.5, company_silence_seconds=seconds * 0.5, talk_over_seconds=3.2,  # noqa: E501
        peaks=tuple(tuple(round(v, 3) for v in side) for side in loud), stored_at=call.ended_at,
    )  # fmt: skip
    return replace(recording, **more)  # type: ignore[arg-type]


def a_delivery(call: Call, name: str, **more: object) -> Delivery:
    """A webhook's delivery that was taken."""
    delivery = Delivery(
        id=name, key=f"call.ended:{call.id}", receiver_id="crm", call_id=call.id, kind=DeliveryKind.CALL_ENDED,  # noqa: E501
        payload={"call": call.id}, state=DeliveryState.DONE, attempts=1, due_at=call.arrived_at,
        deadline_at=call.arrived_at + timedelta(days=3), created_at=call.arrived_at,
        done_at=call.arrived_at + timedelta(minutes=3), receipt=Outcome.text('200 {"lead": 1702}'))  # fmt: skip  # noqa: E501
    return replace(delivery, **more)  # type: ignore[arg-type]


async def furnish(world: World, recording: Recording | None = None) -> dict[str, Call]:
    """One call of every kind, by name; the newest is `attributed`."""
    now = world.clock.now
    at = {name: now - timedelta(minutes=5 + 47 * i) for i, name in enumerate(NAMES)}
    ids = {"visitor_id": "visitor-1", "visit_id": "visit-1", "lease_id": "lease-1"}
    stale = {"visitor_id": "visitor-1", "visit_id": "visit-1", "lease_id": "lease-0"}
    nobody = {
        "answered_at": None,
        "talk_seconds": 0.0,
        "answered_by": None,
        "disposition": Disposition.NO_ANSWER,
    }
    unknown = {"number": None, "did": "74957770000", "site_id": None, "routed_by": RoutedBy.DEFAULT}
    calls = {
        "attributed": a_call("1", at["attributed"], verdict=Verdict.EXACT, **ids),
        "hostile": a_call(
            "2", at["hostile"], caller=None, caller_raw="<b>\"'; DROP", caller_name=HOSTILE
        ),
        "missed": a_call(
            "3",
            at["missed"],
            caller="+4915112345678",
            caller_name="",
            ending=Ending.ABANDONED_RINGING,
            **nobody,
        ),
        "stale": a_call(
            "4",
            at["stale"],
            verdict=Verdict.STALE,
            caller_name="Мария Очень-Длинная-Фамилия",
            **stale,
        ),
        "static": a_call(
            "5", at["static"], number="+74951234599", did="74951234599", verdict=Verdict.STATIC
        ),
        "anonymous": a_call(
            "6", at["anonymous"], caller=None, caller_raw="", caller_name="", **unknown
        ),
        "busy": a_call("7", at["busy"], ending=Ending.BUSY, wait_seconds=1.0, **nobody),
        "transferred": a_call("8", at["transferred"], **lost_in_transfer(at["transferred"])),
    }
    arrived = calls["attributed"].arrived_at
    lease = Lease(
        id="lease-1", number="+74951234560", pool_id="visitors", visitor_id="visitor-1", visit_id="visit-1",  # noqa: E501
        started_at=arrived - timedelta(minutes=4), seen_at=arrived, frozen_at=arrived + timedelta(minutes=5),  # noqa: E501
        ends_at=arrived + timedelta(minutes=30),
    )  # fmt: skip
    over = at["stale"] - timedelta(hours=26)
    before = replace(
        lease,
        id="lease-0",
        started_at=over - timedelta(hours=1),
        seen_at=over,
        frozen_at=over,
        ends_at=over,
    )
    async with world.store.write() as session:
        await session.add(
            Visitor(
                id="visitor-1", site_id="shop", ga_client_id="1234567890.1768900000", ga_session_id="1768912000",  # noqa: E501
                ym_client_id="1768900000123456789", created_at=now - timedelta(days=3),
            ),
            Visit(
                id="visit-1", visitor_id="visitor-1", started_at=arrived - timedelta(minutes=4), source="google",  # noqa: E501
                medium="cpc", campaign="winter-tyres", term="зимние шины <b>", referrer="https://www.google.com/",
                landing="https://shop.example/tyres?gclid=" + "x" * 300, click_ids={"gclid": "Cj0KCQiA-x" * 9},  # noqa: E501
            ),
        )  # fmt: skip
        await session.add(before, lease)
        await session.calls.save(list(reversed(calls.values())))
        await session.recordings.save(
            [
                replace(
                    recording or a_recording(calls["attributed"]), call_id=calls["attributed"].id
                ),
                a_recording(
                    calls["hostile"],
                    state=RecordingState.BROKEN,
                    reason=Outcome.text("caller: 13 bytes, not samples"),
                ),
                a_recording(calls["missed"], state=RecordingState.DISCARDED),
                a_recording(
                    calls["stale"],
                    state=RecordingState.MISSING,
                    reason=Outcome.of(NoRecordingCode.NO_SOUND),
                ),
                a_recording(calls["static"], state=RecordingState.WAITING),
            ]
        )
        refused = Outcome.text("answered 500: " + "Internal Server Error <h1>oops</h1> " * 8)
        await session.add(
            a_delivery(calls["attributed"], "d1"),
            a_delivery(
                calls["attributed"], "d2", key="recording.ready:1", kind=DeliveryKind.RECORDING_READY,  # noqa: E501
                state=DeliveryState.FAILED, attempts=27, done_at=None, receipt=None, last_error=refused,  # noqa: E501
            ),
            a_delivery(
                calls["stale"], "d3", state=DeliveryState.PENDING, attempts=2, done_at=None, receipt=None,  # noqa: E501
                last_error=Outcome.text("connection refused"), due_at=now + timedelta(minutes=1),
            ),
        )  # fmt: skip
        attributed, missed = calls["attributed"].id, calls["missed"].id
        for name in ("new customer", "к повтору", "missed"):
            await session.tags.add(Tag(call_id=attributed, name=name, author="anna", at=now))
        await session.tags.add(Tag(call_id=missed, name="missed", author="rule", at=now))
    return calls


NAMES = ("attributed", "hostile", "missed", "stale", "static", "anonymous", "busy", "transferred")
