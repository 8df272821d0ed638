"""Comments on calls: programs read and write those that everyone may read."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from router.domain.access import Scope, Token
from router.errors import Conflict, NotAllowed, NotFound
from router.service.calls import comments as service
from router.web.api.models.comments import Comment, EditedComment, NewComment
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/calls/{call_id}/comments",
    tags=["comments"],
    responses=answers(NotFound, Conflict, NotLoggedIn, NotAllowed),
)
Writer = Annotated[Token, Depends(needs(Scope.CALLS_WRITE))]
CallId = Annotated[str, Path(description="The call's id: Asterisk's linkedid.")]
CommentId = Annotated[str, Path(description="The comment's id.")]


def _author(token: Token) -> str:
    """No login has a colon."""
    return f"api:{token.name}"[:70]


@router.get("", dependencies=[Depends(needs(Scope.CALLS_READ))])
async def list_comments(store: StoreOf, call_id: CallId) -> list[Comment]:
    """The comments for everyone, oldest first."""
    return [Comment.of(comment) for comment in await service.comments_of(store, call_id, None)]


@router.post("", status_code=201)
async def add_comment(
    store: StoreOf, now: Now, token: Writer, call_id: CallId, new: NewComment
) -> Comment:
    """Write a comment that everyone may read."""
    comment = await service.add_comment(
        store, call_id, new.text, author=_author(token), now=now, at_seconds=new.at_seconds
    )
    return Comment.of(comment)


@router.put("/{comment_id}")
async def edit_comment(
    store: StoreOf,
    now: Now,
    token: Writer,
    call_id: CallId,
    comment_id: CommentId,
    edited: EditedComment,
) -> Comment:
    """Change the text of a comment that this token wrote."""
    comment = await service.edit_comment(
        store,
        call_id,
        comment_id,
        edited.text,
        author=_author(token),
        now=now,
        seen=edited.edited_at,
    )
    return Comment.of(comment)


@router.delete("/{comment_id}", status_code=204)
async def delete_comment(
    store: StoreOf, token: Writer, call_id: CallId, comment_id: CommentId
) -> None:
    """Delete a comment that this token wrote."""
    await service.delete_comment(store, call_id, comment_id, author=_author(token))
