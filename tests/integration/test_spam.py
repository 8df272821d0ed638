"""Spam in the store: its signs, what is undone for ever, and what it is left out of."""

from datetime import UTC, timedelta

from router.domain.calls.call import Call, Ending, Recording, RecordingState
from router.domain.calls.qualification import Sign, Subject
from router.service.calls import spam as service
from router.service.calls.browse import show_call
from router.service.calls.missed_figures import missed_figures
from router.service.calls.missed_follow import follow_calls
from router.service.calls.qualification import decide, undo_decision
from router.store.engine import SqlStore
from tests.integration.rules_world import LATER, a_call, found, work
from tests.integration.store_calls import save
from tests.support.builders import NOON, dynamic, furnish

ROBOT = "+74951112233"


def a_short(name: str, minutes: float, to: int, caller: str = ROBOT) -> Call:
    call = a_call(name, minutes, caller=caller, number=f"+7495000000{to}")
    return a_call(
        name,
        minutes,
        caller=caller,
        number=f"+7495000000{to}",
        ended_at=call.arrived_at + timedelta(seconds=5),
    )


async def signs(store: SqlStore, name: str) -> list[Sign]:
    return [one.sign for one in (await show_call(store, f"rt1-{name}.0")).reasons.signs]


async def test_a_burst_marks_all_its_calls_and_an_undone_sign_never_counts_for_the_caller_again(
    store: SqlStore,
) -> None:
    calls = [a_short(str(n), n, 1 + n % 3) for n in range(5)]
    for call in (calls[3], calls[0], calls[4], calls[1]):
        await save(store, call)
        await work(store)
    assert await found(store, spam=True) == set()
    await save(store, calls[2])
    await work(store)
    everything = {str(n) for n in range(5)}
    assert await found(store, spam=True) == everything
    assert await signs(store, "0") == [Sign.BURST]

    await decide(store, "rt1-1.0", Subject.SPAM, wanted=False, author="anna", now=LATER)
    assert await found(store, spam=True) == set()
    await save(store, *(a_short(f"l{n}", 60 + n, 1 + n % 3) for n in range(5)))
    await save(store, *(a_short(f"o{n}", n, 1 + n % 3, "+74959998877") for n in range(5)))
    await work(store)
    assert await found(store, spam=True) == {f"o{n}" for n in range(5)}
    await undo_decision(store, "rt1-1.0", Subject.SPAM, LATER)
    assert everything <= await found(store, spam=True)


async def test_the_block_list_marks_past_and_new_calls_and_gives_them_back(store: SqlStore) -> None:
    await save(store, a_call("past", -9, caller=ROBOT), a_call("other", 1, caller="+74952223344"))
    await work(store)
    await service.block_caller(store, "8 495 111*", author="anna", now=LATER)
    await save(store, a_call("new", 1, caller=ROBOT))
    await work(store)
    assert await found(store, spam=True) == {"past", "new"}
    (found_sign,) = (await show_call(store, "rt1-new.0")).reasons.signs
    assert (found_sign.sign, found_sign.facts) == (Sign.BLOCKED, {"entry": "+7495111*"})

    await service.switch_sign(store, Sign.BLOCKED, on=False, author="anna", now=LATER)
    await work(store)
    assert await found(store, spam=True) == set()
    await service.switch_sign(store, Sign.BLOCKED, on=True, author="anna", now=LATER)
    await work(store)
    view = await service.show_spam(store, LATER)
    assert (view.listed, view.spam, view.counts) == (1, 2, {Sign.BLOCKED: 2})
    await service.unblock_caller(store, "+7495111*")
    await work(store)
    assert await found(store, spam=True) == set()


async def test_a_list_is_imported_once_and_says_what_is_wrong(store: SqlStore) -> None:
    text = f"{ROBOT},robot\nnonsense\n+7800*"
    done = await service.import_list(store, text, author="anna", now=LATER)
    assert (done.added, done.known, [bad.line for bad in done.bad]) == (2, 0, [2])
    again = await service.import_list(store, text, author="boris", now=LATER)
    assert (again.added, again.known) == (0, 2)
    await save(store, a_call("a", 1, caller="+78005553535"))
    await work(store)
    assert await found(store, spam=True) == {"a"}


async def test_silent_callers_and_numbers_that_no_visitor_was_shown_are_signs(
    store: SqlStore,
) -> None:
    begun = NOON - timedelta(days=8)
    never = dynamic("+74950000001", created_at=begun, free_at=begun)
    shown = dynamic("+74950000002", created_at=begun, free_at=begun + timedelta(minutes=30))
    new = dynamic("+74950000003", created_at=NOON, free_at=NOON)
    await furnish(store, numbers=[never, shown, new])
    await save(
        store,
        a_call("never", 1, caller=ROBOT, number=never.e164),
        a_call("shown", 1, caller=ROBOT, number=shown.e164),
        a_call("new", 1, caller=ROBOT, number=new.e164),
        a_call("silent", 1, caller=ROBOT, talk_seconds=20.0),
    )
    await work(store)
    recording = Recording(
        call_id="rt1-silent.0",
        spool_name="x",
        state=RecordingState.STORED,
        expected_seconds=20.0,
        due_at=LATER,
        seconds=20.0,
        caller_speech_seconds=0.0,
    )
    async with store.write() as session:
        await session.recordings.save([recording])
        await session.calls.touch("rt1-silent.0")
    await work(store)
    assert await signs(store, "never") == [Sign.NEVER_LEASED]
    assert await signs(store, "silent") == [Sign.SILENT]
    assert await found(store, spam=True) == {"never", "silent"}


async def test_spam_is_no_missed_caller_and_in_no_figure(store: SqlStore) -> None:
    fields = {"ending": Ending.NO_ANSWER, "wait_seconds": 30.0, "site_id": "shop"}
    spam, real = (
        a_call("s", 1, caller=ROBOT, **fields),
        a_call("r", 1, caller="+74952223344", **fields),
    )
    async with store.write() as session:
        await session.calls.save([spam, real])
        await follow_calls(session, [spam, real])
    await service.block_caller(store, ROBOT, author="anna", now=LATER)
    await work(store)
    until = LATER + timedelta(hours=1)
    figures = await missed_figures(store, LATER, until, UTC)
    assert (figures.calls, figures.missed, figures.callers, figures.spam) == (1, 1, 1, 1)
    async with store.read() as session:
        assert [task.caller for task in await session.missed.open(until, None, 9)] == [real.caller]
        assert (await session.missed.day(LATER, until)).calls == 1
    await decide(store, spam.id, Subject.SPAM, wanted=False, author="anna", now=LATER)
    async with store.read() as session:
        assert len(await session.missed.open(until, None, 9)) == 2
