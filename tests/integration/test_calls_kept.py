"""Every call that came is in the list: one of too many rows with less detail, one whose first rows
are missing with what is known of it.
"""

import pytest

from router.domain.calls.call import Ending
from router.service.calls import ingest
from router.store.engine import SqlStore
from tests.integration.ingests import aside, at, call_ingest, known, teach
from tests.support.builders import DID, Clock, Story, answered_call, furnish, later, webhook


async def test_a_call_of_rows_without_end_is_kept_as_a_call_with_less_detail(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(store, webhook())
    monkeypatch.setattr(ingest, "MOST_ROWS", 60)
    call = Story(0).arrives().routed().dials().wait(5).answered()
    ingesting = await call_ingest(store)
    await ingesting.ingest(call.rows, at(1))
    for count in range(100):
        written = len(call.rows)
        call.wait(1).dials("colleague").leg_ends(17, "colleague").add("ANSWER")
        await ingesting.ingest(call.rows[written:], at(2 + count))
    async with store.read() as session:
        (rows,) = (await session.cel_log.open_rows()).values()
    assert len(rows) < 80

    call._legs = 1
    written = len(call.rows)
    await (await call_ingest(store)).ingest(
        call.leg_ends(16).over("ANSWER").rows[written:], at(200)
    )
    (kept,) = (await known(store))[0]
    assert (kept.ending, kept.answered_by) == (Ending.ANSWERED, "company")
    assert kept.wait_seconds == pytest.approx(5, abs=0.1)
    assert kept.talk_seconds == pytest.approx(100, abs=1)
    assert await aside(store) == []


# A call whose first rows are missing


async def test_a_call_that_asterisk_died_too_early_to_name_is_in_the_list(store: SqlStore) -> None:
    await furnish(store, webhook())
    call, refused = Story(0).arrives(), Story(10)
    refused.add("CHAN_START").add("HANGUP", hangupcause=21).add("CHAN_END").add("LINKEDID_END")
    ingesting = await call_ingest(store, Clock(later(3600)))
    await ingesting.ingest([call.rows[0], *refused.rows], at(1))
    assert (await known(store))[0] == []
    assert await ingesting.close_silent(frozenset()) == 1
    (kept,) = (await known(store))[0]
    assert (kept.id, kept.ending) == (call.linkedid, Ending.NOT_LOGGED)
    assert (kept.number, kept.trunk, kept.caller) == (DID, "carrier", "+79161234567")


async def test_a_call_whose_first_row_cannot_be_read_is_in_the_list(store: SqlStore) -> None:
    await furnish(store, webhook())
    story = answered_call()
    await teach(store, [row for row in story.rows if row.event != "RINGTRACE_CALL"])
    (kept,) = (await known(store))[0]
    assert (kept.id, kept.ending, kept.number) == (story.linkedid, Ending.NOT_LOGGED, DID)
    await teach(store, story)
    assert (await known(store))[0][0].ending is Ending.ANSWERED, "what is read later replaces it"
