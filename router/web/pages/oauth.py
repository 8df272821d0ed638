"""Where a CRM sends the browser of a person who has allowed our app, with a code for a command."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from router.domain.access import Person
from router.domain.paths import OAUTH_CALLBACK
from router.web.deps import AppStateOf, person_or_none

router = APIRouter(include_in_schema=False)
_MOST_CODE = 5000  # characters
_MOST_WORDS = 300


@router.get(OAUTH_CALLBACK)
async def arrived(
    request: Request,
    app_state: AppStateOf,
    person: Annotated[Person | None, Depends(person_or_none)],
    state: Annotated[str, Query(max_length=_MOST_WORDS)] = "",
    code: Annotated[str, Query(max_length=_MOST_CODE)] = "",
    error: Annotated[str, Query(max_length=_MOST_CODE)] = "",
    error_description: Annotated[str, Query(max_length=_MOST_CODE)] = "",
) -> Response:
    """Keep the code or the refusal. No log-in is needed: only the command and the person know the
    state.
    """
    refusal = ""
    if not code:
        refusal = (error_description or error)[:_MOST_WORDS]

    kept = False
    if state and (code or refusal):
        kept = await asyncio.to_thread(app_state.web.accept_login, state, code, refusal)
    # the language form must not carry the code
    values = {"person": person, "kept": kept, "refusal": refusal, "here": OAUTH_CALLBACK}
    status = 400
    if kept and code:
        status = 200

    return app_state.pages.render(request, "oauth.html", status=status, **values)
