"""Mail to the sites' addresses, with its attribution."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from router.domain.access import Scope
from router.errors import NotAllowed
from router.service.mailboxes import list_mails
from router.web.api.models.base import Moment
from router.web.api.models.mails import Mail
from router.web.deps import NotLoggedIn, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(prefix="/mails", tags=["mails"], responses=answers(NotLoggedIn, NotAllowed))
READ = [Depends(needs(Scope.CALLS_READ))]


@router.get("", dependencies=READ)
async def get_mails(
    store: StoreOf,
    site_id: Annotated[str | None, Query(description="Of this site.")] = None,
    before: Annotated[
        Moment | None, Query(description="Mail that arrived before this time.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at once.")] = 50,
) -> list[Mail]:
    """Mail of a site or of all, newest first; `before` is the `arrived_at` of the previous page's
    last message.
    """
    found = await list_mails(store, site_id=site_id, before=before, limit=limit)
    return [Mail.of(mail) for mail in found]
