"""Rules: tried on past calls while they are written, kept, applied and taken back."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from router.domain.calls.call_query import CallQuery, parameter_of
from router.domain.calls.columns import DEFAULT
from router.domain.calls.rules import OUTCOMES, Rule, RuleState, rule_query
from router.domain.calls.saved_view import read_text
from router.errors import Conflict, InvalidInput
from router.service.calls import rules as service
from router.service.calls.browse import MOST_COUNTED
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, logged_in, same_origin
from router.web.labels import tag_named
from router.web.pages.call_list import Shown, chips, read_query
from router.web.rendering import formats_of, speech_of
from router.web.sheets import names_of

router = APIRouter(include_in_schema=False)
CHANGES = [Depends(same_origin), Depends(logged_in)]
Names = Mapping[str, Mapping[str, str]]
NEW = "/rules/new"


@router.get("/rules")
async def rules(
    request: Request, app_state: AppStateOf, store: StoreOf, person: LoggedIn
) -> Response:
    """The rules, what they set, and how far they have been applied or taken back."""
    names = await names_of(store)

    def conditions(rule: Rule) -> list[str]:
        return list(_conditions(request, rule, names))

    views = await service.list_rules(store)
    return app_state.pages.render(
        request,
        "rules.html",
        person=person,
        rules=views,
        is_busy=any(view.is_busy for view in views),
        conditions=conditions,
        RuleState=RuleState,
        most=MOST_COUNTED,
    )


def _conditions(request: Request, rule: Rule, names: Names) -> Iterator[str]:
    query = read_text(rule.query)
    if query.filter.text:
        yield f"“{query.filter.text}”"
    for chip in chips(_shown(query), speech_of(request), formats_of(request), names):
        yield f"{chip.label}{' ≠' if chip.excluded else ':'} {chip.value}"


def _shown(query: CallQuery) -> Shown:
    return Shown(query=query, columns=DEFAULT)


@router.get(NEW)
async def new(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    replaces: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """A form for a rule; the filters in the address are its conditions, tried on past calls."""
    query = read_query(request.query_params).with_period(None)
    for name in OUTCOMES:
        query = query.with_filter(name, None)
    names, speech, formats = await names_of(store), speech_of(request), formats_of(request)
    shown = _shown(query)
    text = ""
    if not query.is_empty:
        text = rule_query(shown.to("").removeprefix("?"))

    return app_state.pages.render(
        request,
        "rule.html",
        person=person,
        rule=await service.get_rule(store, replaces) if replaces else None,
        trial=await service.try_rule(store, text) if text else None,
        query=query,
        query_text=text,
        filter=query.filter,
        parameter_of=parameter_of,
        chips=list(chips(shown, speech, formats, names, NEW, replaces=replaces)),
        names=names,
        times=False,
        most=MOST_COUNTED,
    )


@router.post("/rules", dependencies=[Depends(same_origin)])
async def keep(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    name: Annotated[str, Form(max_length=200)] = "",
    query: Annotated[str, Form(max_length=4000)] = "",
    tag: Annotated[str, Form(max_length=200)] = "",
    target: Annotated[bool, Form()] = False,
    spam: Annotated[bool, Form()] = False,
    review: Annotated[bool, Form()] = False,
    past: Annotated[bool, Form()] = False,
    replaces: Annotated[str | None, Form(max_length=40)] = None,
) -> Response:
    """Keep a rule."""
    wanted = service.Wanted(
        name=name,
        query=query,
        tag=tag_named(" ".join(tag.split())),
        target=target,
        spam=spam,
        review=review,
        past=past,
        replaces=replaces or None,
    )
    try:
        await service.keep_rule(store, wanted, author=person.login, now=now)
    except InvalidInput:
        return app_state.pages.problem(request, "invalid_rule", status=422, headers={})
    except Conflict:
        return app_state.pages.problem(request, "dependent_rules", status=409, headers={})
    return RedirectResponse("/rules", 303)


@router.post("/rules/{rule_id}/past", dependencies=CHANGES)
async def past(store: StoreOf, rule_id: str) -> Response:
    """Apply a rule to past calls."""
    await service.apply_to_past(store, rule_id)
    return RedirectResponse("/rules", 303)


@router.post("/rules/{rule_id}/pause", dependencies=CHANGES)
async def pause(store: StoreOf, rule_id: str) -> Response:
    """Switch a rule off, and take back what it set."""
    await service.pause_rule(store, rule_id)
    return RedirectResponse("/rules", 303)


@router.post("/rules/{rule_id}/resume", dependencies=CHANGES)
async def resume(store: StoreOf, now: Now, rule_id: str) -> Response:
    """Switch a rule on again."""
    await service.resume_rule(store, rule_id, now)
    return RedirectResponse("/rules", 303)


@router.post("/rules/{rule_id}/remove", dependencies=CHANGES)
async def remove(store: StoreOf, rule_id: str) -> Response:
    """Remove a rule, and take back what it set."""
    await service.remove_rule(store, rule_id)
    return RedirectResponse("/rules", 303)
