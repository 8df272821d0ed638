"""Deliveries of every state on an installation's pages: needs review, failed, waiting and taken."""

from dataclasses import replace
from datetime import timedelta

from router.domain.calls.call import Call
from router.domain.delivery.codes import AnswerCode, SendingCode
from router.domain.delivery.connection import Connection, Mode, ReceiverHealth
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.delivery import Delivery, DeliveryState
from router.domain.delivery.entity import CreatedBy, Entity, EntityKind, Found, Ref
from router.domain.delivery.outcome import Outcome
from tests.support.web_calls import HOSTILE, a_delivery
from tests.support.web_world import World

DEAL = Ref(kind=EntityKind.DEAL, id="31337")
LEAD = Ref(kind=EntityKind.LEAD, id="31338")


def a_connection(world: World, id: str = "amo", **more: object) -> Connection:  # noqa: A002
    """An amoCRM account that the telephony fills."""
    connection = Connection(
        id=id,
        kind="amocrm",
        address="https://shop.amocrm.ru/",
        mode=Mode.TELEPHONY,
        created_at=world.clock.now,
    )
    return replace(connection, **more)  # type: ignore[arg-type]


def needs_review(call: Call, id: str, *candidates: Found, **more: object) -> Delivery:  # noqa: A002
    """A delivery that waits for a person."""
    reason = (
        Outcome.of(CrmCode.SEVERAL_ENTITIES)
        if candidates
        else Outcome.of(CrmCode.NO_ENTITY, seconds=900)
    )
    told = {
        "state": DeliveryState.NEEDS_REVIEW,
        "candidates": candidates,
        "last_error": reason,
        "done_at": None,
    }
    return a_delivery(
        call, id, key=f"{id}:needs_review", receiver_id="amo", receipt=None, **{**told, **more}
    )


def two_deals(call: Call) -> tuple[Found, ...]:
    """What cannot be distinguished, one of them with a hostile title."""
    at = call.arrived_at + timedelta(seconds=3)
    return (
        Found(
            ref=DEAL, title="Call +7 916 123-45-67", phones=("8 (916) 123-45-67",), created_at=at
        ),
        Found(
            ref=LEAD, title=HOSTILE, phones=("<i>+79161234567",), open=False, client_id="<u>1.2</u>"
        ),
    )


async def furnish_deliveries(world: World, calls: dict[str, Call]) -> None:
    """One of everything, besides what `furnish` made: two failed, one pending and one taken."""
    now, attributed = world.clock.now, calls["attributed"]
    rest = ReceiverHealth(
        receiver_id="amo",
        next_at=now,
        failures=4,
        paused_until=now + timedelta(minutes=2),
        reason=Outcome.of(AnswerCode.UNAVAILABLE, status=429, detail="<b>Slow</b>"),
    )
    entity = Entity(
        id="entity-1", call_id=attributed.id, connection_id="amo", kind=EntityKind.DEAL, external_id="777",  # noqa: E501
        created_by=CreatedBy.TELEPHONY, client_id="1234567890.1768900000", at=now,
    )  # fmt: skip
    async with world.store.write() as session:
        await session.add(a_connection(world), rest, entity)
        await session.add(
            needs_review(attributed, "u1", *two_deals(attributed)),
            needs_review(calls["stale"], "u2"),
            a_delivery(
                calls["busy"], "p1", key="waits", receiver_id="amo", state=DeliveryState.PENDING, done_at=None,  # noqa: E501
                receipt=None, due_at=now - timedelta(seconds=5),
            ),
            a_delivery(
                calls["missed"], "x1", key="gone", receiver_id="gone", state=DeliveryState.FAILED, done_at=None,  # noqa: E501
                receipt=None, last_error=Outcome.of(SendingCode.RECEIVER_REMOVED, receiver="gone"),
            ),
        )  # fmt: skip
