"""Sentences that became outcomes after the deliveries': what was written before stays readable."""

from sqlalchemy import text

from router.domain.calls.call import Recording, RecordingState
from router.domain.calls.recording_codes import NoRecordingCode
from router.domain.delivery.outcome import Outcome
from router.domain.mail import Mailbox
from router.domain.mail_codes import MailCode
from router.domain.visitors.site import Site
from router.store.engine import SqlStore
from router.store.migrate import migrate, migrate_down
from tests.integration.store_calls import call, save
from tests.support.builders import NOON

BEFORE = "0035"


async def _rows(store: SqlStore, query: str) -> list[tuple[object, ...]]:
    async with store.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


async def test_reasons_of_recordings_stay_readable_on_the_way_down_and_up(
    bare_database: str,
) -> None:
    store = SqlStore(bare_database)
    await migrate(store)
    failed = Outcome.of(NoRecordingCode.STORAGE_FAILED, key="k", detail="no answer")
    reasons = {"c1": failed, "c2": Outcome.text("it hums"), "c3": None}
    await save(store, *(call(name) for name in reasons))
    async with store.write() as session:
        await session.recordings.save(
            [
                Recording(
                    call_id=name, spool_name=name, state=RecordingState.WAITING, due_at=NOON,
                    expected_seconds=1, reason=reason,
                )
                for name, reason in reasons.items()
            ]
        )  # fmt: skip

    await migrate_down(store, BEFORE)
    assert await _rows(store, "SELECT reason FROM recording ORDER BY call_id") == [
        ("storage_failed: no answer",),
        ("it hums",),
        (None,),
    ]

    await migrate(store)
    async with store.read() as session:
        kept = [(await session.get(Recording, name)).reason for name in reasons]
    assert kept == [Outcome.text("storage_failed: no answer"), Outcome.text("it hums"), None]
    await store.close()


async def test_errors_of_mailboxes_stay_readable_on_the_way_down_and_up(
    bare_database: str,
) -> None:
    store = SqlStore(bare_database)
    await migrate(store)
    refused = Outcome.of(MailCode.MAIL_LOGIN_REFUSED, host="h", user="u", detail="bad password")
    async with store.write() as session:
        await session.add(Site(id="shop", name="Shop", created_at=NOON))
        await session.add(
            Mailbox(site_id="shop", host="h", user="u", since=NOON, due_at=NOON, error=refused)
        )

    await migrate_down(store, BEFORE)
    said = "mail_login_refused: bad password"
    assert await _rows(store, "SELECT error FROM mailbox") == [(said,)]

    await migrate(store)
    async with store.read() as session:
        assert (await session.get(Mailbox, "shop")).error == Outcome.text(said)
    await store.close()
