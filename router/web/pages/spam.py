"""Spam: its signs, the block list, and how many calls are not counted."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from router.domain.calls.qualification import Sign
from router.domain.calls.spam import LineFault
from router.errors import InvalidInput
from router.service.admin.setup import read_text
from router.service.calls import spam as service
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, logged_in, same_origin
from router.web.pages.call import address_of
from router.web.words import N_, SIGNS

router = APIRouter(include_in_schema=False)
CHANGES = [Depends(same_origin)]
FAULTS = {
    LineFault.NOT_A_NUMBER: N_("not a phone number"),
    LineFault.TOO_MANY: N_("the file has more than 20,000 lines: the rest was left out"),
}


@router.get("/spam")
async def spam(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    text: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The signs and the block list."""
    return app_state.pages.render(
        request,
        "spam.html",
        person=person,
        view=await service.show_spam(store, now, text.strip()),
        text=text.strip(),
        signs=SIGNS,
        most=service.MOST_COUNTED,
        imported=None,
    )


@router.post("/spam", dependencies=CHANGES)
async def block(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    number: Annotated[str, Form(max_length=40)],
    note: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """Put a number or a prefix on the block list."""
    try:
        await service.block_caller(store, number, note=note, author=person.login, now=now)
    except InvalidInput:
        return app_state.pages.problem(request, "invalid_entry", status=422, headers={})
    return RedirectResponse("/spam", 303)


@router.post("/spam/remove", dependencies=[*CHANGES, Depends(logged_in)])
async def unblock(store: StoreOf, entry: Annotated[str, Form(max_length=40)]) -> Response:
    """Take an entry off the block list."""
    await service.unblock_caller(store, entry)
    return RedirectResponse("/spam", 303)


@router.post("/spam/sign", dependencies=CHANGES)
async def switch(
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    sign: Annotated[Sign, Form()],
    on: Annotated[bool, Form()],
) -> Response:
    """Switch a sign on or off."""
    await service.switch_sign(store, sign, on=on, author=person.login, now=now)
    return RedirectResponse("/spam", 303)


@router.post("/spam/import", dependencies=CHANGES)
async def import_list(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    file: Annotated[UploadFile, File()],
) -> Response:
    """Add the numbers of a CSV file, and say which lines are bad."""
    try:
        text = read_text(await file.read())
    except UnicodeDecodeError:
        return app_state.pages.problem(request, "invalid_file", status=422, headers={})
    imported = await service.import_list(store, text, author=person.login, now=now)
    return app_state.pages.render(
        request,
        "spam.html",
        person=person,
        view=await service.show_spam(store, now),
        text="",
        signs=SIGNS,
        faults=FAULTS,
        most=service.MOST_COUNTED,
        imported=imported,
    )


@router.post("/calls/{call_id}/block", dependencies=CHANGES)
async def block_caller(store: StoreOf, person: LoggedIn, now: Now, call_id: str) -> Response:
    """Put the caller of a call on the block list."""
    await service.block_caller_of(store, call_id, author=person.login, now=now)
    return RedirectResponse(address_of(call_id), 303)
