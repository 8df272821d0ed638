"""All routes of the API but those of the page's script: `create_app` puts `visits` before all
else.
"""

from fastapi import APIRouter

from router.web.api import (
    board,
    call_backs,
    callbacks,
    calls,
    cards,
    comments,
    connections,
    deliveries,
    entities,
    exports,
    leases,
    listening,
    mails,
    missed,
    numbers,
    receivers,
    recordings,
    rules,
    samples,
    scores,
    setup,
    spam,
    tags,
    transcripts,
    views,
    word_lists,
)

router = APIRouter()
for part in (
    setup,
    numbers,
    leases,
    exports,
    calls,
    comments,
    samples,
    cards,
    scores,
    rules,
    spam,
    tags,
    entities,
    recordings,
    transcripts,
    deliveries,
    receivers,
    missed,
    call_backs,
    listening,
    board,
    mails,
    connections,
    callbacks,
    views,
    word_lists,
):
    router.include_router(part.router)
