"""Stores analytics identifiers as soon as a message of the page contains them.

Analytics often starts after our script (a tag manager, a consent banner, delayed JavaScript). A
late identifier also belongs to earlier calls of the visitor, so the worker sends it after them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from router.domain.attribution.late_evidence import identity_of
from router.domain.visitors.visit import Visit, Visitor
from router.service.ports import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """The identifiers in one message of a page."""

    ga_client_id: str | None = None
    ga_session_id: str | None = None
    ym_client_id: str | None = None
    click_ids: dict[str, str] = field(default_factory=dict)  # gclid, yclid …

    def of(self, visitor: Visitor) -> Visitor:
        """The visitor with these identifiers; others stay."""
        return replace(
            visitor,
            ga_client_id=self.ga_client_id or visitor.ga_client_id,
            ga_session_id=self.ga_session_id or visitor.ga_session_id,
            ym_client_id=self.ym_client_id or visitor.ym_client_id,
        )

    def of_visit(self, visit: Visit) -> Visit:
        """The visit with its session and its clicks; a click ID that it has already stays."""
        return replace(
            visit,
            ga_session_id=self.ga_session_id or visit.ga_session_id,
            click_ids=self.click_ids | visit.click_ids,
        )


NO_IDS = Ids()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Identifiers of a known visitor, from a page."""

    visitor: Visitor
    visit: Visit | None = None  # None: a new visit
    ids: Ids


async def store_ids(
    session: Session, said: Sequence[Said], seen: Collection[str], now: datetime
) -> None:
    """Store the new identifiers and heartbeats of the visits `seen`; queue visitors with late
    identifiers. Visitors first, then visits, in key order, to avoid deadlocks.
    """
    late: set[str] = set()
    for heard in sorted(said, key=lambda each: each.visitor.id):
        if changed := _difference(heard.visitor, heard.ids.of(heard.visitor)):
            await session.change_values(Visitor, heard.visitor.id, **changed)
            if _names_unknown(heard.visitor, changed):
                late.add(heard.visitor.id)
    await session.visits.note_seen(seen, now)
    for visit, ids in sorted(
        ((heard.visit, heard.ids) for heard in said if heard.visit), key=lambda pair: pair[0].id
    ):
        if changed := _difference(visit, ids.of_visit(visit)):
            await session.change_values(Visit, visit.id, **changed)
            if "click_ids" in changed or not visit.ga_session_id:
                late.add(visit.visitor_id)
    await session.late_evidence.add([identity_of(visitor_id, now) for visitor_id in sorted(late)])


def _difference(before: Visitor | Visit, after: Visitor | Visit) -> dict[str, object]:
    names = ("ga_client_id", "ga_session_id", "ym_client_id", "click_ids")
    both = {name: (getattr(before, name, None), getattr(after, name, None)) for name in names}
    return {name: new for name, (old, new) in both.items() if new != old}


def _names_unknown(visitor: Visitor, changed: Collection[str]) -> bool:
    """Whether the visitor had no such identifier before; a new session belongs to later calls."""
    return ("ga_client_id" in changed and not visitor.ga_client_id) or (
        "ym_client_id" in changed and not visitor.ym_client_id
    )
