"""Rules and what they make of calls, in the store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, or_, select, tuple_

from router.domain.calls.call import State
from router.domain.calls.qualification import Decision, Qualification, Subject
from router.domain.calls.rules import RuleState
from router.service.calls.rule_ports import Change
from router.store import tables
from router.store.counters import counter
from router.store.direct import AnyConnection
from router.store.records import from_row, from_rows_by, to_rows
from router.store.writing import add_absent, upsert

_call, _rule, _match = tables.call, tables.rule, tables.rule_match
_decision, _qualification, _to = tables.decision, tables.qualification, tables.qualified_to
CURSOR = "calls"
_AMONG: Any = bindparam("calls", expanding=True)
_MATCHES = select(_match.c.call_id, _match.c.rule_id).where(_match.c.call_id.in_(_AMONG))
_DECISIONS = select(_decision).where(_decision.c.call_id.in_(_AMONG))
_QUALIFICATIONS = select(_qualification).where(_qualification.c.call_id.in_(_AMONG))
_LEFT = or_(
    _rule.c.state == RuleState.REMOVED,
    (_rule.c.state == RuleState.PAUSED)
    & exists(select(_match.c.call_id).where(_match.c.rule_id == _rule.c.id)),
)
_WORKING = (
    select(_rule.c.id)
    .where(or_((_rule.c.state == RuleState.ACTIVE) & _rule.c.past_at.is_not(None), _LEFT))
    .order_by(_rule.c.created_at, _rule.c.id)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class SqlQualification:
    """The `QualificationPort` of `router.service.calls.rule_ports`."""

    connection: AnyConnection

    async def of(self, call_ids: Collection[str]) -> dict[str, Qualification]:
        """What these calls count as; without a row a call is nothing of it."""
        rows = await self.connection.execute(_QUALIFICATIONS, {"calls": list(call_ids)})
        return from_rows_by("call_id", Qualification, rows)

    async def save(self, qualifications: Sequence[Qualification]) -> None:
        """Save what calls count as."""
        await upsert(self.connection, _qualification, to_rows(qualifications))

    async def decisions(self, call_ids: Collection[str]) -> dict[str, list[Decision]]:
        """What people decided of these calls."""
        found: dict[str, list[Decision]] = {}
        for row in await self.connection.execute(_DECISIONS, {"calls": list(call_ids)}):
            found.setdefault(row.call_id, []).append(from_row(Decision, row))
        return found

    async def decided_at(self, subject: Subject, author: str, at: datetime, most: int) -> list[str]:
        """The calls on which this person decided then."""
        wanted = (_decision.c.subject == subject, _decision.c.author == author)
        query = select(_decision.c.call_id).where(*wanted, _decision.c.at == at).limit(most)
        return list((await self.connection.execute(query)).scalars())

    async def decide(self, *decisions: Decision) -> None:
        """Keep decisions, instead of earlier ones on the same."""
        await upsert(self.connection, _decision, to_rows(decisions))

    async def forget_decision(self, call_id: str, subject: Subject, name: str = "") -> None:
        """Remove a decision, if there is one."""
        same = (_decision.c.call_id == call_id, _decision.c.subject == subject)
        await self.connection.execute(delete(_decision).where(*same, _decision.c.name == name))

    async def rename_refusals(self, name: str, new: str) -> None:
        """Tags that people refused have another name now."""
        of_tag = (_decision.c.subject == Subject.TAG, _decision.c.name == name)
        rows = await self.connection.execute(select(_decision).where(*of_tag))
        for row in rows.all():
            await add_absent(self.connection, _decision, {**row._mapping, "name": new})
        await self.connection.execute(delete(_decision).where(*of_tag))

    async def matches(self, call_ids: Collection[str]) -> dict[str, set[str]]:
        """The rules that match these calls, by call."""
        found: dict[str, set[str]] = {}
        for call_id, rule_id in await self.connection.execute(_MATCHES, {"calls": list(call_ids)}):
            found.setdefault(call_id, set()).add(rule_id)
        return found

    async def match(
        self, rule_id: str, call_ids: Collection[str], matching: Collection[str]
    ) -> None:
        """Of these calls, a rule matches exactly these."""
        mine = (_match.c.rule_id == rule_id, _match.c.call_id.in_(list(call_ids)))
        known = set(
            (await self.connection.execute(select(_match.c.call_id).where(*mine))).scalars()
        )
        gone, new = known - set(matching), set(matching) - known
        if gone:
            await self.connection.execute(
                delete(_match).where(_match.c.rule_id == rule_id, _match.c.call_id.in_(gone))
            )
        await upsert(
            self.connection,
            _match,
            [{"rule_id": rule_id, "call_id": call_id} for call_id in sorted(new)],
        )

    async def take_back(self, rule_id: str, most: int) -> list[str]:
        """Let a rule match no longer at most this many of its calls; returns their ids."""
        some = select(_match.c.call_id).where(_match.c.rule_id == rule_id).limit(most)
        call_ids = list((await self.connection.execute(some)).scalars())
        await self.match(rule_id, call_ids, ())
        return call_ids

    async def counts(self) -> dict[str, int]:
        """How many calls each rule matches."""
        query = select(_match.c.rule_id, func.count()).group_by(_match.c.rule_id)
        return {row[0]: row[1] for row in await self.connection.execute(query)}

    async def next_rule(self) -> str | None:
        """A rule that is being applied to past calls, or taken back."""
        return (await self.connection.execute(_WORKING)).scalar()

    async def place(self) -> Change:
        """The last change of a call that rules have looked at."""
        row = (await self.connection.execute(select(_to).where(_to.c.name == CURSOR))).first()
        if row:
            return Change(row.revision, row.call_id)
        return Change(0, "")

    async def set_place(self, place: Change) -> None:
        """They have looked at all changes up to this one."""
        values: dict[str, Any] = {"revision": place.revision, "call_id": place.call_id}
        await upsert(self.connection, _to, [{"name": CURSOR, **values}])

    async def changes(self, place: Change, most: int) -> list[Change]:
        """The next changes of ended calls after this one."""
        key = tuple_(_call.c.revision, _call.c.id)
        query = (
            select(_call.c.revision, _call.c.id)
            .where(key > (place.revision, place.call_id), _call.c.state == State.ENDED)
            .order_by(_call.c.revision, _call.c.id)
            .limit(most)
        )
        return [Change(*row) for row in await self.connection.execute(query)]

    async def is_behind(self) -> bool:
        """Whether a call has changed since."""
        return (await self.place()).revision < await counter(self.connection, "calls")
