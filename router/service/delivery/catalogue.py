"""Checks the rules of a connection against the CRM's field catalogue."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from router.domain.calls.call import State
from router.domain.calls.call_filter import CallFilter
from router.domain.delivery.call_event import CallEvent, read_call
from router.domain.delivery.catalogue import (
    Catalogue,
    Field,
    FieldType,
    first,
    listed,
    misfit,
)
from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.connection import SCENARIO_KINDS, Connection, Mode, Rules
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.fix_codes import FixCode
from router.domain.delivery.outcome import Outcome
from router.service.delivery.crm_ports import HasCatalogue
from router.service.delivery.outbox import call_bodies
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.place_check import check_place
from router.service.delivery.ports import Check
from router.service.ports import Store

LOOK_BACK = 100  # number of recent calls whose facts are checked
CLIENT_ID_LETTERS = 30  # of which one of Google Analytics needs 21 or so
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
        return [_remark(Outcome.of(CheckCode.CATALOGUE), error.outcome)]
    kinds = kinds_of(connection)
    own = check_client_id(catalogue, {kind: crm.client_id_field(kind) for kind in kinds})
    return [*own, *faults(catalogue, connection, await _told(store, connection))]


async def missing_defaults(connection: Connection, crm: object) -> dict[str, Field]:
    """Required fields that the rules leave empty, by their names."""
    if not isinstance(crm, HasCatalogue) or connection.mode is not Mode.OWN:
        return {}
    catalogue = await crm.catalogue(whole=True)
    missing = {}
    for kind in kinds_of(connection):
        for field in _unfilled(catalogue, kind, connection.rules):
            missing[field.name] = field
    return missing


def kinds_of(connection: Connection) -> Sequence[EntityKind]:
    """The kinds of entities that are written to."""
    if connection.mode is Mode.OWN:
        return SCENARIO_KINDS[connection.rules.scenario]
    return connection.rules.targets


def users_named(rules: Rules) -> list[str]:
    """The CRM's users that the rules name."""
    users = list(rules.responsible.values())
    if rules.task_user:
        users.append(rules.task_user)
    return users


def check_client_id(catalogue: Catalogue, names: Mapping[EntityKind, str]) -> Iterator[Check]:
    """Fields that cannot keep a client ID as it is."""
    for kind, name in names.items():
        field = catalogue.find(kind, name)
        if field is None:  # the adapter's own check says so
            continue
        short = field.most is not None and field.most < CLIENT_ID_LETTERS
        if field.type is FieldType.TEXT and field.writable and not short:
            continue
        what = Outcome.of(CheckCode.FIELD, kind=kind, field=name)
        unsure = field.type is FieldType.OTHER and field.writable
        fix = Outcome.of(FixCode.CLIENT_ID_FIELD)
        yield Check(what=what, well=False, fix=fix, optional=unsure)


def faults(
    catalogue: Catalogue, connection: Connection, calls: Sequence[CallEvent]
) -> Iterator[Check]:
    """Problems with their fixes."""
    kinds, rules = kinds_of(connection), connection.rules
    if connection.mode is Mode.OWN:
        wanted = kinds
    else:
        wanted = kinds[:1]

    for fact, name in rules.fields.items():
        texts = {call.facts[fact] for call in calls if fact in call.facts}
        yield from _check_field(catalogue, kinds, wanted, fact, name, texts)
    if connection.mode is Mode.OWN:
        yield from _check_defaults(catalogue, kinds, rules.defaults)
        for kind in kinds:
            yield from _check_required(catalogue, kind, connection)
        yield from _check_users(catalogue, rules)
        yield from _check_task(catalogue, rules)
        yield from check_place(catalogue)


def _check_field(
    catalogue: Catalogue,
    kinds: Sequence[EntityKind],
    wanted: Sequence[EntityKind],
    fact: str,
    name: str,
    texts: set[str],
) -> Iterator[Check]:
    """Check one mapped fact: its field, and the values of recent calls."""
    what = Outcome.of(CheckCode.MAPPED, field=name, fact=fact)
    mapped = {kind: catalogue.find(kind, name) for kind in kinds if kind in catalogue.fields}
    if not mapped:
        return
    missing = [kind for kind, field in mapped.items() if field is None]
    if len(missing) == len(mapped):
        yield Check(what=what, well=False, fix=Outcome.of(FixCode.NO_FIELD))
        return
    if missing := [kind for kind in missing if kind in wanted]:
        yield _remark(what, Outcome.of(FixCode.MISSING_IN, kind=missing))
    for kind, field in mapped.items():
        if field is not None and (fix := _trouble_with(field, texts)):
            yield _remark(Outcome.of(CheckCode.MAPPED_IN, field=name, fact=fact, kind=kind), fix)


def _remark(what: Outcome, fix: Outcome) -> Check:
    """Calls are sent without it."""
    return Check(what=what, well=False, fix=fix, optional=True)


def _trouble_with(field: Field, texts: set[str]) -> Outcome | None:
    """Why some of these texts are refused or cut."""
    reasons = [reason for text in sorted(texts) if (reason := misfit(field, text))]
    if len(reasons) == 1:
        return Outcome.of(FixCode.VALUE, reason=reasons[0], more=0)
    if reasons:
        return Outcome.of(FixCode.VALUES, reason=reasons[0], more=len(reasons) - 1)
    if not field.writable:
        return Outcome.of(FixCode.READ_ONLY)
    if field.type is FieldType.LIST and not texts:
        return Outcome.of(FixCode.OPTIONS_ONLY, options=listed(field.options))
    longest = max(map(len, texts), default=0)
    if field.most is not None and longest > field.most:
        return Outcome.of(FixCode.CUT, most=field.most, longest=longest)
    return None


def _check_defaults(
    catalogue: Catalogue, kinds: Sequence[EntityKind], defaults: Mapping[str, str]
) -> Iterator[Check]:
    for name, text in defaults.items():
        known = [catalogue.find(kind, name) for kind in kinds if kind in catalogue.fields]
        existing = [field for field in known if field is not None]
        if known and not existing:
            fix = Outcome.of(FixCode.NO_DEFAULT_FIELD)
            yield Check.of(CheckCode.DEFAULT, False, fix, field=name)
        for field in existing:
            if reason := misfit(field, text):
                fix = Outcome.of(FixCode.DEFAULT, reason=reason)
                yield Check.of(CheckCode.DEFAULT, False, fix, field=name)


def _check_required(
    catalogue: Catalogue, kind: EntityKind, connection: Connection
) -> Iterator[Check]:
    for field in _unfilled(catalogue, kind, connection.rules):
        if field.title:
            title = f"'{field.title}' ({field.name})"
        else:
            title = f"'{field.name}'"

        code = FixCode.REQUIRED
        if field.options:
            code = FixCode.REQUIRED_OPTION

        given = {"receiver": connection.id, "field": field.name, "options": listed(field.options)}
        fix = Outcome.of(code, **given)
        yield Check.of(CheckCode.REQUIRED, False, fix, field=title, kind=kind)


def _unfilled(catalogue: Catalogue, kind: EntityKind, rules: Rules) -> list[Field]:
    """Required fields without a value."""
    filled = [name for fact, name in rules.fields.items() if fact in ALWAYS_KNOWN]
    filled += [name for name, text in rules.defaults.items() if text]
    stage = catalogue.place.stage
    unfilled = []
    for field in catalogue.fields.get(kind, ()):
        if (field.required or stage in field.stages) and not any(
            field.is_called(name) for name in filled
        ):
            unfilled.append(field)
    return unfilled


def _check_users(catalogue: Catalogue, rules: Rules) -> Iterator[Check]:
    for name, user_id in rules.responsible.items():
        user = first(catalogue.users, user_id)
        if catalogue.users is None or (user is not None and user.active):
            continue
        fix = Outcome.of(FixCode.NO_USER)
        if user is not None:
            fix = Outcome.of(FixCode.USER_LEFT, user=user.title or user_id)
        yield _remark(Outcome.of(CheckCode.RESPONSIBLE, user=user_id, destination=name), fix)


def _check_task(catalogue: Catalogue, rules: Rules) -> Iterator[Check]:
    user = first(catalogue.users, rules.task_user or "")
    if rules.task_user is None or catalogue.users is None or (user is not None and user.active):
        return
    what = Outcome.of(CheckCode.TASK_USER, user=rules.task_user)
    yield _remark(what, Outcome.of(FixCode.TASK_USER))


async def _told(store: Store, connection: Connection) -> list[CallEvent]:
    """Recent calls for the connection."""
    asked = CallFilter(site_id=connection.site_id, state=State.ENDED)
    async with store.read() as session:
        calls = await session.calls.find(asked, limit=LOOK_BACK)
        bodies = await call_bodies(session, calls)
    return [read_call(body, "") for body in bodies.values()]
