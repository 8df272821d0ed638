"""Checks the rules of a connection against the CRM's field catalogue."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from router.domain.calls.call import State
from router.domain.calls.call_filter import CallFilter
from router.domain.delivery.call_event import CallEvent, read_call
from router.domain.delivery.catalogue import (
    Catalogue,
    Field,
    FieldType,
    Named,
    first,
    listed,
    misfit,
)
from router.domain.delivery.connection import SCENARIO_KINDS, Connection, Mode, Rules
from router.domain.delivery.entity import EntityKind
from router.service.delivery.crm_ports import HasCatalogue
from router.service.delivery.outbox import call_bodies
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check
from router.service.ports import Store

LOOK_BACK = 100  # number of recent calls whose facts are checked
ALWAYS_KNOWN = frozenset({"wait_seconds", "talk_seconds", "page", "call_id"})


async def catalogue_of(crm: object, rules: Rules) -> Catalogue:
    """The account's catalogue; empty if it has none or cannot be read."""
    if isinstance(crm, HasCatalogue) and (rules.fields or rules.defaults):
        with suppress(ReceiverUnavailable, Refused):
            return await crm.catalogue()
    return Catalogue()


async def check_catalogue(store: Store, connection: Connection, crm: object) -> list[Check]:
    """Check the rules with the facts of recent calls."""
    if not isinstance(crm, HasCatalogue):
        return []
    try:
        catalogue = await crm.catalogue(whole=True)
    except (ReceiverUnavailable, Refused) as error:
        what = "the account's fields, users and pipelines"
        return [Check(what=what, well=False, fix=str(error), optional=True)]
    return [*faults(catalogue, connection, await _told(store, connection))]


async def missing_defaults(connection: Connection, crm: object) -> dict[str, Field]:
    """Required fields that the rules leave empty, by their names."""
    if not isinstance(crm, HasCatalogue) or connection.mode is not Mode.OWN:
        return {}
    catalogue = await crm.catalogue(whole=True)
    return {
        field.name: field
        for kind in kinds_of(connection)
        for field in _unfilled(catalogue, kind, connection.rules)
    }


def kinds_of(connection: Connection) -> Sequence[EntityKind]:
    """The kinds of entities that are written to."""
    if connection.mode is Mode.OWN:
        return SCENARIO_KINDS[connection.rules.scenario]
    return connection.rules.targets


def users_named(rules: Rules) -> list[str]:
    """The CRM's users that the rules name."""
    return [*rules.responsible.values(), *([rules.task_user] if rules.task_user else [])]


def faults(
    catalogue: Catalogue, connection: Connection, calls: Sequence[CallEvent]
) -> Iterator[Check]:
    """Problems with their fixes."""
    kinds, rules = kinds_of(connection), connection.rules
    wanted = kinds if connection.mode is Mode.OWN else kinds[:1]
    for fact, name in rules.fields.items():
        texts = {call.facts[fact] for call in calls if fact in call.facts}
        yield from _check_field(catalogue, kinds, wanted, fact, name, texts)
    if connection.mode is Mode.OWN:
        yield from _check_defaults(catalogue, kinds, rules.defaults)
        for kind in kinds:
            yield from _check_required(catalogue, kind, connection)
        yield from _check_users(catalogue, rules)
        yield from _check_task(catalogue, rules)
        yield from _check_place(catalogue)


def _check_field(
    catalogue: Catalogue,
    kinds: Sequence[EntityKind],
    wanted: Sequence[EntityKind],
    fact: str,
    name: str,
    texts: set[str],
) -> Iterator[Check]:
    """Check one mapped fact: its field, and the values of recent calls."""
    what = f"the field '{name}' for {fact}"
    there = {kind: catalogue.find(kind, name) for kind in kinds if kind in catalogue.fields}
    if not there:
        return
    missing = [kind for kind, field in there.items() if field is None]
    if len(missing) == len(there):
        fix = "no such field: use an existing one, or remove the fact from the mapping"
        yield Check(what=what, well=False, fix=fix)
        return
    if missing := [kind for kind in missing if kind in wanted]:
        fix = f"missing in each {' and '.join(missing)}: add it there; otherwise it is left out"
        yield Check(what=what, well=False, fix=fix, optional=True)
    for kind, field in there.items():
        if field is not None and (fix := _trouble_with(field, texts)):
            yield Check(what=f"{what} in each {kind}", well=False, fix=fix, optional=True)


def _trouble_with(field: Field, texts: set[str]) -> str:
    """Why some of these texts are refused or cut."""
    reasons = [reason for text in sorted(texts) if (reason := misfit(field, text))]
    if reasons:
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        return f"{reasons[0]}{more}: change the field in the CRM, or map the fact to a text field"
    if not field.writable:
        return "the field is read-only: map the fact to another one"
    if field.type is FieldType.LIST and not texts:
        return f"it accepts only its options ({listed(field.options)}); other values are left out"
    longest = max(map(len, texts), default=0)
    if field.most is not None and longest > field.most:
        return f"it accepts {field.most} characters, calls have up to {longest}: the rest is cut"
    return ""


def _check_defaults(
    catalogue: Catalogue, kinds: Sequence[EntityKind], defaults: Mapping[str, str]
) -> Iterator[Check]:
    for name, text in defaults.items():
        known = [catalogue.find(kind, name) for kind in kinds if kind in catalogue.fields]
        there = [field for field in known if field is not None]
        if known and not there:
            fix = "there is no such field: correct `--default`"
            yield Check(what=f"the default of '{name}'", well=False, fix=fix)
        for field in there:
            if reason := misfit(field, text):
                fix = f"{reason}: correct `--default`"
                yield Check(what=f"the default of '{name}'", well=False, fix=fix)


def _check_required(
    catalogue: Catalogue, kind: EntityKind, connection: Connection
) -> Iterator[Check]:
    for field in _unfilled(catalogue, kind, connection.rules):
        options = f", one of {listed(field.options)}" if field.options else ""
        fix = (
            "the CRM refuses every call without it: "
            f"`ringtrace crm rules {connection.id} --default {field.name}=TEXT`{options}"
        )
        title = f"'{field.title}' ({field.name})" if field.title else f"'{field.name}'"
        yield Check(what=f"the required field {title} of each {kind}", well=False, fix=fix)


def _unfilled(catalogue: Catalogue, kind: EntityKind, rules: Rules) -> list[Field]:
    """Required fields without a value."""
    filled = [name for fact, name in rules.fields.items() if fact in ALWAYS_KNOWN]
    filled += [name for name, text in rules.defaults.items() if text]
    stage = catalogue.place.stage
    return [
        field
        for field in catalogue.fields.get(kind, ())
        if (field.required or stage in field.stages)
        and not any(field.is_called(name) for name in filled)
    ]


def _check_users(catalogue: Catalogue, rules: Rules) -> Iterator[Check]:
    for name, user_id in rules.responsible.items():
        user = first(catalogue.users, user_id)
        what = f"the user {user_id}, responsible for {name}"
        again = "set another one with `--responsible`"
        if catalogue.users is None or (user is not None and user.active):
            continue
        title = f"{user.title or 'this user'} has left" if user else "there is no such user"
        yield Check(what=what, well=False, fix=f"{title}: {again}", optional=True)


def _check_task(catalogue: Catalogue, rules: Rules) -> Iterator[Check]:
    user = first(catalogue.users, rules.task_user or "")
    if rules.task_user is None or catalogue.users is None or (user is not None and user.active):
        return
    fix = "this user has left, or never was: name another one with `--task-user`"
    yield Check(what=f"the user {rules.task_user} of tasks", well=False, fix=fix, optional=True)


def _check_place(catalogue: Catalogue) -> Iterator[Check]:
    """Check pipeline, stage and order method of new deals."""
    place, pipelines = catalogue.place, catalogue.pipelines
    if pipelines is not None and place.pipeline:
        chosen = next((one for one in pipelines if one.id == place.pipeline), None)
        titles = listed(f"{one.id} ({one.title})" for one in pipelines if not one.archived)
        fix = f"set the option to another pipeline: {titles}"
        if chosen is None:
            yield Check(what=f"the pipeline {place.pipeline}", well=False, fix=f"none: {fix}")
        elif chosen.archived:
            fix = f"it is archived: restore it, or {fix}"
            yield Check(what=f"the pipeline {place.pipeline}", well=False, fix=fix)
    if pipelines is not None and place.stage:
        yield from _check_stage(catalogue)
    if catalogue.methods is not None and place.method:
        method = first(catalogue.methods, place.method)
        fix = f"switch it on, or use another: {listed(_active(catalogue.methods))}"
        if method is None or not method.active:
            reason = "there is none" if method is None else "it is switched off"
            what = f"the order method {place.method}"
            yield Check(what=what, well=False, fix=f"{reason}: {fix}")


def _check_stage(catalogue: Catalogue) -> Iterator[Check]:
    """Check that the stage belongs to the pipeline."""
    place, pipelines = catalogue.place, catalogue.pipelines or ()
    what = f"the stage {place.stage}"
    owners = [one for one in pipelines if first(one.stages, place.stage)]
    wanted = next((one for one in pipelines if one.id == place.pipeline), None)
    if not owners:
        some = [wanted] if wanted else pipelines
        every = listed(name for one in some for name in _active(one.stages))
        yield Check(what=what, well=False, fix=f"it does not exist: use one of {every}")
    elif wanted is not None and wanted not in owners:
        stages = listed(_active(wanted.stages))
        fix = f"it is of the pipeline {owners[0].id}, not of {wanted.id}, which has {stages}"
        yield Check(what=what, well=False, fix=fix)
    elif wanted is None and all(one.archived for one in owners):
        fix = f"its pipeline {owners[0].id} is archived: use another stage"
        yield Check(what=what, well=False, fix=fix)
    elif not any(stage.active for one in owners if (stage := first(one.stages, place.stage))):
        yield Check(what=what, well=False, fix="it is archived: use another one")


def _active(some: Iterable[Named]) -> list[str]:
    return [f"{one.id} ({one.title})" if one.title else one.id for one in some if one.active]


async def _told(store: Store, connection: Connection) -> list[CallEvent]:
    """Recent calls for the connection."""
    asked = CallFilter(site_id=connection.site_id, state=State.ENDED)
    async with store.read() as session:
        calls = await session.calls.find(asked, limit=LOOK_BACK)
        bodies = await call_bodies(session, calls)
    return [read_call(body, "") for body in bodies.values()]
