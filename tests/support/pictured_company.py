"""A company with four weeks of visits and a day of calls, for the pictures of the documentation.

Everything follows from one seed, so a picture changes only when its page does.
"""

import io
import random
import wave
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from router.domain.attribution.terms import Candidate, Evidence, Verdict
from router.domain.calls.call import Call, Disposition, Ending, Recording, RecordingState, Tag
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.connection import Connection, Mode
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.delivery import DeliveryState
from router.domain.delivery.entity import CreatedBy, Entity, EntityKind, Found, Ref
from router.domain.delivery.outcome import Outcome
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import NumberKind, Pool, TrackingNumber
from router.domain.visitors.visit import DisplayLevel, Fallback, Reason, Tap, Visit, Visitor
from tests.support.web_calls import a_call, a_delivery, a_recording
from tests.support.web_world import World

SECONDS = 124  # of the recording
RATE = 8000
NUMBERS = 8
DAYS = 29
CLIENT_ID = "1290417735.1769411830"
DEAL = Ref(kind=EntityKind.DEAL, id="58214")
PEOPLE = (  # caller, name, source, medium, campaign, verdict
    ("+79161234567", "Ivan Petrov", "google", "cpc", "winter-tyres", Verdict.EXACT),
    ("+79037654321", "", "yandex", "cpc", "tyres-moscow", Verdict.EXACT),
    ("+79265550142", "Anna", "google", "organic", None, Verdict.FROZEN),
    ("+74957770011", "", None, None, None, Verdict.STATIC),
    ("+79154443322", "", "yandex", "organic", None, Verdict.EXACT),
    ("+79031112233", "Olga Smirnova", "vk", "cpc", "spring", Verdict.CONTESTED),
    ("+79167778899", "", None, None, None, Verdict.UNKNOWN),
    ("+79261230987", "", "google", "cpc", "winter-tyres", Verdict.EXACT),
    ("+79039998877", "Sergey", "newsletter", "email", "january", Verdict.STALE),
    ("+79150001122", "", "yandex", "cpc", "tyres-moscow", Verdict.REPEAT),
)
MISSED = {4: Ending.NO_ANSWER, 7: Ending.BUSY}


async def fill(world: World) -> Call:
    """Visits, leases, calls, proofs and deliveries up to now; the newest call."""
    chance = random.Random(2026)
    now = world.clock.now
    calls = list(_calls(now))
    newest = calls[0]
    async with world.store.write() as session:
        await session.add(*_numbers(now), *_visitors(calls), *_month(now, chance))
        await session.calls.save([*_proved(now, chance), *reversed(calls)])
        await session.add(*_proofs(now, chance), *_deliveries(calls))
        await session.recordings.save([_recording(call, chance) for call in calls])
        for call in calls:
            if call.ending in MISSED.values():
                await session.tags.add(_tag(call, "missed", "rule"))
        await session.tags.add(_tag(newest, "new customer", "anna"))
        await session.tags.add(_tag(calls[2], "call back", "anna"))
    return newest


def sound() -> bytes:
    """As many seconds of silence as the recording has."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(bytes(4 * RATE * SECONDS))
    return file.getvalue()


def _numbers(now: datetime) -> Iterator[object]:
    yield Pool(id="contacts", site_id="shop", name="Contacts page", on_request=True, created_at=now)
    for last in range(2, NUMBERS):
        yield TrackingNumber(
            e164=f"+7495123456{last}",
            site_id="shop",
            kind=NumberKind.DYNAMIC,
            pool_id="visitors",
            free_at=now,
            created_at=now - timedelta(days=60),
        )


def _calls(now: datetime) -> Iterator[Call]:
    """The newest first."""
    for place, (caller, name, source, _, _, verdict) in enumerate(PEOPLE):
        at = now - timedelta(minutes=4 + 37 * place)
        known = verdict not in (Verdict.STATIC, Verdict.UNKNOWN, Verdict.CONTESTED)
        ids = {"visitor_id": f"p{place}", "visit_id": f"p{place}", "lease_id": f"p{place}"}
        call = a_call(
            f"{place}",
            at,
            caller=caller,
            caller_name=name,
            verdict=verdict,
            source=source,
            **(ids if known else {}),
        )
        yield _special(place, call)


def _special(place: int, call: Call) -> Call:
    """What a call has that others have not."""
    if call.verdict is Verdict.STATIC:
        return replace(call, number="+74951234599", did="74951234599", channel="billboard")
    if place in MISSED:
        return replace(
            call,
            ending=MISSED[place],
            disposition=Disposition.NO_ANSWER,
            answered_at=None,
            answered_by=None,
            talk_seconds=0.0,
            wait_seconds=22.0,
        )
    if place == 0:
        own = _candidate(0, 0.94, Evidence.ON_PAGE, Evidence.TAPPED, Evidence.SAME_REGION)
        return replace(call, candidates=(own, _candidate(8, 0.03, Evidence.ENDED)))
    if call.verdict is Verdict.CONTESTED:
        pair = (_candidate(5, 0.46, Evidence.ON_PAGE), _candidate(2, 0.41, Evidence.FROZEN))
        return replace(call, candidates=pair)
    return call


def _candidate(place: int, probability: float, *evidence: Evidence) -> Candidate:
    key = f"p{place}"
    ids = {"lease_id": key, "visitor_id": key, "visit_id": key}
    return Candidate(**ids, probability=probability, evidence=evidence)


def _visitors(calls: list[Call]) -> Iterator[object]:
    """Who made each call, and the lease of their number."""
    for place, call in enumerate(calls):
        _, _, source, medium, campaign, _ = PEOPLE[place]
        came = call.arrived_at - timedelta(minutes=3)
        key = f"p{place}"
        yield Visitor(
            id=key,
            site_id="shop",
            ga_client_id=CLIENT_ID,
            ga_session_id="1769421400",
            ym_client_id="1769411830482913377",
            created_at=came - timedelta(days=2),
        )
        yield Visit(
            id=key,
            visitor_id=key,
            started_at=came,
            source=source,
            medium=medium,
            campaign=campaign,
            channel="Paid Search" if medium == "cpc" else None,
            term="winter tyres r16" if medium == "cpc" else None,
            landing="https://shop.example/tyres",
            referrer="https://www.google.com/" if source == "google" else None,
            click_ids={"gclid": "Cj0KCQiA4NWrBhD"} if place == 0 else {},
        )
        yield _lease(key, key, came, place)


def _lease(key: str, visit: str, at: datetime, place: int) -> Lease:
    frozen = at + timedelta(minutes=5)
    return Lease(
        id=key,
        number=f"+7495123456{place % NUMBERS}",
        pool_id="visitors",
        visitor_id=visit,
        visit_id=visit,
        started_at=at,
        seen_at=frozen,
        frozen_at=frozen,
        ends_at=at + timedelta(minutes=30),
    )


def _month(now: datetime, chance: random.Random) -> Iterator[object]:
    """Visits and leases of four weeks: few at night, many at noon; some found no number."""
    first = (now - timedelta(days=DAYS)).replace(hour=0, minute=0)
    yield Visitor(id="many", site_id="shop", created_at=first)
    for hour in range(24 * DAYS):
        start = first + timedelta(hours=hour)
        busy = max(0, 6 - abs(start.hour - 10)) * (1 if start.weekday() < 5 else 0.5)
        for place in range(round(busy * chance.uniform(0.6, 1.5))):
            at = start + timedelta(minutes=chance.randrange(55))
            key = f"h{hour}-{place}"
            yield Visit(id=key, visitor_id="many", started_at=at, source="google")
            if place < NUMBERS:
                yield replace(_lease(key, "many", at, place), visit_id=key)
            else:
                yield _fallback(key, at)


def _fallback(key: str, at: datetime) -> Fallback:
    own = {"level": DisplayLevel.OWN, "reason": Reason.EMPTY, "number": None}
    return Fallback(id=key, visit_id=key, pool_id="visitors", at=at, **own)  # type: ignore[arg-type]


def _proved_at(now: datetime, place: int) -> datetime:
    return now - timedelta(days=1 + place % 25, minutes=place)


def _proved(now: datetime, chance: random.Random) -> Iterator[Call]:
    """Earlier calls whose visitor tapped the number; rightly predicted as often as they should."""
    for place in range(160):
        given = chance.choice((0.35, 0.55, 0.75, 0.85, 0.95))
        who = "many" if chance.random() < given else "other"
        guess = Candidate(lease_id=None, visitor_id=who, visit_id="tapped", probability=given)
        name, at = f"1{place:03}", _proved_at(now, place)
        yield a_call(name, at, candidates=(guess,), caller=f"+7916555{place:04}", caller_name="")


def _proofs(now: datetime, chance: random.Random) -> Iterator[object]:
    yield Visit(id="tapped", visitor_id="many", started_at=now - timedelta(days=28))
    for place in range(160):
        at = _proved_at(now, place) - timedelta(seconds=chance.randrange(10, 90))
        yield Tap(id=f"t{place}", visit_id="tapped", number="+74951234560", at=at)


def _recording(call: Call, chance: random.Random) -> Recording:
    """Who speaks changes every few seconds."""
    if call.ending is not Ending.ANSWERED:
        return a_recording(call, state=RecordingState.DISCARDED)
    sides: tuple[list[float], list[float]] = ([], [])
    while len(sides[0]) < 600:
        speaks, turns = chance.randrange(2), chance.randrange(8, 40)
        for side in (0, 1):
            loud = 0.75 if side == speaks else 0.02
            sides[side].extend(round(loud * chance.uniform(0.15, 1), 3) for _ in range(turns))
    peaks = tuple(tuple(side[:600]) for side in sides)
    levels = {"caller_level_dbfs": -23.0, "company_level_dbfs": -19.0}
    return a_recording(
        call, sound(), float(SECONDS), content_type="audio/wav", peaks=peaks, **levels
    )


def _tag(call: Call, name: str, author: str) -> Tag:
    return Tag(call_id=call.id, name=name, author=author, at=call.arrived_at)


def _deliveries(calls: list[Call]) -> Iterator[object]:
    """A CRM that the telephony fills, and a webhook."""
    newest, later, third = calls[0], calls[1], calls[2]
    yield Connection(
        id="sales",
        kind="amocrm",
        address="https://shop.amocrm.ru/",
        mode=Mode.TELEPHONY,
        created_at=third.arrived_at - timedelta(days=40),
    )
    yield Entity(
        id="entity-1",
        call_id=newest.id,
        connection_id="sales",
        kind=DEAL.kind,
        external_id=DEAL.id,
        created_by=CreatedBy.TELEPHONY,
        client_id=CLIENT_ID,
        at=newest.arrived_at + timedelta(minutes=2),
    )
    written = Outcome.of(CrmCode.CLIENT_ID_WRITTEN, entity=DEAL, field="Google Client ID")
    yield a_delivery(newest, "d1", key="d1", receiver_id="sales", receipt=written)
    yield a_delivery(newest, "d2", key="d2")
    yield a_delivery(
        later,
        "d3",
        key="d3",
        receiver_id="sales",
        state=DeliveryState.NEEDS_REVIEW,
        candidates=_two_deals(later),
        last_error=Outcome.of(CrmCode.SEVERAL_ENTITIES),
        receipt=None,
        done_at=None,
    )
    refusal = Outcome.of(AnswerCode.REFUSED, status=404, detail="Not Found")
    yield a_delivery(
        third, "d4", key="d4", state=DeliveryState.FAILED, last_error=refusal, receipt=None, done_at=None  # noqa: E501
    )  # fmt: skip


def _two_deals(call: Call) -> tuple[Found, ...]:
    """Two deals that the call may belong to."""
    return tuple(
        Found(
            ref=Ref(kind=EntityKind.DEAL, id=id_),
            title=title,
            phones=(call.caller or "",),
            created_at=call.arrived_at + timedelta(seconds=after),
        )
        for id_, title, after in (("58219", "Incoming call", 4), ("58220", "Winter tyres", 9))
    )
