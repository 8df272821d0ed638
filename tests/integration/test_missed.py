"""Missed callers in the database: kept by whatever writes calls, whichever order they come in."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.calls.call import Ending, State
from router.domain.calls.missed import MissedState
from router.domain.calls.missed_events import EventKind
from router.domain.calls.qualification import Qualification
from router.errors import Conflict, InvalidInput, NotFound
from router.service.calls import missed_tasks as tasks
from router.service.calls.browse import tag_call, untag_call
from router.service.calls.missed_follow import follow_spam
from router.store.engine import SqlStore
from router.store.migrate import migrate, migrate_down
from tests.integration.ingests import at, call_ingest
from tests.integration.missed_world import answered, every, only, unanswered, write
from tests.support.builders import DID, NOON, answered_call, furnish, later, missed_call
from tests.support.web_calls import a_call, ringing

BEFORE = "0042"


async def test_calls_of_one_caller_are_one_task_that_their_next_answered_call_closes(
    store: SqlStore,
) -> None:
    await furnish(store)
    ingest = await call_ingest(store)
    stories = [missed_call(0), missed_call(10, at=later(300)), answered_call(20, at=later(600))]
    for place, story in enumerate(stories):
        await ingest.ingest(story.rows, at(place + 1))
        task = await only(store)
        if place < 2:
            assert (task.calls, task.closed_as) == (place + 1, None)
    assert (task.caller, task.site_id, task.number) == ("+79161234567", "shop", DID)
    assert task.closed_as is MissedState.RANG_AGAIN
    assert task.contact_call_id == stories[2].linkedid
    assert task.seconds_to_contact == pytest.approx(605, abs=1)


async def test_a_task_closes_as_soon_as_a_person_answers(store: SqlStore) -> None:
    await furnish(store)
    ingest = await call_ingest(store)
    await ingest.ingest(missed_call(0).rows, at(1))
    story = answered_call(10, at=later(300))
    until = next(i for i, row in enumerate(story.rows) if row.event == "BRIDGE_ENTER") + 2
    await ingest.ingest(story.rows[:until], at(2))
    assert (await only(store)).closed_as is MissedState.RANG_AGAIN
    await ingest.ingest(story.rows[until:], at(3))
    assert (await only(store)).closed_as is MissedState.RANG_AGAIN


async def test_tasks_do_not_depend_on_the_order_in_which_calls_become_known(
    store: SqlStore,
) -> None:
    calls = [
        unanswered("1"),
        unanswered("2", 60, ending=Ending.ABANDONED_RINGING, wait_seconds=5.0),
        answered("3", 120),
        unanswered("4", 240, ending=Ending.ABANDONED, wait_seconds=3.0),
        answered("5", -60),
    ]
    seen = set()
    for order in itertools.permutations(calls):
        for call in (*order, order[0]):
            await write(store, call)
        found = await every(store)
        seen.add(tuple(replace(task, latest_at=NOON) for task in found))
        async with store.write() as session:
            await session.missed.save([], [task.id for task in found])
    (once,) = seen
    assert [(task.calls, task.short, task.closed_as) for task in once] == [
        (2, False, MissedState.RANG_AGAIN),
        (1, True, None),
    ]


async def test_a_late_earlier_call_joins_the_task_and_keeps_what_people_wrote(
    store: SqlStore,
) -> None:
    await write(store, unanswered("2", 60))
    task = await only(store)
    await tasks.take(store, task.id, "anna", later(70))
    await tasks.set_note(store, task.id, " call after six\r\n")
    await tasks.report(store, task.id, EventKind.NOT_ANSWERED, by="anna", now=later(80))
    await write(store, unanswered("1"))
    joined = await only(store)
    assert (joined.id, joined.since, joined.calls) == (a_call("1", NOON).id, NOON, 2)
    assert (joined.taken_by, joined.note, joined.tries) == ("anna", "call after six", 1)


async def test_a_caller_has_a_task_at_each_site_and_one_without_number_for_each_call(
    store: SqlStore,
) -> None:
    hidden = {"caller": None, "caller_raw": "", "withheld": True}
    await write(store, unanswered("1"), unanswered("2", 10, site_id="other"))
    await write(store, unanswered("3", 20, **hidden), unanswered("4", 30, **hidden))
    await write(store, answered("5", 40, **hidden), answered("6", 50, site_id="other"))
    assert [(task.site_id, task.closed_as) for task in await every(store)] == [
        ("shop", None),
        ("other", MissedState.RANG_AGAIN),
        ("shop", None),
        ("shop", None),
    ]
    found = await tasks.open_tasks(store, later(100))
    assert (len(found.waiting), len(found.no_number)) == (1, 2)
    assert await tasks.count_waiting(store, later(100)) == 1
    note = await tasks.set_note(store, found.no_number[0].id, "rang twice")
    await write(store, unanswered("3", 20, **hidden))
    assert await tasks.show_task(store, note.id) == note


async def test_a_call_lost_in_a_transfer_opens_the_task_that_its_answer_closed(
    store: SqlStore,
) -> None:
    await write(store, unanswered("1"))
    talking = replace(ringing("2", later(60)), answered_at=later(67))
    await write(store, replace(talking, state="talking"))
    assert (await only(store)).closed_as is MissedState.RANG_AGAIN
    await write(store, answered("2", 60, ending=Ending.LOST_IN_TRANSFER))
    task = await only(store)
    assert (task.closed_as, task.calls) == (None, 2)


async def test_the_companys_own_telephone_system_closes_a_task_once(store: SqlStore) -> None:
    await write(store, unanswered("1"), unanswered("2", 600))
    task = await only(store)
    reported = {"by": "pbx", "now": later(3000), "key": "call-7"}
    first = await tasks.report(store, task.id, EventKind.NOT_ANSWERED, at=later(60), **reported)
    again = await tasks.report(store, task.id, EventKind.NOT_ANSWERED, at=later(60), **reported)
    assert first == again
    assert first.tries == 1
    # it reached the caller before the second missed call: that one is a task of its own
    done = await tasks.report(store, task.id, EventKind.REACHED, at=later(300), **reported)
    assert (done.closed_as, done.closed_by) == (MissedState.CALLED_BACK_SOON, "pbx")
    assert done.seconds_to_contact == 300
    assert [task.closed_as for task in await every(store)] == [MissedState.CALLED_BACK_SOON, None]


async def test_a_forged_call_that_rings_off_or_says_nothing_closes_no_task(
    store: SqlStore,
) -> None:
    await write(store, unanswered("1"))
    going_on = replace(ringing("2", later(60)), answered_at=later(67), state=State.TALKING)
    await write(store, going_on)
    assert (await only(store)).closed_as is MissedState.RANG_AGAIN
    await write(store, answered("2", 60, talk_seconds=4.9))
    assert (await only(store)).closed_as is None
    forged = answered("3", 120)
    await write(store, forged)
    assert (await only(store)).closed_as is MissedState.RANG_AGAIN
    for is_spam, closed_as in ((True, None), (False, MissedState.RANG_AGAIN)):
        async with store.write() as session:
            await session.qualification.save([Qualification(call_id=forged.id, spam=is_spam)])
            await follow_spam(session, forged.id)
        assert (await only(store)).closed_as is closed_as


async def test_what_cannot_have_happened_is_refused(store: SqlStore) -> None:
    await write(store, unanswered("1"))
    task = await only(store)
    say = {"by": "pbx", "now": later(100)}
    with pytest.raises(InvalidInput, match="future"):
        await tasks.report(store, task.id, EventKind.REACHED, at=later(1000), **say)
    with pytest.raises(InvalidInput, match="later"):
        await tasks.report(store, task.id, EventKind.REACHED, at=later(-1), **say)
    with pytest.raises(InvalidInput, match="4000"):
        await tasks.set_note(store, task.id, "x" * 4001)
    with pytest.raises(NotFound):
        await tasks.take(store, "nothing", "anna", NOON)
    assert await every(store) == [task]


async def test_one_person_takes_a_task_and_another_is_told(store: SqlStore) -> None:
    await write(store, unanswered("1"))
    task = await only(store)
    taken = await tasks.take(store, task.id, "anna", later(60))
    assert await tasks.take(store, task.id, "anna", later(90)) == taken
    with pytest.raises(Conflict, match="anna"):
        await tasks.take(store, task.id, "root", later(90))
    await tasks.release(store, task.id)
    assert (await tasks.take(store, task.id, "root", later(90))).taken_by == "root"
    await write(store, unanswered("2", 120))
    assert (await only(store)).taken_by == "root"


async def test_a_decision_closes_a_task_until_it_is_taken_back(store: SqlStore) -> None:
    await write(store, unanswered("1"))
    task = await only(store)
    closed = await tasks.report(store, task.id, EventKind.NOT_NEEDED, by="anna", now=later(60))
    assert (closed.closed_as, closed.closed_by) == (MissedState.NOT_NEEDED, "anna")
    await write(store, unanswered("2", 120))
    assert len(await every(store)) == 2
    assert (await tasks.reopen(store, task.id)).closed_as is None
    assert (await only(store)).calls == 2
    await tasks.report(store, task.id, EventKind.REACHED, by="anna", now=later(180))
    with pytest.raises(Conflict):
        await tasks.reopen(store, task.id)


@pytest.mark.parametrize("name", ["Spam", "not needed"])
async def test_a_tag_closes_a_task_while_it_is_there(store: SqlStore, name: str) -> None:
    await write(store, unanswered("1"), unanswered("2", 60), answered("3", -60))
    middle = a_call("2", NOON).id
    await tag_call(store, middle, name, author="anna", now=later(90))
    await tag_call(store, middle, name, author="anna", now=later(95))
    await tag_call(store, middle, "other", author="anna", now=later(95))
    assert (await only(store)).closed_as is MissedState.NOT_NEEDED
    assert (await only(store)).closed_at == later(90)
    await untag_call(store, middle, name, author="anna", now=NOON)
    assert (await only(store)).closed_as is None
    await tag_call(store, a_call("3", NOON).id, name, author="anna", now=later(90))
    assert (await only(store)).closed_as is None


async def test_open_tasks_are_listed_the_longest_waiting_first_and_lapse_after_a_month(
    store: SqlStore,
) -> None:
    phones = ["+79160000001", "+79160000002", "+79160000003"]
    for place, phone in enumerate(phones):
        await write(store, unanswered(str(place), 100 - place, caller=phone))
    await write(
        store,
        unanswered("9", caller="+79160000009", ending=Ending.ABANDONED_RINGING, wait_seconds=4.0),
    )
    found = await tasks.open_tasks(store, later(1000))
    assert [task.caller for task in found.waiting] == phones[::-1]
    assert [task.caller for task in found.short] == ["+79160000009"]
    assert found.revision == 4
    month = NOON + timedelta(days=30, seconds=200)
    assert (await tasks.open_tasks(store, month)).all() == ()
    assert await tasks.count_waiting(store, month) == 0


async def test_done_tasks_are_turned_page_by_page(store: SqlStore) -> None:
    for place in range(5):
        phone = f"+7916000000{place}"
        await write(store, unanswered(f"{place}0", caller=phone))
        await write(store, answered(f"{place}1", 60 + place // 2, caller=phone))
    seen, cursor = [], None
    while True:
        page = await tasks.closed_tasks(store, cursor=cursor, limit=2)
        seen += [task.id for task in page.tasks]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5


async def test_the_migration_makes_the_tasks_that_ingest_would_have_made(
    bare_database: str,
) -> None:
    store = SqlStore(bare_database)
    await migrate(store)
    hidden = {"caller": None, "caller_raw": "", "withheld": True}
    await write(
        store,
        unanswered("1", -40 * 86_400, caller="+79160000009"),
        unanswered("2", caller_name="Zoe"),
        unanswered("3", 60, ending=Ending.ABANDONED, wait_seconds=2.0, caller_name=""),
        answered("4", 120),
        unanswered("5", 180, ending=Ending.ABANDONED, wait_seconds=2.0),
        unanswered("6", 190, **hidden),
        unanswered("7", 200, **hidden),
        unanswered("8", 210, site_id=None, ending=Ending.CUT),
        answered("9", 220, ending=Ending.LOST_IN_TRANSFER, caller="+79160000001"),
        answered("10", 230, caller="+79160000002"),
    )
    made = await every(store)
    assert len(made) == 7
    await migrate_down(store, BEFORE)
    await migrate(store)
    assert await every(store) == made[1:]
    await store.close()
