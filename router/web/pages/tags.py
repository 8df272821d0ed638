"""Tags: their colours and keys, renaming, merging and removing."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from router.domain.calls.tagging import SET_BY_RULES, TagColour, tag_name
from router.errors import InvalidInput
from router.service.calls.tags import list_tags, register_tag, remove_tag, rename_tag, show_tag
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, logged_in, same_origin
from router.web.words import N_

router = APIRouter(include_in_schema=False)
CHANGES = [Depends(same_origin), Depends(logged_in)]
TagName = Annotated[str, Form(max_length=200)]
COLOURS = {
    TagColour.GREY: N_("Grey"),
    TagColour.RED: N_("Red"),
    TagColour.ORANGE: N_("Orange"),
    TagColour.YELLOW: N_("Yellow"),
    TagColour.GREEN: N_("Green"),
    TagColour.TEAL: N_("Turquoise"),
    TagColour.BLUE: N_("Blue"),
    TagColour.VIOLET: N_("Violet"),
}


@router.get("/tags")
async def tags(
    request: Request,
    app_state: AppStateOf,
    person: LoggedIn,
    store: StoreOf,
    text: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Registered tags and the most frequent others."""
    return app_state.pages.render(
        request,
        "tags.html",
        person=person,
        tags=await list_tags(store, text.strip()),
        text=text.strip(),
        colours=COLOURS,
        by_rules=SET_BY_RULES,
    )


@router.get("/tags/change")
async def change(
    request: Request,
    app_state: AppStateOf,
    person: LoggedIn,
    store: StoreOf,
    name: Annotated[str, Query(max_length=200)],
) -> Response:
    """The forms that change one tag."""
    return app_state.pages.render(
        request,
        "tag.html",
        person=person,
        tag=await show_tag(store, name),
        colours=COLOURS,
        by_rules=SET_BY_RULES,
    )


@router.post("/tags", dependencies=CHANGES)
async def register(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    now: Now,
    name: TagName,
    colour: Annotated[TagColour, Form()] = TagColour.GREY,
    digit: Annotated[str, Form(pattern="^[1-9]?$")] = "",
) -> Response:
    """Offer a tag, or change its colour and key."""
    if not _is_name(name):
        return app_state.pages.problem(request, "invalid_tag", status=422, headers={})
    key = None
    if digit:
        key = int(digit)

    await register_tag(store, name, colour=colour, digit=key, now=now)
    return RedirectResponse("/tags", 303)


@router.post("/tags/rename", dependencies=CHANGES)
async def rename(
    request: Request, app_state: AppStateOf, store: StoreOf, now: Now, name: TagName, new: TagName
) -> Response:
    """Rename a tag, or merge it into another one."""
    if not _is_name(new):
        return app_state.pages.problem(request, "invalid_tag", status=422, headers={})
    await rename_tag(store, name, new, now)
    return RedirectResponse("/tags", 303)


@router.post("/tags/remove", dependencies=CHANGES)
async def remove(
    store: StoreOf, now: Now, name: TagName, from_calls: Annotated[bool, Form()] = False
) -> Response:
    """Offer a tag no longer, or remove it everywhere."""
    await remove_tag(store, name, from_calls=from_calls, now=now)
    return RedirectResponse("/tags", 303)


def _is_name(text: str) -> bool:
    try:
        tag_name(text)
    except InvalidInput:
        return False
    return True
