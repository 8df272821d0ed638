"""Word lists: tried on past transcripts, kept, changed and removed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from router.domain.calls.transcript import Side
from router.domain.calls.word_list import WordList, read_phrases
from router.domain.ids import new_id
from router.domain.visitors.site import Site
from router.errors import InvalidInput
from router.service.admin import setup
from router.service.calls.word_list_trials import MOST_TRIED, WordTrial, try_words
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, logged_in, same_origin
from router.web.labels import tag_named
from router.web.words import N_

router = APIRouter(include_in_schema=False)
CHANGES = [Depends(same_origin), Depends(logged_in)]
SIDES = {Side.CALLER: N_("Caller"), Side.COMPANY: N_("Company")}
LONGEST = 40_000  # letters of a list as it is typed


async def typed(
    now: Now,
    key: Annotated[str, Form(max_length=40)] = "",
    tag: Annotated[str, Form(max_length=200)] = "",
    phrases: Annotated[str, Form(max_length=LONGEST)] = "",
    site: Annotated[str, Form(max_length=40)] = "",
    side: Annotated[Side | str, Form(max_length=10)] = "",
) -> WordList | None:
    """The list that a person typed; None if it cannot be kept."""
    try:
        return WordList(
            id=key or new_id(now),
            tag=tag_named(" ".join(tag.split())),
            phrases=read_phrases(phrases),
            site_id=site or None,
            side=Side(side) if side else None,
            created_at=now,
        )
    except (InvalidInput, ValueError):
        return None


Typed = Annotated[WordList | None, Depends(typed)]


@router.get("/words")
async def word_lists(
    request: Request, app_state: AppStateOf, store: StoreOf, person: LoggedIn
) -> Response:
    """All lists."""
    lists = await setup.list_all(store, WordList)
    return app_state.pages.render(
        request,
        "word_lists.html",
        person=person,
        lists=sorted(lists, key=lambda found: found.tag),
        sites={site.id: site.name for site in await setup.list_all(store, Site)},
        sides=SIDES,
    )


@router.get("/words/new")
async def new(
    request: Request, app_state: AppStateOf, store: StoreOf, person: LoggedIn
) -> Response:
    """A form for a list."""
    return await _form(request, app_state, store, person, None, None)


@router.get("/words/{key}")
async def edit(
    request: Request, app_state: AppStateOf, store: StoreOf, person: LoggedIn, key: str
) -> Response:
    """A list as it is, and what it finds."""
    found = await setup.get_one(store, WordList, key)
    return await _form(request, app_state, store, person, found, await try_words(store, found))


@router.post("/words/try", dependencies=CHANGES)
async def try_list(
    request: Request, app_state: AppStateOf, store: StoreOf, person: LoggedIn, wanted: Typed
) -> Response:
    """What a list would find in past transcripts. Nothing is kept."""
    if wanted is None:
        return app_state.pages.problem(request, "invalid_words", status=422, headers={})
    return await _form(request, app_state, store, person, wanted, await try_words(store, wanted))


async def _form(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    shown: WordList | None,
    trial: WordTrial | None,
) -> Response:
    lists = await setup.list_all(store, WordList)
    return app_state.pages.render(
        request,
        "word_list.html",
        person=person,
        shown=shown,
        is_kept=shown is not None and shown.id in {found.id for found in lists},
        trial=trial,
        most_tried=MOST_TRIED,
        sites=await setup.list_all(store, Site),
        sides=SIDES,
    )


@router.post("/words", dependencies=CHANGES)
async def keep(request: Request, app_state: AppStateOf, store: StoreOf, wanted: Typed) -> Response:
    """Keep a list, or change it."""
    if wanted is None:
        return app_state.pages.problem(request, "invalid_words", status=422, headers={})
    await setup.keep_words(store, wanted)
    return RedirectResponse("/words", 303)


@router.post("/words/{key}/remove", dependencies=CHANGES)
async def remove(store: StoreOf, key: str) -> Response:
    """Remove a list. The tags that it set stay."""
    await setup.remove(store, WordList, key)
    return RedirectResponse("/words", 303)
