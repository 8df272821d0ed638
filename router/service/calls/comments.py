"""Comments on calls: written, edited and deleted by their authors."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from router.domain.access import Person
from router.domain.calls.call import Call
from router.domain.calls.comment import MOST_READERS, Comment, comment_text
from router.domain.calls.tagging import check_moment
from router.domain.ids import new_id
from router.errors import Conflict, InvalidInput, NotAllowed, NotFound
from router.service.ports import Session, Store


async def comments_of(store: Store, call_id: str, login: str | None) -> list[Comment]:
    """The comments on a call that this person may read, oldest first; None reads what everyone may.
    Raises `NotFound`.
    """
    async with store.read() as session:
        await session.get(Call, call_id)
        found = await session.find(Comment, call_id=call_id)
    return [comment for comment in found if comment.is_seen_by(login)]


async def add_comment(
    store: Store,
    call_id: str,
    text: str,
    *,
    author: str,
    now: datetime,
    at_seconds: float | None = None,
    private: bool = False,
    readers: Sequence[str] = (),
) -> Comment:
    """Write a comment; a private one is seen by its author and `readers` alone. Raises `NotFound`
    and `InvalidInput`.
    """
    check_moment(at_seconds)
    others = set[str]()
    if private:
        others = set(readers) - {author}

    comment = Comment(
        id=new_id(now),
        call_id=call_id,
        author=author,
        text=comment_text(text),
        at=now,
        at_seconds=at_seconds,
        private=private,
        readers=tuple(sorted(others)),
    )
    async with store.write() as session:
        await session.calls.lock()
        await session.get(Call, call_id)
        await _check_readers(session, comment.readers)
        await session.add(comment)
        await session.calls.touch(call_id)
    return comment


async def edit_comment(
    store: Store,
    call_id: str,
    comment_id: str,
    text: str,
    *,
    author: str,
    now: datetime,
    seen: datetime | None,
) -> Comment:
    """Change the text of an own comment that was last edited at `seen`. Raises `NotFound`,
    `NotAllowed` for the comment of another author, and `Conflict` if it was edited since.
    """
    text = comment_text(text)
    async with store.write() as session:
        await session.calls.lock()
        before = await _own(session, call_id, comment_id, author)
        if before.edited_at != seen:
            raise Conflict("This comment was edited meanwhile: read it again.")
        comment = replace(before, text=text, edited_at=now)
        await session.change(comment)
        await session.calls.touch(call_id)
    return comment


async def delete_comment(store: Store, call_id: str, comment_id: str, *, author: str) -> None:
    """Delete an own comment. Raises `NotFound`, and `NotAllowed` for that of another author."""
    async with store.write() as session:
        await session.calls.lock()
        await _own(session, call_id, comment_id, author)
        await session.remove(Comment, comment_id)
        await session.calls.touch(call_id)


async def _own(session: Session, call_id: str, comment_id: str, author: str) -> Comment:
    comment = await session.peek(Comment, comment_id)
    if comment is None or comment.call_id != call_id or not comment.is_seen_by(author):
        raise NotFound(f"There is no comment '{comment_id[:40]}' on this call.")
    if comment.author != author:
        raise NotAllowed("Only its author may change a comment.")
    return comment


async def _check_readers(session: Session, readers: Sequence[str]) -> None:
    if len(readers) > MOST_READERS:
        raise InvalidInput(f"A comment has at most {MOST_READERS} readers, not {len(readers)}.")
    known = await session.get_many(Person, readers)
    if missing := sorted(set(readers) - set(known)):
        raise InvalidInput(f"There is no user '{missing[0][:64]}'.")
