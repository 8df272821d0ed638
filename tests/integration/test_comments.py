"""Comments on calls: who sees and changes them, and that their words find the call."""

import asyncio
from datetime import timedelta

import pytest

from router.domain.access import Role
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.comment import LONGEST
from router.errors import Conflict, InvalidInput, NotAllowed, NotFound
from router.service.admin.access import add_person
from router.service.calls.comments import add_comment, comments_of, delete_comment, edit_comment
from router.store import plans
from router.store.engine import SqlStore
from tests.integration.store_calls import call, save
from tests.support.builders import NOON

CALL = "rt1-1.0"
LATER = NOON + timedelta(minutes=5)


async def found(store: SqlStore, text: str) -> list[str]:
    async with store.read() as session:
        return [call.id for call in await session.calls.find(CallFilter(text=text))]


async def commented(store: SqlStore) -> list[str]:
    async with store.read() as session:
        return [call.id for call in await session.calls.find(CallFilter(commented=True))]


async def some_calls(store: SqlStore) -> None:
    calls = (call(f"rt1-{n}.0", arrived_at=NOON + timedelta(minutes=n)) for n in range(3))
    await save(store, *calls)


@pytest.mark.parametrize("few", [plans.FEW, 0], ids=["few are sorted", "many are walked"])
async def test_words_of_comments_find_their_call_with_other_words(
    few: int, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "FEW", few)
    await some_calls(store)
    await save(store, call(CALL, caller="+79161234567", caller_name="Мария"))
    # the words of a long comment, beyond what the text of a call holds
    long = " ".join(f"слово{n}" for n in range(300)) + " Возвра́т ДЕНЕГ"
    comment = await add_comment(store, CALL, long, author="anna", now=NOON)
    for text in ("денег", "слово299", "мария денег", "4567 слово1", "де"):
        assert await found(store, text) == [CALL], text
    assert await found(store, "иван денег") == []
    async with store.read() as session:
        assert await session.calls.matching([CALL], CallFilter(text="денег")) == {CALL}
        assert await session.calls.count(CallFilter(text="денег"), 10) == 1

    await edit_comment(store, CALL, comment.id, "другое", author="anna", now=LATER, seen=None)
    assert (await found(store, "денег"), await found(store, "другое")) == ([], [CALL])
    await delete_comment(store, CALL, comment.id, author="anna")
    assert (await found(store, "другое"), await commented(store)) == ([], [])


async def test_what_some_may_read_is_found_by_no_search(store: SqlStore) -> None:
    await some_calls(store)
    await add_person(store, "boris", "correct horse battery", Role.SUPERVISOR, NOON)
    comment = await add_comment(
        store, CALL, "секрет", author="anna", now=NOON, private=True, readers=["boris", "anna"]
    )
    assert comment.readers == ("boris",)
    for login, count in (("anna", 1), ("boris", 1), ("clara", 0), (None, 0)):
        assert len(await comments_of(store, CALL, login)) == count
    assert (await found(store, "секрет"), await commented(store)) == ([], [])
    with pytest.raises(NotAllowed):
        await delete_comment(store, CALL, comment.id, author="boris")
    with pytest.raises(NotFound):  # as if there were none
        await delete_comment(store, CALL, comment.id, author="clara")
    with pytest.raises(InvalidInput, match="no user 'zoe'"):
        await add_comment(store, CALL, "x", author="anna", now=NOON, private=True, readers=["zoe"])


async def test_comments_of_two_at_one_time_are_both_kept_and_found(
    store: SqlStore, other_store: SqlStore
) -> None:
    await some_calls(store)
    await asyncio.gather(
        *(add_comment(store, CALL, f"первый{n}", author="anna", now=NOON) for n in range(5)),
        *(add_comment(other_store, CALL, f"второй{n}", author="boris", now=NOON) for n in range(5)),
    )
    assert len(await comments_of(store, CALL, "anna")) == 10
    for n in range(5):
        assert await found(store, f"первый{n} второй{n}") == [CALL]
    assert await commented(store) == [CALL]


async def test_an_edit_of_a_text_that_was_edited_meanwhile_is_refused(store: SqlStore) -> None:
    await some_calls(store)
    comment = await add_comment(store, CALL, "one", author="anna", now=NOON, at_seconds=73.5)
    first = await edit_comment(store, CALL, comment.id, "two", author="anna", now=LATER, seen=None)
    with pytest.raises(Conflict):
        await edit_comment(store, CALL, comment.id, "three", author="anna", now=LATER, seen=None)
    with pytest.raises(NotAllowed):
        await edit_comment(store, CALL, comment.id, "x", author="boris", now=LATER, seen=LATER)
    await edit_comment(
        store, CALL, comment.id, "three", author="anna", now=LATER, seen=first.edited_at
    )
    (kept,) = await comments_of(store, CALL, None)
    assert (kept.text, kept.at_seconds, kept.at) == ("three", 73.5, NOON)


async def test_a_comment_has_a_text_of_at_most_4000_characters_whatever_they_are(
    store: SqlStore,
) -> None:
    await some_calls(store)
    hostile = "<script>\r\n=1+1 \u202eעברית 👩‍👩‍👧 \0\ud800"
    kept = await add_comment(store, CALL, hostile.ljust(LONGEST, "я"), author="anna", now=NOON)
    assert kept.text.startswith("<script>\n=1+1 \u202eעברית 👩‍👩‍👧 \ufffd\ufffd")
    assert (await comments_of(store, CALL, None))[0].text == kept.text
    for text in ("я" * (LONGEST + 1), " \n "):
        with pytest.raises(InvalidInput):
            await add_comment(store, CALL, text, author="anna", now=NOON)
    with pytest.raises(NotFound):
        await add_comment(store, "none", "x", author="anna", now=NOON)
