"""Rules, and decisions on target calls and spam."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from router.domain.access import Scope, Token
from router.domain.calls.qualification import Subject
from router.errors import Conflict, InvalidInput, NotAllowed, NotFound
from router.service.calls import qualification
from router.service.calls import rules as service
from router.web.api.models.rules import Conditions, CountedRule, Decided, NewRule, Rule, Tried
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

ERRORS = answers(NotFound, Conflict, InvalidInput, NotLoggedIn, NotAllowed)
router = APIRouter(tags=["rules"], responses=ERRORS)
READ = [Depends(needs(Scope.CALLS_READ))]
WRITE = [Depends(needs(Scope.CALLS_WRITE))]
Writer = Annotated[Token, Depends(needs(Scope.CALLS_WRITE))]
RuleId = Annotated[str, Path(description="The rule's id.")]
CallId = Annotated[str, Path(description="The call's id: Asterisk's linkedid.")]
About = Annotated[Subject, Path(description="`target` or `spam`.")]


@router.get("/rules", dependencies=READ)
async def list_rules(store: StoreOf) -> list[CountedRule]:
    """All rules, the oldest first."""
    return [CountedRule.of_view(view) for view in await service.list_rules(store)]


@router.post("/rules/try", dependencies=READ)
async def try_rule(store: StoreOf, conditions: Conditions) -> Tried:
    """How many past calls match these conditions, and examples. Nothing is kept."""
    return Tried.of_trial(await service.try_rule(store, conditions.query))


@router.post("/rules", status_code=201)
async def keep_rule(store: StoreOf, now: Now, token: Writer, new: NewRule) -> Rule:
    """Keep a rule. It applies to calls from now on; with `past` also to those before, step by
    step.
    """
    author = f"api:{token.name}"[:70]
    return Rule.of(await service.keep_rule(store, new.wanted(), author=author, now=now))


@router.post("/rules/{rule_id}/past", status_code=202, dependencies=WRITE)
async def apply_to_past(store: StoreOf, rule_id: RuleId) -> Rule:
    """Apply a rule to past calls, step by step."""
    return Rule.of(await service.apply_to_past(store, rule_id))


@router.post("/rules/{rule_id}/pause", status_code=202, dependencies=WRITE)
async def pause_rule(store: StoreOf, rule_id: RuleId) -> None:
    """Switch a rule off; what it set is taken back, step by step."""
    await service.pause_rule(store, rule_id)


@router.post("/rules/{rule_id}/resume", status_code=204, dependencies=WRITE)
async def resume_rule(store: StoreOf, now: Now, rule_id: RuleId) -> None:
    """Switch a rule on again, for calls from now on."""
    await service.resume_rule(store, rule_id, now)


@router.delete("/rules/{rule_id}", status_code=202, dependencies=WRITE)
async def remove_rule(store: StoreOf, rule_id: RuleId) -> None:
    """Take back what a rule set, step by step, and remove it."""
    await service.remove_rule(store, rule_id)


@router.put("/calls/{call_id}/decisions/{subject}", status_code=204)
async def decide(
    store: StoreOf, now: Now, token: Writer, call_id: CallId, subject: About, said: Decided
) -> None:
    """Decide whether a call is a target call, or spam: a decision beats every rule."""
    await qualification.decide(
        store, call_id, subject, wanted=said.wanted, author=token.name, now=now
    )


@router.delete("/calls/{call_id}/decisions/{subject}", status_code=204, dependencies=WRITE)
async def undo_decision(store: StoreOf, now: Now, call_id: CallId, subject: About) -> None:
    """Take a decision back: rules count again."""
    await qualification.undo_decision(store, call_id, subject, now)
