"""The migration to outcomes: sentences become codes, and codes sentences on the way down."""

import json
from typing import Any

from sqlalchemy import text

from router.domain.calls.call import Recording, RecordingState
from router.domain.delivery.analytics_codes import GoogleAdsCode
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.connection import ReceiverHealth
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState
from router.domain.delivery.outcome import Outcome, at_place
from router.store.engine import SqlStore
from router.store.migrate import migrate, migrate_down
from tests.integration.store_calls import call, save
from tests.support.builders import NOON

BEFORE = "0028"
REQUEST = at_place(Outcome.of(GoogleAdsCode.GOOGLE_REQUEST, request="r", count=3), 2)
REFUSED = Outcome.of(AnswerCode.REFUSED, status=400, detail="no")


def delivery(name: str, **more: Any) -> Delivery:
    return Delivery(
        id=name, key=name, receiver_id="ads", call_id=None, kind=DeliveryKind.CALL_ENDED,
        payload={}, due_at=NOON, deadline_at=NOON, created_at=NOON, **more,
    )  # fmt: skip


async def _rows(store: SqlStore, query: str) -> list[Any]:
    async with store.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


async def test_outcomes_become_sentences_on_the_way_down_and_codes_on_the_way_up(
    bare_database: str,
) -> None:
    store = SqlStore(bare_database)
    await migrate(store)
    odd = (Outcome.text("odd"), Outcome(code="clipped"))
    recording = Recording(
        call_id=call().id, spool_name="a", state=RecordingState.WAITING, due_at=NOON,
        expected_seconds=1, warnings=odd,
    )  # fmt: skip
    resting = ReceiverHealth(receiver_id="ads", next_at=NOON, paused_until=NOON, reason=REFUSED)
    await save(store, call())
    async with store.write() as session:
        await session.recordings.save([recording])
        await session.add(
            resting,
            delivery("a", receipt=REQUEST),
            delivery("b", last_error=REFUSED, state=DeliveryState.FAILED),
            delivery("c", last_error=Outcome.text("so it is")),
        )

    await migrate_down(store, BEFORE)
    assert await _rows(store, "SELECT last_error, receipt FROM delivery ORDER BY id") == [
        (None, "request r: 3 conversions; record 2"),
        ("refused: no", None),
        ("so it is", None),
    ]
    assert await _rows(store, "SELECT reason FROM account") == [("refused: no",)]
    ((warnings,),) = await _rows(store, "SELECT warnings FROM recording")
    told = json.loads(warnings) if isinstance(warnings, str) else warnings
    assert told == ["odd", "clipped"]

    await migrate(store)
    async with store.read() as session:
        kept = [await session.get(Delivery, name) for name in "abc"]
        health = await session.get(ReceiverHealth, "ads")
        found = await session.get(Recording, call().id)
    assert [(delivery.last_error, delivery.receipt) for delivery in kept] == [
        (None, REQUEST),
        (Outcome.text("refused: no"), None),
        (Outcome.text("so it is"), None),
    ]
    assert health.reason == Outcome.text("refused: no")
    assert found.warnings == (Outcome.text("odd"), Outcome.text("clipped"))
    await store.close()
