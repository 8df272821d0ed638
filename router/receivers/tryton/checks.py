"""Checks of a Tryton account: key, company, rights and fields."""

from collections.abc import Mapping, Sequence

from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.connection import Mode
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.fix_codes import FixCode
from router.domain.delivery.outcome import Outcome
from router.receivers.json_body import mapping, member
from router.receivers.tryton.api import NEWEST, NOTE, OPPORTUNITY, PARTY, Api
from router.receivers.tryton.catalogue import TEXTS
from router.receivers.tryton.rows import is_marked
from router.service.delivery.ports import Check

_RIGHTS: Mapping[Mode, Mapping[str, Sequence[str]]] = {
    Mode.OWN: {
        PARTY: ("read", "write", "create"),
        OPPORTUNITY: ("read", "write", "create"),
        NOTE: ("read", "create"),
    },
    Mode.TELEPHONY: {PARTY: ("read", "write"), OPPORTUNITY: ("read", "write")},
}


async def check_account(api: Api, mode: Mode, field: str) -> list[Check]:
    """Check key, company, rights and fields, as far as the key can see."""
    seen = await api.attempt("GET", "ir.lang", params=[("s", "1"), ("f", "id")], context={})
    if seen.status == 404:
        fix = Outcome.of(FixCode.TRYTON_DATABASE, database=api.database)
        return [Check.of(CheckCode.DATABASE, False, fix)]
    if seen.status != 200:
        fix = Outcome.of(FixCode.TRYTON_KEY)
        return [Check.of(CheckCode.ACCESS, False, fix, system="Tryton")]
    company = api.company
    # Tryton caches for minutes which companies a user was in, so one that does not exist must not
    # be sent to it.
    seen = await api.attempt("GET", f"company.company/{company}", params=[("f", "id")], context={})
    fix = Outcome.of(FixCode.TRYTON_COMPANY)
    checks = [
        Check.of(CheckCode.ACCESS, True, system="Tryton"),
        Check.of(CheckCode.COMPANY, seen.status == 200, fix, company=company),
    ]
    if seen.status != 200:
        return checks
    checks += [await _right(api, model, wanted) for model, wanted in _RIGHTS[mode].items()]
    if mode is Mode.TELEPHONY:
        checks.append(await _by_others(api))
    return checks + await _fields(api, field)


async def _by_others(api: Api) -> Check:
    """Whether another user is the telephony's: what the key's user creates counts as
    Ringtrace's.
    """
    newest = await api.find(OPPORTUNITY, [], ["create_uid", "reference"], NEWEST)
    me = await api.user()
    theirs = [row for row in newest if not is_marked(row.get("reference"))]
    own = [row for row in theirs if me is not None and row.get("create_uid") == me]
    fix = Outcome.of(FixCode.OWN_USER, own=len(own), all=len(newest))
    few = 2 * len(own) < max(1, len(newest))
    return Check.of(CheckCode.OTHER_USERS, few, fix, kind=EntityKind.DEAL)


async def _right(api: Api, model: str, wanted: Sequence[str]) -> Check:
    answer = await api.attempt("POST", "ir.model.access/get_access", json={"models": [model]})
    allowed = member(answer.body, model)
    well = isinstance(allowed, dict) and all(allowed.get(right) for right in wanted)
    fix = Outcome.of(FixCode.TRYTON_RIGHT, model=model, rights=wanted)
    return Check.of(CheckCode.RIGHTS_OF, well, fix, objects=model, rights=wanted)


async def _fields(api: Api, field: str) -> list[Check]:
    writable = {model: await _has(api, model, [field]) for model in (PARTY, OPPORTUNITY)}
    fix = Outcome.of(FixCode.TRYTON_FIELD)
    return [
        Check.of(CheckCode.FIELD_OF, field in has, fix, objects=model, field=field)
        for model, has in writable.items()
    ]


async def _has(api: Api, model: str, names: Sequence[str]) -> frozenset[str]:
    """Those of the fields that the model has, as writable texts."""
    answer = await api.attempt("POST", f"{model}/fields_get", json={"fields_names": list(names)})
    if answer.status != 200:
        return frozenset()
    found = set[str]()
    for name, field in mapping(answer.body).items():
        if member(field, "type") in TEXTS and not member(field, "readonly"):
            found.add(name)
    return frozenset(found)
